import { namedEpochKey } from '../audit/log-keys.ts'
import { parseVerifierKey, printVerifierKey } from '../audit/note.ts'
import { pinOf, printPin } from '../audit/pin.ts'
import type { LogPin } from '../audit/pin.ts'
import { CapFenceError } from '../errors.ts'
import type { LogReader } from '../runtime/store.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import type { OpenLog, PlaceFlags } from './places.ts'
import { withLog } from './places.ts'
import { walk } from './read-log.ts'
import { jsonLine } from './shown.ts'

/** What `capfence audit key` takes, as it was typed. */
export interface AuditKeyFlags extends PlaceFlags {
  readonly json?: boolean | undefined
}

/** `capfence audit key`: prints the pin of a log, as the log itself names its first keys. */
export function auditKey(flags: AuditKeyFlags, io: Io, open: OpenLog): Promise<ExitCode> {
  return withLog(flags, open, async (reader) => {
    const pin = await pinIn(reader)
    await io.out.write(flags.json === true ? pinLine(pin) : printPin(pin))
    return exitCodes.yes
  })
}

function pinLine({ stable, genesis }: LogPin): string {
  return jsonLine({
    schemaVersion,
    type: 'audit-key',
    log: stable.name,
    vkey: printVerifierKey(stable),
    epochVkey: printVerifierKey(genesis),
  })
}

/** The first record names the keys, or, in a log that was not signed from its beginning, the first that adds some. */
async function pinIn(reader: LogReader): Promise<LogPin> {
  const [first] = await reader.records(0, 1)
  const types = ['log.open', 'key.add'] as const
  const filter = { types: first?.data['vkey'] === null ? types.slice(1) : types.slice(0, 1) }
  for await (const records of walk(reader, filter, 0)) {
    for (const record of records) {
      const { stable, vkey } = namedEpochKey(record) ?? {}
      if (stable === undefined || vkey === undefined) continue
      return pinOf(parseVerifierKey(stable), parseVerifierKey(vkey))
    }
  }
  throw new CapFenceError('AUDIT_UNAVAILABLE', 'the log has no keys: an older version wrote it', {
    hint: 'the next `capfence run` on it makes them',
  })
}
