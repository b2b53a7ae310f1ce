import { sha256Bytes } from '../crypto/sha256.ts'
import { verifyingKey, type SigningKey, type VerifyingKey } from '../crypto/ed25519.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'

/** A public key with its name, as C2SP signed-note writes it: `name+hex(id)+base64(01 || key)`. */
export interface VerifierKey {
  /** Without blanks and plus signs. */
  readonly name: string
  /** 8 lower-case hex digits: the first four bytes of SHA-256(name || LF || 01 || key). */
  readonly id: string
  readonly key: VerifyingKey
}

/** A private key under its name. */
export interface NoteSigner {
  readonly name: string
  readonly id: string
  readonly key: SigningKey
}

/** One signature line of a note; whose it is says only a verification. */
export interface NoteSignature {
  readonly name: string
  readonly id: string
  readonly signature: Uint8Array
}

/** A signed note (c2sp.org/signed-note), not yet verified. */
export interface Note {
  /** What is signed, with the newline at its end. */
  readonly text: string
  /** As they stand, at least one. */
  readonly signatures: readonly NoteSignature[]
}

/** What stands before a public key in its text and in what its id is made of: 1 signs notes, 4 cosigns checkpoints. */
export type KeyType = 1 | 4

const ed25519Type = 1
const idBytes = 4
const dash = '\u2014'

/** The key under a name, to sign with. */
export function noteSigner(name: string, key: SigningKey): NoteSigner {
  return { name: checkedName(name), id: keyId(name, ed25519Type, key.publicKey), key }
}

/**
 * The key under a name, to verify with.
 *
 * @internal Exported for tests only.
 */
export function verifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  return {
    name: checkedName(name),
    id: keyId(name, ed25519Type, publicKey),
    key: verifyingKey(publicKey),
  }
}

/** The public half of a signer. */
export function verifierOf({ name, key }: NoteSigner): VerifierKey {
  return verifierKey(name, key.publicKey)
}

/** A key as text, for people and for other verifiers. */
export function printVerifierKey({ name, id, key }: VerifierKey): string {
  return printKey({ name, id, type: ed25519Type, publicKey: key.publicKey })
}

/**
 * Reads a key's text, and accepts only what `printVerifierKey` writes.
 *
 * @throws CapFenceError `NOTE_INVALID` for anything else: another algorithm, an id that is not this key's
 */
export function parseVerifierKey(text: string): VerifierKey {
  const { name, publicKey } = parseKey(text, ed25519Type)
  return verifierKey(name, publicKey)
}

/** A public key as it stands in text (signed-note, "Verifier keys"). */
export interface PublicKey {
  readonly name: string
  readonly id: string
  readonly type: KeyType
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

/** `name+hex(id)+base64(type || key)`. */
export function printKey({ name, id, type, publicKey }: PublicKey): string {
  return `${name}+${id}+${Buffer.from([type, ...publicKey]).toString('base64')}`
}

/**
 * Reads what `printKey` writes of a key of this type, and nothing else.
 *
 * @throws CapFenceError `NOTE_INVALID` for another type, or an id that is not this key's
 */
export function parseKey(text: string, type: KeyType): PublicKey {
  // The base64 part may hold a plus sign too: the name and the id cannot.
  const [, name, id, base64] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text) ?? []
  if (name === undefined || base64 === undefined) {
    throw invalid('a key is written `name+8 hex digits+44 characters of base64`')
  }
  const bytes = Buffer.from(base64, 'base64')
  const publicKey = new Uint8Array(bytes.subarray(1))
  if (bytes.length !== 33 || bytes[0] !== type) throw invalid(`not a key of ${kindOf[type]}`)
  const right = keyId(checkedName(name), type, publicKey)
  if (right !== id) throw invalid(`the key of \`${name}\` has the id ${right}, not ${id}`)
  return { name, id, type, publicKey }
}

const kindOf = { 1: 'type 1, an Ed25519 key', 4: 'type 4, a witness' } as const

/** 8 lower-case hex digits that tell keys of one name apart. */
export function keyId(name: string, type: KeyType, publicKey: Uint8Array): string {
  const hashed = sha256Bytes(
    Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.from([type]), publicKey]),
  )
  return hashed.subarray(0, idBytes).toString('hex')
}

/** A note over a text, which ends in a newline, signed by each signer in this order. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  requireText(text)
  const message = Buffer.from(text, 'utf8')
  return `${text}\n${signers.map((signer) => signatureLine(signer, message)).join('')}`
}

/**
 * Takes a note apart, without asking whose signatures they are.
 *
 * @throws CapFenceError `NOTE_INVALID` when it is not spelled as c2sp.org/signed-note has it, or passes
 *   `maxNoteBytes` or `maxNoteSignatures`
 */
export function parseNote(note: string): Note {
  if (Buffer.byteLength(note, 'utf8') > limits.maxNoteBytes) {
    throw invalid(`longer than ${limits.maxNoteBytes} bytes`)
  }
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) throw invalid('text and signatures are not apart')
  const text = note.slice(0, end + 1)
  requireText(text)
  return { text, signatures: parseSignatures(note.slice(end + 2)) }
}

/**
 * Reads signature lines, at least one, each with its newline.
 *
 * @throws CapFenceError `NOTE_INVALID` when one is none, or there are more than `maxNoteSignatures`
 */
export function parseSignatures(text: string): readonly NoteSignature[] {
  const lines = text.split('\n')
  if (lines.pop() !== '' || lines.length === 0) throw invalid('no signature line, or not its end')
  if (lines.length > limits.maxNoteSignatures) {
    throw invalid(`more than ${limits.maxNoteSignatures} signatures`)
  }
  return lines.map(parseSignature)
}

/** Whether one of the note's signatures is this key's; one that claims to be and is not makes it false. */
export function isSignedBy({ text, signatures }: Note, { name, id, key }: VerifierKey): boolean {
  const claimed = signatures.filter((one) => one.name === name && one.id === id)
  const message = Buffer.from(text, 'utf8')
  return claimed.length > 0 && claimed.every(({ signature }) => key.verify(message, signature))
}

/** One signature as a line, its newline included. */
export function printSignature({ name, id, signature }: NoteSignature): string {
  const bytes = Buffer.concat([Buffer.from(id, 'hex'), signature])
  return `${dash} ${name} ${bytes.toString('base64')}\n`
}

function signatureLine({ name, id, key }: NoteSigner, message: Uint8Array): string {
  return printSignature({ name, id, signature: key.sign(message) })
}

function parseSignature(line: string): NoteSignature {
  const [, name, base64] = /^\u2014 ([^ ]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? []
  if (name === undefined || base64 === undefined) throw invalid('a line that is no signature')
  const bytes = Buffer.from(base64, 'base64')
  if (bytes.toString('base64') !== base64 || bytes.length <= idBytes) {
    throw invalid('a signature that is not written in base64')
  }
  const id = bytes.subarray(0, idBytes).toString('hex')
  return { name: checkedName(name), id, signature: new Uint8Array(bytes.subarray(idBytes)) }
}

/**
 * A name for a key: white space of any kind and plus signs would end it where it is read.
 *
 * @throws CapFenceError `NOTE_INVALID` for a name with one, or an empty one
 */
export function checkedName(name: string): string {
  if (name === '' || /[\s+\p{Cc}\p{Cs}]/u.test(name)) {
    throw invalid('a key name without blanks, plus signs and control characters')
  }
  return name
}

/** Control characters other than the newline would let a text look like another (signed-note, "Format"). */
function requireText(text: string): void {
  if (!text.endsWith('\n') || /[^\P{Cc}\n]|\p{Cs}/u.test(text)) {
    throw invalid('a text of lines without control characters')
  }
}

function invalid(what: string): CapFenceError {
  return new CapFenceError('NOTE_INVALID', `not a signed note: ${what}`)
}
