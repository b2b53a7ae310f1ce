import type { Checkpoint } from '../audit/checkpoint.ts'
import { parseCheckpoint } from '../audit/checkpoint.ts'
import { decodeRecord, leafHash } from '../audit/codec.ts'
import { namedEpochKey } from '../audit/log-keys.ts'
import { parseNote, parseVerifierKey } from '../audit/note.ts'
import { pinOf, type LogPin } from '../audit/pin.ts'
import type { RowWithDisclosures } from '../audit/read-row.ts'
import { CapFenceError } from '../errors.ts'
import type { LogSnapshot } from '../storage/log-snapshot.ts'

/** The head of a log, as it was signed. */
export interface SignedHead extends Checkpoint {
  /** The note with the signatures. */
  readonly note: string
}

/**
 * The signed head of a log.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when it was not signed
 */
export function signedHeadOf(snapshot: LogSnapshot): SignedHead {
  const note = snapshot.head()?.note
  if (note === undefined || note === null) throw unsigned()
  return { ...parseCheckpoint(parseNote(note).text), note }
}

/**
 * The pin of a log as the log itself names it: enough to write it down, not to trust it.
 *
 * @throws CapFenceError `AUDIT_UNAVAILABLE` when it names none
 */
export function pinNamedBy(snapshot: LogSnapshot): LogPin {
  for (const { body } of snapshot.rows(0)) {
    const { stable, vkey } = namedEpochKey(decodeRecord(body)) ?? {}
    if (stable === undefined || vkey === undefined) continue
    return pinOf(parseVerifierKey(stable), parseVerifierKey(vkey))
  }
  throw unsigned()
}

/**
 * The rows of a log from a seq on, each of which has the leaf that stands beside it.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` at the first that has not
 */
export function* soundRows(
  snapshot: LogSnapshot,
  fromSeq: number,
): Generator<RowWithDisclosures, void, undefined> {
  for (const row of snapshot.rows(fromSeq)) {
    if (leafHash(row.body) !== Buffer.from(row.leaf).toString('hex')) {
      throw damaged(`the leaf of record ${row.seq} is not the hash of it`)
    }
    yield row
  }
}

/** The log is not what was signed, and nothing that says otherwise is written. */
export function damaged(what: string): CapFenceError {
  return new CapFenceError('AUDIT_CORRUPT', what, {
    hint: '`capfence audit verify` says what is wrong with the log',
  })
}

function unsigned(): CapFenceError {
  return new CapFenceError(
    'AUDIT_UNAVAILABLE',
    'the log is not signed: an older version wrote it',
    {
      hint: 'the next `capfence run` on it makes keys',
    },
  )
}
