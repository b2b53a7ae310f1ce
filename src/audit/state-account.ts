import { isObject } from './fields.ts'
import type { Disclosure, RecordData } from './record.ts'

/** What a forwarded call has charged and which labels it has added, or a log has taken over of both; its record has a salted digest of this under `state`. */
export interface StateAccount {
  readonly charged: readonly {
    readonly pot: string
    /** An exact decimal. */
    readonly amount: string
    readonly expires_ms: number
    /** When it was charged; absent for the time of the record. */
    readonly at_ms?: number
  }[]
  readonly added: readonly {
    readonly label: string
    /** A keyed digest of what it is about, or empty. */
    readonly bind: string
    readonly until_ms: number
    /** Whose it is; absent for the session of the record's actor. */
    readonly subject?: string
    /** Absent while it is not proven. */
    readonly proven_until_ms?: number
  }[]
}

/** The digest of a record's account; undefined when it has none. */
export function stateDigest({ state }: RecordData): string | undefined {
  const digests = isObject(state) ? state['_sd'] : undefined
  const first: unknown = Array.isArray(digests) ? digests[0] : undefined
  return typeof first === 'string' ? first : undefined
}

/** Reads the disclosure that such a digest stands for: `[salt, "state", account]`. Undefined when it is not that. */
export function parseAccount({ encoded }: Pick<Disclosure, 'encoded'>): StateAccount | undefined {
  // The digest is in the record, so that this is what the gate wrote.
  const parsed: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'))
  const account: unknown = Array.isArray(parsed) ? parsed[2] : undefined
  return isAccount(account) ? account : undefined
}

/** When nothing of an account counts any more, milliseconds since the epoch; 0 when nothing ever did. */
export function accountEndsMs({ charged, added }: StateAccount): number {
  const ends = [...charged.map((one) => one.expires_ms), ...added.map((one) => one.until_ms)]
  return Math.max(0, ...ends)
}

function isAccount(value: unknown): value is StateAccount {
  return typeof value === 'object' && value !== null && 'charged' in value && 'added' in value
}
