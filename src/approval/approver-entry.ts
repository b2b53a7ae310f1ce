import type { VerifyingKey } from '../crypto/ed25519.ts'
import { verifyingKey } from '../crypto/ed25519.ts'
import { CapFenceError } from '../errors.ts'
import { member, parsed, textMember, type Envelope } from './envelope.ts'
import { passkeyOf, type Passkey } from './passkey.ts'

/** What an entry does with its subject. */
export type EntryChange = 'add' | 'remove'

/** What both kinds of entries say. */
interface EntryFacts {
  /** `keyId` of whoever signs; the first approver signs for itself. */
  readonly by: string
  readonly change: EntryChange
  /** base64 of the key's bytes. */
  readonly key: string
  /** The approver's. */
  readonly name: string
  /** Hex SHA-256 of the entry before; null for the first. */
  readonly previous: string | null
}

/** One change of the list, as it is signed. */
export type Entry = EntryFacts & { readonly kind: 'approver' }

/** A passkey that an approver gets or loses, as it is signed. */
export type PasskeyEntry = EntryFacts & {
  readonly kind: 'passkey'
  /** The credential's id, base64url. */
  readonly credential: string
  readonly origin: string
}

/** An entry, and the key that it is about. */
export type ReadEntry =
  | { readonly entry: Entry; readonly key: VerifyingKey }
  | { readonly entry: PasskeyEntry; readonly passkey: Passkey }

const entryType = 'application/vnd.capfence.approver+json'
const passkeyEntryType = 'application/vnd.capfence.approver-passkey+json'
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Whether somebody may be called so. */
export function isApproverName(name: string): boolean {
  return namePattern.test(name)
}

/** An entry as it is signed: its type and its JSON, members in the order of their names. */
export function printEntry(entry: Entry | PasskeyEntry): {
  readonly payloadType: string
  readonly payload: string
} {
  const { by, change, key, name, previous } = entry
  if (entry.kind === 'approver') {
    return { payloadType: entryType, payload: JSON.stringify({ by, change, key, name, previous }) }
  }
  const { credential, origin } = entry
  const payload = JSON.stringify({ by, change, credential, key, name, origin, previous })
  return { payloadType: passkeyEntryType, payload }
}

/**
 * Reads an entry, and accepts only what `printEntry` writes; its signature has not been looked at yet.
 *
 * @throws CapFenceError `SIGNATURE_INVALID` for anything else
 */
export function readEntry({ payloadType, payload }: Envelope): ReadEntry {
  const text = Buffer.from(payload).toString('utf8')
  const value = parsed(text)
  const entry = payloadType === passkeyEntryType ? passkeyEntry(value) : approverEntry(value)
  const printed = printEntry(entry)
  const bytes = Buffer.from(entry.key, 'base64')
  const isSound =
    printed.payloadType === payloadType &&
    printed.payload === text &&
    bytes.toString('base64') === entry.key &&
    isApproverName(entry.name)
  const read = isSound ? withKey(entry, bytes) : undefined
  if (read === undefined) throw invalidList('an entry is none')
  return read
}

/** Why a list is none, as an error. */
export function invalidList(what: string): CapFenceError {
  return new CapFenceError('SIGNATURE_INVALID', `not a list of approvers: ${what}`)
}

function withKey(entry: Entry | PasskeyEntry, bytes: Uint8Array): ReadEntry | undefined {
  if (entry.kind === 'approver') {
    return bytes.length === 32 ? { entry, key: verifyingKey(bytes) } : undefined
  }
  const passkey = passkeyOf({ credential: entry.credential, origin: entry.origin, spki: bytes })
  return passkey === undefined ? undefined : { entry, passkey }
}

function approverEntry(value: unknown): Entry {
  return { kind: 'approver', ...facts(value) }
}

function passkeyEntry(value: unknown): PasskeyEntry {
  return {
    kind: 'passkey',
    ...facts(value),
    credential: textMember(value, 'credential'),
    origin: textMember(value, 'origin'),
  }
}

function facts(value: unknown): EntryFacts {
  const previous = member(value, 'previous')
  return {
    by: textMember(value, 'by'),
    change: textMember(value, 'change') === 'remove' ? 'remove' : 'add',
    key: textMember(value, 'key'),
    name: textMember(value, 'name'),
    previous: typeof previous === 'string' ? previous : null,
  }
}
