import { CapFenceError } from '../errors.ts'
import type { SQLiteOptions } from '../storage/sqlite-engine.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import type { PlaceFlags } from './places.ts'
import { openWriter } from './open-storage.ts'
import { placeToWrite } from './places.ts'
import { complaint } from './report-error.ts'
import { jsonLine, shown } from './shown.ts'
import { version } from './version.ts'

/** What `capfence audit recover` takes, as it was typed. */
export interface AuditRecoverFlags extends PlaceFlags {
  readonly by: string
  readonly reason: string
  readonly json?: boolean | undefined
}

/**
 * `capfence audit recover`: a person confirms that a log does not continue what was known of it, and it goes on.
 *
 * The record of that stays in the log for good. A log that is damaged in itself is refused as ever.
 */
export async function auditRecover(flags: AuditRecoverFlags, io: Io): Promise<ExitCode> {
  const what = await breakOf(flags)
  if (what !== undefined) await open(flags, { by: flags.by, reason: flags.reason })
  if (flags.json === true) {
    const found = what ?? null
    await io.out.write(jsonLine({ schemaVersion, type: 'audit-recover', break: found }))
  } else if (what !== undefined) {
    await io.out.write(`the log goes on after a record of this: ${shown(what)}\n`)
  }
  if (what !== undefined) return exitCodes.yes
  await io.err.write(complaint(io, 'nothing to recover: the log continues what is known of it'))
  return exitCodes.no
}

/** What speaks against the log; undefined when it can be opened as it is. */
async function breakOf(flags: AuditRecoverFlags): Promise<string | undefined> {
  try {
    await open(flags, undefined)
    return undefined
  } catch (error) {
    if (error instanceof CapFenceError && error.code === 'AUDIT_CORRUPT') return error.message
    throw error
  }
}

/** Opens the log, which records what there is to record, and closes it. */
async function open(flags: PlaceFlags, recovery: SQLiteOptions['recovery']): Promise<void> {
  const software = `capfence/${version}`
  const store = await openWriter(placeToWrite(flags), { rotateHours: 0, software, recovery })
  await store.close()
}
