import { printVerifierKey, verifierOf, type NoteSigner } from '../../src/audit/note.ts'
import type { RecordDraft } from '../../src/audit/record.ts'
import { decision, outcome, writerOfTests } from './samples.ts'
import { disclosureOf, SignedLog } from './signed-log.ts'

export const second = '01JD9999999999999999999999'
export const secret = disclosureOf('path', '/srv/ünïcode')
export const kept = disclosureOf('note', 'stays')
export const other = disclosureOf('note', 'of the next record')
export const lastRecord = 1204

export function withDisclosures(index: number, digests: readonly string[]): RecordDraft {
  const { type, data } = decision(index, { forwarded: false })
  return { type, data: { ...data, args: { _sd: digests.toSorted(), mode: 'args', withheld: [] } } }
}

export const sealed = decision(0, { forwarded: false })
/** A decision without anything to disclose. */
export function plain(index: number, forwarded = false): RecordDraft {
  const { data } = decision(index, { forwarded })
  return { type: sealed.type, data: { ...data, args: { _sd: [], mode: 'args', withheld: [] } } }
}

export interface LogChanges {
  /** A record that is another one, with everything after it built on it. */
  readonly at?: number
  /** From here on all records are others. */
  readonly from?: number
  readonly to?: number
  /** Whose keys sign; the log's own when nothing is said. */
  readonly signer?: (name: string) => NoteSigner
}

/** 1205 records: two writers, two epochs, a redaction at 30, an orphan, kept checkpoints at 600, 1000 and the rotation. */
export function honestLog(changes: LogChanges = {}): SignedLog {
  const { at, from = Infinity, to = lastRecord + 1, signer } = changes
  const log = new SignedLog(undefined, signer).open()
  const next = (): RecordDraft =>
    plain(log.size === at || log.size >= from ? 50_000 + log.size : log.size)
  log.append({ type: 'proc.start', data: { pid: 2, software: 'capfence/test' } }, { w: second })
  log.append(withDisclosures(1, [secret.digest, kept.digest]), {
    disclosures: [secret.encoded, kept.encoded],
  })
  log.append(withDisclosures(2, [other.digest]), { disclosures: [other.encoded] })
  while (log.size < 30) log.append(next())
  log.append(redact(3, [secret.digest]))
  log.rows[3] = { ...(log.rows[3] ?? never()), disclosures: `${kept.encoded}~` }
  while (log.size < 600) log.append(next(), { w: log.size % 3 === 0 ? second : writerOfTests })
  log.keep()
  log.append(plain(601, true)).append(outcome(601, 600)).append(plain(602, true))
  log.rotate()
  while (log.size < to) log.append(next())
  return log
}

export function redact(seq: number, digests: readonly string[]): RecordDraft {
  return { type: 'redact', data: { by: 'operator', digests, reason: 'asked for', seq } }
}

export function never(): never {
  throw new Error('it is there')
}

export function keyAdd(log: SignedLog): RecordDraft {
  return {
    type: 'key.add',
    data: {
      epoch_vkey: printVerifierKey(verifierOf(log.epochKey)),
      reason: 'unsigned log',
      vkey: printVerifierKey(verifierOf(log.stable)),
    },
  }
}
