import { discloseArguments } from '../../src/audit/disclosure.ts'
import { toJsonObject } from '../../src/json/from-js.ts'
import { sha256Base64url } from '../../src/crypto/sha256.ts'
import { SignedLog } from './signed-log.ts'
import { decision, drafts } from './samples.ts'

/** What a log of tests is made of. */
export interface VariedLogOptions {
  readonly records: number
  /** The seqs of `key.rotate` records. */
  readonly rotations?: readonly number[]
  /** A `redact` record at the one seq erases the disclosures of the other. */
  readonly redactions?: ReadonlyMap<number, number>
}

const writers = ['01JD1111111111111111111111', '01JD2222222222222222222222']

/** A log of two writers that verifies, with text outside ASCII, disclosures, rotations and redactions. */
export function variedLog(options: VariedLogOptions): SignedLog {
  const { records, rotations = [], redactions = new Map<number, number>() } = options
  const log = new SignedLog().open()
  while (log.size < records) {
    const seq = log.size
    const erased = redactions.get(seq)
    if (rotations.includes(seq)) log.rotate('daily')
    else if (erased !== undefined) redact(log, erased)
    else if (seq % 7 === 6) log.append({ type: 'heartbeat', data: {} })
    else if (seq % 3 === 1) appendDecision(log)
    else log.append(drafts['audit.gap'] ?? { type: 'heartbeat', data: {} })
  }
  return log
}

function appendDecision(log: SignedLog): void {
  const seq = log.size
  const args = toJsonObject({ path: `/tmp/${seq} ü \u2028"`, password: 'x', deep: { a: [seq] } })
  const salts = (count: number): Uint8Array => new Uint8Array(count).fill(seq % 251)
  const { digests, disclosures } = discloseArguments(args, salts, 'args')
  const draft = decision(seq, { forwarded: false })
  const { _sd, mode, withheld } = digests
  const data = { ...draft.data, args: { _sd, mode, withheld } }
  const encoded = disclosures.map((one) => one.encoded)
  log.append({ ...draft, data }, { disclosures: encoded, w: writers[seq % 2] ?? '' })
}

function redact(log: SignedLog, seq: number): void {
  const row = log.rows[seq]
  if (row === undefined) throw new Error(`there is no record ${seq}`)
  const disclosed = digestsOf(row.disclosures)
  log.rows[seq] = { ...row, disclosures: '' }
  log.append({ type: 'redact', data: { by: 'operator', digests: disclosed, reason: 'asked', seq } })
}

function digestsOf(stored: string): readonly string[] {
  return stored
    .split('~')
    .filter((one) => one !== '')
    .map((one) => sha256Base64url(one))
}
