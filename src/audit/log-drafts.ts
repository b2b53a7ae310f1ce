import type { RecordDraft } from './record.ts'

/** Who writes and with what, such as `capfence/0.1.0`. */
export interface WriterFacts {
  readonly software: string
  /** The operating system's process id, for people. */
  readonly pid: number
}

/** The first record of a log. */
export function logOpenRecord({ software }: Pick<WriterFacts, 'software'>): RecordDraft {
  return {
    type: 'log.open',
    data: { continues: null, format: 'capfence-log/1', software, vkey: null },
  }
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
