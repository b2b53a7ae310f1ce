import type { SealedDigests } from './disclosure.ts'
import type { RecordDraft } from './record.ts'

/** Who writes and with what, such as `capfence/0.1.0`. */
export interface WriterFacts {
  readonly software: string
  /** The operating system's process id, for people. */
  readonly pid: number
}

/** The keys that sign a log from its beginning, or from where it got them; both as C2SP text. */
export interface FirstKeys {
  /** The stable key. */
  readonly vkey: string
  /** The key of the first epoch. */
  readonly epochVkey: string
}

/** The log that another one succeeds, and the tree it ended with. */
export interface LogEnding {
  /** Its origin. */
  readonly log: string
  readonly size: number
  /** Hex. */
  readonly root: string
}

/** What the first record of a log says. */
export interface LogOpenFacts extends Pick<WriterFacts, 'software'>, FirstKeys {
  /** Undefined for a log that succeeds none. */
  readonly continues?: LogEnding | undefined
}

/** The first record of a log. */
export function logOpenRecord({
  software,
  vkey,
  epochVkey,
  continues: ended,
}: LogOpenFacts): RecordDraft {
  const continues =
    ended === undefined ? null : { log: ended.log, root: ended.root, size: ended.size }
  return {
    type: 'log.open',
    data: { continues, epoch_vkey: epochVkey, format: 'capfence-log/1', software, vkey },
  }
}

/** Why a log ends, and what goes on in its place. */
export interface LogArchiveFacts {
  readonly by: string
  readonly reason: string
  /** The other log's origin and keys. */
  readonly next: FirstKeys & { readonly log: string }
}

/** The last record of a log that is archived. */
export function logArchiveRecord({ by, reason, next }: LogArchiveFacts): RecordDraft {
  const { epochVkey, log, vkey } = next
  return { type: 'log.archive', data: { by, next: { epoch_vkey: epochVkey, log, vkey }, reason } }
}

/** The record of what a log takes over from the one before. */
export function stateCarryRecord(state: SealedDigests): RecordDraft {
  const { _sd, mode, withheld } = state
  return { type: 'state.carry', data: { state: { _sd: [..._sd], mode, withheld: [...withheld] } } }
}

/** The record from which on a log is signed that was not before. */
export function keyAddRecord({ vkey, epochVkey }: FirstKeys): RecordDraft {
  return { type: 'key.add', data: { epoch_vkey: epochVkey, reason: 'unsigned log', vkey } }
}

/** Why an epoch ended: its time was over, or a person wanted it. */
export type RotationReason = 'daily' | 'operator'

/** What a rotation says; keys as C2SP text. */
export interface RotationFacts {
  /** The number of the epoch that begins. */
  readonly epoch: number
  readonly previous: string
  readonly next: string
  readonly reason: RotationReason
}

/** The last record that the key of an epoch signs, with the key of the next one. */
export function keyRotateRecord({ epoch, previous, next, reason }: RotationFacts): RecordDraft {
  return { type: 'key.rotate', data: { epoch, next, previous, reason } }
}

/** The rows of limits and labels were not as the log left them, and were made again from its records. */
export function stateRebuildRecord(counts: {
  readonly charges: number
  readonly labels: number
  readonly grants: number
}): RecordDraft {
  const { charges, grants, labels } = counts
  return { type: 'state.rebuild', data: { charges, grants, labels } }
}

/** What a person says about a log that does not continue what was known of it. */
export interface RecoveryFacts {
  readonly by: string
  readonly reason: string
  /** The head that was known outside the log; null when it cannot be known any more. Root in hex. */
  readonly lost: { readonly size: number; readonly root: string } | null
}

/** The record of a break that a person has confirmed. */
export function logRecoverRecord({ by, reason, lost }: RecoveryFacts): RecordDraft {
  const known = lost === null ? null : { root: lost.root, size: lost.size }
  return { type: 'log.recover', data: { by, lost: known, reason } }
}

/** The record that says that the log was there. */
export function heartbeatRecord(): RecordDraft {
  return { type: 'heartbeat', data: {} }
}

/** A writer's first record. */
export function procStartRecord({ software, pid }: WriterFacts): RecordDraft {
  return { type: 'proc.start', data: { pid, software } }
}

/** A writer's last record, when it ends in order. */
export function procStopRecord(reason: string): RecordDraft {
  return { type: 'proc.stop', data: { reason } }
}

/** A time in which the log could not be written. */
export interface AuditGapFacts {
  /** A code, such as `locked` or `full`. */
  readonly reason: string
  /** When the first write failed, milliseconds since the epoch. */
  readonly sinceMs: number
  /** Commits that were refused and left no record. */
  readonly unrecorded: number
}

/** The record of an outage, written with the first commit after it. */
export function auditGapRecord({ reason, sinceMs, unrecorded }: AuditGapFacts): RecordDraft {
  return { type: 'audit.gap', data: { reason, since_ms: sinceMs, unrecorded } }
}

/** What became of a checkpoint that was handed to somebody outside. */
export interface AnchorFacts {
  readonly kind: 'exec' | 'witness'
  readonly name: string
  /** Records of the checkpoint. */
  readonly size: number
  /** Hex. */
  readonly root: string
  /** Why it did not get there; null when it did. */
  readonly error: string | null
}

/** The record of an anchor, which follows it: what it covers ends before. */
export function anchorRecord({ kind, name, size, root, error }: AnchorFacts): RecordDraft {
  return { type: 'anchor', data: { error, kind, name, ok: error === null, root, size } }
}
