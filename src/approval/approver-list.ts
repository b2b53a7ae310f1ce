import { verifyingKey, type SigningKey, type VerifyingKey } from '../crypto/ed25519.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import {
  isSignedBy,
  keyId,
  member,
  parsed,
  parseEnvelope,
  signEnvelope,
  textMember,
  type Envelope,
} from './envelope.ts'

/** Somebody whose signature counts. */
export interface Approver {
  /** Letters, digits, `.`, `_` and `-`; no two approvers ever had the same. */
  readonly name: string
  readonly key: VerifyingKey
  /** `keyId` of it. */
  readonly keyId: string
}

/** The approvers of an installation, and how they came to be. */
export interface ApproverList {
  /** Those who are on it now. */
  readonly approvers: readonly Approver[]
  /** Every change from the first on, as signed envelopes. */
  readonly entries: readonly string[]
  /** Every name and `keyId` that was ever on it. */
  readonly known: ReadonlySet<string>
}

/** One change of the list, as it is signed. */
interface Entry {
  /** `keyId` of whoever signs; the first approver signs for itself. */
  readonly by: string
  readonly change: 'add' | 'remove'
  /** base64 of 32 bytes. */
  readonly key: string
  readonly name: string
  /** Hex SHA-256 of the entry before; null for the first. */
  readonly previous: string | null
}

const format = 'capfence-approvers-v1'
const entryType = 'application/vnd.capfence.approver+json'
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** A list before anybody is on it. */
export const noApprovers: ApproverList = {
  approvers: [],
  entries: [],
  known: new Set(),
}

/** Whether somebody may be called so. */
export function isApproverName(name: string): boolean {
  return namePattern.test(name)
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
    throw invalid(`it must be \`{"format": "${format}", "entries": […]}\``)
  }
  if (entries.length > limits.maxApproverEntries) {
    throw invalid(`more than ${limits.maxApproverEntries} entries`)
  }
  const texts = entries.map((entry: unknown) => (typeof entry === 'string' ? entry : ''))
  const read = texts.reduce((list, entry) => withEntry(list, entry), noApprovers)
  if (printApproverList(read) !== text) throw invalid('it is not spelled as it was written')
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
  readonly change: Entry['change']
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
  const payload = JSON.stringify({
    by: keyId(wanted.signer.publicKey),
    change: wanted.change,
    key: Buffer.from(wanted.publicKey).toString('base64'),
    name: wanted.name,
    previous: digestOfLast(list),
  } satisfies Entry)
  return withEntry(list, signEnvelope(entryType, payload, wanted.signer))
}

function withEntry(list: ApproverList, text: string): ApproverList {
  const envelope = parseEnvelope(text)
  const entry = readEntry(envelope)
  if (entry.previous !== digestOfLast(list))
    throw invalid('an entry does not follow the one before')
  const key = verifyingKey(Buffer.from(entry.key, 'base64'))
  const subject: Approver = { name: entry.name, key, keyId: keyId(key.publicKey) }
  const signer =
    list.entries.length === 0 ? subject : list.approvers.find((one) => one.keyId === entry.by)
  if (signer?.keyId !== entry.by || !isSignedBy(envelope, signer.key)) {
    throw invalid(`no approver of then has signed the entry of \`${entry.name}\``)
  }
  const approvers = entry.change === 'add' ? added(list, subject) : removed(list, subject)
  const known = new Set([...list.known, subject.name, subject.keyId])
  return { approvers, entries: [...list.entries, text], known }
}

function added(list: ApproverList, subject: Approver): readonly Approver[] {
  // A key that was removed may be in other hands: it never comes back, and neither does its name.
  if (list.known.has(subject.name) || list.known.has(subject.keyId)) {
    throw invalid(`\`${subject.name}\` or its key was on the list before`)
  }
  return [...list.approvers, subject]
}

function removed(list: ApproverList, subject: Approver): readonly Approver[] {
  const rest = list.approvers.filter(({ name }) => name !== subject.name)
  const found = list.approvers.find(({ name }) => name === subject.name)
  if (found?.keyId !== subject.keyId) throw invalid(`\`${subject.name}\` is not on the list`)
  if (rest.length === 0) throw invalid('the last approver cannot be taken off it')
  return rest
}

function readEntry({ payloadType, payload }: Envelope): Entry {
  const text = Buffer.from(payload).toString('utf8')
  const value = parsed(text)
  const change = textMember(value, 'change')
  const previous = member(value, 'previous')
  const entry: Entry = {
    by: textMember(value, 'by'),
    change: change === 'remove' ? 'remove' : 'add',
    key: textMember(value, 'key'),
    name: textMember(value, 'name'),
    previous: typeof previous === 'string' ? previous : null,
  }
  const bytes = Buffer.from(entry.key, 'base64')
  const isSound =
    payloadType === entryType &&
    JSON.stringify(entry) === text &&
    bytes.length === 32 &&
    bytes.toString('base64') === entry.key &&
    isApproverName(entry.name)
  if (!isSound) throw invalid('an entry is none')
  return entry
}

function digestOfLast({ entries }: ApproverList): string | null {
  const last = entries.at(-1)
  return last === undefined ? null : sha256Hex(last)
}

function invalid(what: string): CapFenceError {
  return new CapFenceError('SIGNATURE_INVALID', `not a list of approvers: ${what}`)
}
