import type { SigningKey, VerifyingKey } from '../crypto/ed25519.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import { limits } from '../limits.ts'
import type { Entry, EntryChange, PasskeyEntry, ReadEntry } from './approver-entry.ts'
import { invalidList, printEntry, readEntry } from './approver-entry.ts'
import { isSignedBy, keyId, member, parsed, parseEnvelope, signEnvelope } from './envelope.ts'
import { textMember, type Envelope } from './envelope.ts'
import type { Passkey } from './passkey.ts'

/** Somebody whose signature counts. */
export interface Approver {
  /** Letters, digits, `.`, `_` and `-`; no two approvers ever had the same. */
  readonly name: string
  readonly key: VerifyingKey
  /** `keyId` of it. */
  readonly keyId: string
  /** Whatever else they sign with; one approver counts once, however many there are. */
  readonly passkeys: readonly Passkey[]
}

/** The approvers of an installation, and how they came to be. */
export interface ApproverList {
  /** Those who are on it now. */
  readonly approvers: readonly Approver[]
  /** Every change from the first on, as signed envelopes. */
  readonly entries: readonly string[]
  /** Every name and `keyId` that was ever on it, those of passkeys too. */
  readonly known: ReadonlySet<string>
}

const format = 'capfence-approvers-v1'

/** A list before anybody is on it. */
export const noApprovers: ApproverList = {
  approvers: [],
  entries: [],
  known: new Set(),
}

/**
 * Reads an approver list and checks every signature in it: each change is signed by somebody who was on the list then.
 *
 * That the first approver is the right one cannot be seen from the file; the fingerprint in the configuration says so.
 *
 * @throws CapFenceError `SIGNATURE_INVALID` when anything is wrong with it: then nobody is an approver
 */
export function parseApproverList(text: string): ApproverList {
  const value = parsed(text)
  const entries = member(value, 'entries')
  if (textMember(value, 'format') !== format || !Array.isArray(entries)) {
    throw invalidList(`it must be \`{"format": "${format}", "entries": […]}\``)
  }
  if (entries.length > limits.maxApproverEntries) {
    throw invalidList(`more than ${limits.maxApproverEntries} entries`)
  }
  const texts = entries.map((entry: unknown) => (typeof entry === 'string' ? entry : ''))
  const read = texts.reduce((list, entry) => withEntry(list, entry), noApprovers)
  if (printApproverList(read) !== text) throw invalidList('it is not spelled as it was written')
  return read
}

/** The text of a list, for its file. */
export function printApproverList({ entries }: ApproverList): string {
  return `${JSON.stringify({ format, entries }, undefined, 2)}\n`
}

/** What the configuration pins: hex SHA-256 of the list's file. */
export function approverListFingerprint(text: string): string {
  return sha256Hex(text)
}

/** Who is meant by a change of the list, and who makes it. */
export interface ListChange {
  readonly change: EntryChange
  readonly name: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** An approver's key; the first approver's own. */
  readonly signer: SigningKey
}

/**
 * The list after a change.
 *
 * @throws CapFenceError `SIGNATURE_INVALID` when the change is not one that the list would be read with
 */
export function changeApproverList(list: ApproverList, wanted: ListChange): ApproverList {
  const { change, name, publicKey, signer } = wanted
  return withSigned(list, { kind: 'approver', change, name, key: base64(publicKey) }, signer)
}

/** Which passkey is meant by a change of the list, whose it is, and who makes the change. */
export interface PasskeyChange {
  readonly change: EntryChange
  /** The approver's. */
  readonly name: string
  readonly passkey: Pick<Passkey, 'credential' | 'origin'>
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array
  /** To add one, the approver's own key: whoever could add one for another could approve in two names. */
  readonly signer: SigningKey
}

/**
 * The list after an approver got or lost a passkey.
 *
 * @throws CapFenceError `SIGNATURE_INVALID` when the change is not one that the list would be read with
 */
export function changePasskeys(list: ApproverList, wanted: PasskeyChange): ApproverList {
  const { change, name, passkey, publicKey, signer } = wanted
  const { credential, origin } = passkey
  const key = base64(publicKey)
  return withSigned(list, { kind: 'passkey', change, name, key, credential, origin }, signer)
}

function withSigned(
  list: ApproverList,
  facts: Omit<Entry, 'by' | 'previous'> | Omit<PasskeyEntry, 'by' | 'previous'>,
  signer: SigningKey,
): ApproverList {
  const by = keyId(signer.publicKey)
  const { payloadType, payload } = printEntry({ ...facts, by, previous: digestOfLast(list) })
  return withEntry(list, signEnvelope(payloadType, payload, signer))
}

function withEntry(list: ApproverList, text: string): ApproverList {
  const envelope = parseEnvelope(text)
  const read = readEntry(envelope)
  if (read.entry.previous !== digestOfLast(list)) {
    throw invalidList('an entry does not follow the one before')
  }
  const { approvers, known } =
    'passkey' in read ? withPasskey(list, envelope, read) : withApprover(list, envelope, read)
  return { approvers, entries: [...list.entries, text], known: new Set([...list.known, ...known]) }
}

/** Who is on the list then, and what has been on it from now on. */
interface Changed {
  readonly approvers: readonly Approver[]
  readonly known: readonly string[]
}

function withApprover(
  list: ApproverList,
  envelope: Envelope,
  { entry, key }: Extract<ReadEntry, { readonly key: VerifyingKey }>,
): Changed {
  const subject = { name: entry.name, key, keyId: keyId(key.publicKey), passkeys: [] }
  const signer =
    list.entries.length === 0 ? subject : list.approvers.find((one) => one.keyId === entry.by)
  requireSigned(envelope, entry, signer)
  const approvers = entry.change === 'add' ? added(list, subject) : removed(list, subject)
  return { approvers, known: [subject.name, subject.keyId] }
}

function added(list: ApproverList, subject: Approver): readonly Approver[] {
  // A key that was removed may be in other hands: it never comes back, and neither does its name.
  if (list.known.has(subject.name) || list.known.has(subject.keyId)) {
    throw invalidList(`\`${subject.name}\` or its key was on the list before`)
  }
  return [...list.approvers, subject]
}

function removed(list: ApproverList, subject: Approver): readonly Approver[] {
  const rest = list.approvers.filter(({ name }) => name !== subject.name)
  const found = list.approvers.find(({ name }) => name === subject.name)
  if (found?.keyId !== subject.keyId) throw invalidList(`\`${subject.name}\` is not on the list`)
  if (rest.length === 0) throw invalidList('the last approver cannot be taken off it')
  return rest
}

/** A passkey is given by its approver alone; any approver may take it away, whose device was lost. */
function withPasskey(
  list: ApproverList,
  envelope: Envelope,
  { entry, passkey }: Extract<ReadEntry, { readonly passkey: Passkey }>,
): Changed {
  const owner = list.approvers.find(({ name }) => name === entry.name)
  if (owner === undefined) throw invalidList(`\`${entry.name}\` is not on the list`)
  const signers = entry.change === 'add' ? [owner] : list.approvers
  const signer = signers.find((one) => one.keyId === entry.by)
  requireSigned(envelope, entry, signer)
  const passkeys =
    entry.change === 'add' ? passkeysWith(list, owner, passkey) : passkeysWithout(owner, passkey)
  const approvers = list.approvers.map((one) => (one === owner ? { ...owner, passkeys } : one))
  return { approvers, known: [passkey.keyId] }
}

function passkeysWith(list: ApproverList, owner: Approver, passkey: Passkey): readonly Passkey[] {
  if (list.known.has(passkey.keyId)) {
    throw invalidList(`a passkey of \`${owner.name}\` was on it before`)
  }
  return [...owner.passkeys, passkey]
}

function passkeysWithout({ name, passkeys }: Approver, gone: Passkey): readonly Passkey[] {
  const rest = passkeys.filter(({ keyId: id }) => id !== gone.keyId)
  if (rest.length === passkeys.length) throw invalidList(`\`${name}\` has no such passkey`)
  return rest
}

function requireSigned(
  envelope: Envelope,
  { by, name }: Pick<Entry, 'by' | 'name'>,
  signer: Pick<Approver, 'key' | 'keyId'> | undefined,
): void {
  if (signer?.keyId === by && isSignedBy(envelope, signer.key)) return
  throw invalidList(`nobody who may has signed the entry of \`${name}\``)
}

function digestOfLast({ entries }: ApproverList): string | null {
  const last = entries.at(-1)
  return last === undefined ? null : sha256Hex(last)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
