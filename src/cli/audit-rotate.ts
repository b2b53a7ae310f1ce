import type { KeyRotation } from '../storage/sqlite-engine.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import type { PlaceFlags } from './places.ts'
import { openWriter } from './open-storage.ts'
import { placeToWrite } from './places.ts'
import { complaint } from './report-error.ts'
import { jsonLine } from './shown.ts'
import { version } from './version.ts'

/** What `capfence audit rotate` takes, as it was typed. */
export interface AuditRotateFlags extends PlaceFlags {
  readonly json?: boolean | undefined
}

/** `capfence audit rotate`: begins a new epoch of keys in a log, whether gates write to it or not. */
export async function auditRotate(flags: AuditRotateFlags, io: Io): Promise<ExitCode> {
  const rotation = await rotate(flags)
  const { epoch, keysLeft } = rotation
  await io.out.write(
    flags.json === true
      ? jsonLine({ schemaVersion, type: 'audit-rotate', epoch, keysLeft: [...keysLeft] })
      : `epoch ${epoch} has begun${keysLeft.length === 0 ? `; the key of epoch ${epoch - 1} is erased` : ''}\n`,
  )
  if (keysLeft.length === 0) return exitCodes.yes
  const left = keysLeft.map((path) => `\`${path}\``).join(', ')
  await io.err.write(complaint(io, `an earlier key could not be erased: ${left}`, eraseHint))
  return exitCodes.unknown
}

const eraseHint = 'remove it by hand: whoever has it can sign that epoch anew'

async function rotate(flags: AuditRotateFlags): Promise<KeyRotation> {
  const place = placeToWrite(flags)
  const store = await openWriter(place, { rotateHours: 0, software: `capfence/${version}` })
  try {
    return await store.rotateKeys()
  } finally {
    await store.close()
  }
}
