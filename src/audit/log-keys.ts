import type { StoredRecord } from './record.ts'

/** What one record says of the key of an epoch. */
export interface NamedEpochKey {
  readonly epoch: number
  /** C2SP text, not yet parsed. */
  readonly vkey: string
  /** The stable key, where the first epoch is named. */
  readonly stable: string | undefined
}

/** The key that begins to sign with this record; undefined when it names none. */
export function namedEpochKey({ type, data }: StoredRecord): NamedEpochKey | undefined {
  if (type === 'key.rotate') {
    const { epoch, next } = data
    if (typeof epoch !== 'number' || typeof next !== 'string') return undefined
    return { epoch, vkey: next, stable: undefined }
  }
  if (type !== 'log.open' && type !== 'key.add') return undefined
  const { vkey: stable, epoch_vkey: vkey } = data
  if (typeof stable !== 'string' || typeof vkey !== 'string') return undefined
  return { epoch: 1, vkey, stable }
}
