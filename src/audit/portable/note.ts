import { hashes, verify } from '@noble/ed25519'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { areSame, fromBase64, hexOf, joined, utf8 } from './bytes.ts'
import { insist } from './refused.ts'

hashes.sha512 = sha512

/** A public key and its name (c2sp.org/signed-note). */
export interface NoteKey {
  readonly name: string
  /** Four bytes. */
  readonly id: Uint8Array
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** `name+id+base64`. */
  readonly text: string
}

/** The two keys of a log that a reader knows beforehand. */
export interface Pin {
  /** The name of the log and of its stable key. */
  readonly origin: string
  readonly stable: NoteKey
  /** The key of the first epoch. */
  readonly genesis: NoteKey
}

/** A checkpoint and the note that it stands in. */
export interface SignedHead {
  readonly origin: string
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

interface NoteSignature {
  readonly name: string
  readonly id: Uint8Array
  readonly signature: Uint8Array
}

const maxNoteCharacters = 65_536
const maxSignatures = 100

/**
 * Reads the two lines of a pin.
 *
 * @throws Refused when they are not the stable key of a log and the key of its first epoch
 */
export function readPin(text: string): Pin {
  const lines = text.replace(/\n$/, '').split('\n')
  insist(lines.length === 2, 'a pin has two lines')
  const [stable, genesis] = lines.map(readKey)
  insist(stable !== undefined && genesis !== undefined, 'a pin has two keys')
  insist(genesis.name === nameOfEpoch(stable.name, 1), 'the second key is not of the first epoch')
  return { origin: stable.name, stable, genesis }
}

/** What the key of an epoch is called. */
export function nameOfEpoch(origin: string, epoch: number): string {
  return `${origin}/epoch-${epoch}`
}

/**
 * Reads a key in the form `name+id+base64`.
 *
 * @throws Refused when the text is no Ed25519 key
 */
export function readKey(text: string): NoteKey {
  const [name, id, ...rest] = text.split('+')
  insist(name !== undefined && id !== undefined && isName(name), 'a key has a name and an id')
  // The last part is base64, which may hold plus signs too.
  const bytes = fromBase64(rest.join('+'))
  insist(bytes.length === 33 && bytes[0] === 1, 'not an Ed25519 key')
  const expected = sha256(joined(utf8(`${name}\n`), bytes)).slice(0, 4)
  insist(hexOf(expected) === id, 'the id is not that of the key')
  return { name, id: expected, publicKey: bytes.slice(1), text }
}

/**
 * Reads a signed checkpoint; whose signatures it has, `isSigned` says.
 *
 * @throws Refused when it is not written as c2sp.org/signed-note and tlog-checkpoint have it, without extension lines
 */
export function readHead(note: string): SignedHead {
  insist(note.length <= maxNoteCharacters, 'the note is too long')
  const [text = '', lines = '', ...rest] = note.split('\n\n')
  insist(rest.length === 0 && lines.endsWith('\n'), 'text and signatures are not apart')
  const [origin = '', size = '', root = '', ...more] = text.split('\n')
  insist(more.length === 0, 'a checkpoint has three lines')
  insist(isName(origin), 'a checkpoint begins with the name of its log')
  insist(/^(?:0|[1-9]\d{0,15})$/.test(size) && Number.isSafeInteger(Number(size)), 'no size')
  const bytes = fromBase64(root)
  insist(bytes.length === 32, 'a root has 32 bytes')
  const signatures = lines.slice(0, -1).split('\n')
  insist(signatures.length <= maxSignatures, 'too many signatures')
  return {
    origin,
    size: Number(size),
    root: bytes,
    text: `${text}\n`,
    signatures: signatures.map(readSignature),
  }
}

/** Whether the key signed: it has a signature there, and each one that says it is its own is. */
export function isSigned({ text, signatures }: SignedHead, key: NoteKey): boolean {
  const own = signatures.filter(({ name, id }) => name === key.name && areSame(id, key.id))
  return own.length > 0 && own.every(({ signature }) => isSignature(signature, text, key))
}

function isSignature(signature: Uint8Array, text: string, { publicKey }: NoteKey): boolean {
  // RFC 8032 as it stands: what ZIP 215 accepts besides would not be accepted by others.
  return signature.length === 64 && verify(signature, utf8(text), publicKey, { zip215: false })
}

function readSignature(line: string): NoteSignature {
  const [dash, name, base64, ...rest] = line.split(' ')
  insist(dash === '\u2014' && rest.length === 0, 'a line that is no signature')
  insist(name !== undefined && isName(name) && base64 !== undefined, 'a signature has a name')
  const bytes = fromBase64(base64)
  insist(bytes.length > 4, 'a signature begins with the id of its key')
  return { name, id: bytes.slice(0, 4), signature: bytes.slice(4) }
}

/** No white space, plus sign, control character or half a character. */
function isName(name: string): boolean {
  return /^[^\s+\p{Cc}\p{Cs}]+$/u.test(name)
}
