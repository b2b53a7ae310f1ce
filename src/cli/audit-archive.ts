import { resolve } from 'node:path'
import { archiveLog } from '../storage/archive.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import type { PlaceFlags } from './places.ts'
import { requireSqlite } from './storage-kind.ts'
import { placeOf } from './places.ts'
import { jsonLine, shown } from './shown.ts'
import { grouped } from './verify-text.ts'
import { version } from './version.ts'

/** What `capfence audit archive` takes, as it was typed. */
export interface AuditArchiveFlags extends PlaceFlags {
  readonly by: string
  readonly reason: string
  readonly json?: boolean | undefined
}

/** `capfence audit archive FILE`: ends the log, moves it away, and begins another one in its place. */
export async function auditArchive(
  to: string,
  flags: AuditArchiveFlags,
  io: Io,
): Promise<ExitCode> {
  const { by, reason } = flags
  const software = `capfence/${version}`
  const clock = { nowMs: io.nowMs, elapsedMs: () => performance.now() }
  const place = placeOf(flags)
  requireSqlite(place, 'capfence audit archive')
  const { path, keys, highWater } = place
  const archived = await archiveLog({
    path,
    keys,
    highWater,
    to: resolve(to),
    by,
    reason,
    software,
    clock,
  })
  await io.out.write(
    flags.json === true
      ? jsonLine({ schemaVersion, type: 'audit-archive', ...archived })
      : [
          `${grouped(archived.size)} records of ${shown(archived.log)} are in ${shown(archived.path)}`,
          `${shown(archived.next)} goes on in its place; keep its pin: \`capfence audit key\``,
          '',
        ].join('\n'),
  )
  return exitCodes.yes
}
