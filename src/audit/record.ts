/** The kinds of record this version writes; a reader accepts no other (AUDIT.md "Record types"). */
export type RecordType =
  | 'log.open'
  | 'proc.start'
  | 'proc.stop'
  | 'policy.load'
  | 'config.change'
  | 'tool.def'
  | 'decision'
  | 'refusal'
  | 'outcome'
  | 'approval.request'
  | 'approval.grant'
  | 'approval.deny'
  | 'approval.revoke'
  | 'approval.use'
  | 'approval.expire'
  | 'grant.create'
  | 'grant.revoke'
  | 'grant.use'
  | 'grant.expire'
  | 'audit.gap'
  | 'key.add'
  | 'key.rotate'
  | 'anchor'
  | 'redact'
  | 'heartbeat'
  | 'state.rebuild'
  | 'log.recover'
  | 'log.archive'
  | 'state.carry'

/**
 * What may stand in a record: I-JSON with integers only, |n| <= 2^53-1, no lone surrogates.
 */
export type RecordValue =
  | null
  | boolean
  | number
  | string
  | readonly RecordValue[]
  | { readonly [name: string]: RecordValue }

/** What a record says; its members depend on its type. */
export type RecordData = { readonly [name: string]: RecordValue }

/** A record before it has its place in the log. */
export interface RecordDraft {
  readonly type: RecordType
  readonly data: RecordData
}

/** Where a record stands and who wrote it. */
export interface RecordPlace {
  /** The log's origin, `capfence.local/<ULID>`. */
  readonly log: string
  /** Position, 0-based; also the leaf's index in the tree. */
  readonly seq: number
  /** Hex leaf hash of the record before; 64 zeros at 0. */
  readonly prev: string
  /** RFC 3339, UTC, milliseconds; informative only. */
  readonly ts: string
  /** The writer: random per process start, 26 characters (ULID). */
  readonly w: string
  /** That writer's own counter, from 0; a hole is a lost record. */
  readonly wn: number
}

/** A record as it stands in the database, not yet looked at. */
export interface StoredRow {
  readonly seq: number
  /** 32 bytes: SHA-256(0x00 || body). */
  readonly leaf: Uint8Array
  readonly body: Uint8Array
}

/** A record as stored. */
export interface StoredRecord extends RecordPlace {
  readonly type: RecordType
  readonly data: RecordData
  /** The stored bytes: UTF-8 of RFC 8785 JSON. What is hashed, verbatim. */
  readonly body: Uint8Array
  /** Hex of SHA-256(0x00 || body). */
  readonly leaf: string
}

/** A value that stands beside the log, not in it; erasing it leaves every proof valid (RFC 9901). */
export interface Disclosure {
  /** base64url of SHA-256 over the ASCII of `encoded`; what the record's `_sd` lists. */
  readonly digest: string
  /** base64url of the UTF-8 JSON array `[salt, name, value]`. */
  readonly encoded: string
}
