import type { SigningKey } from '../crypto/ed25519.ts'
import { CapFenceError } from '../errors.ts'
import { presences, type Presence } from '../policy/rule.ts'
import {
  keyId,
  member,
  parsed,
  parseEnvelope,
  printEnvelope,
  signEnvelope,
  textMember,
  type Envelope,
} from './envelope.ts'

/** What a person says to a request; `revoke` takes back what was approved. */
export type AnswerVerdict = 'approve' | 'deny' | 'revoke'

/** All of them. */
const answerVerdicts: readonly AnswerVerdict[] = ['approve', 'deny', 'revoke']

/** What is signed: exactly these fields, so that an answer can be used for nothing else. */
export interface Answer {
  /** The request's id. */
  readonly approval: string
  /** `bindingDigest` of the call that was shown. */
  readonly binding: string
  /** Until when it holds, milliseconds since the epoch. */
  readonly expiresAtMs: number
  /** `keyId` of the key that signs. */
  readonly key: string
  /** The origin of the log that asked. */
  readonly log: string
  /** The request's. */
  readonly nonce: string
  /** How the person was present: what the key that signs stands for. */
  readonly presence: Presence
  /** Set where it holds for one session only. */
  readonly session: string | null
  /** How many calls it covers; 0 for one that covers none. */
  readonly uses: number
  readonly verdict: AnswerVerdict
}

/** An answer whose signature has not been looked at yet. */
export interface OpenedAnswer {
  readonly answer: Answer
  readonly envelope: Envelope
}

const answerType = 'application/vnd.capfence.approval-answer+json'

/** The text of an answer, signed; `key` is filled in. */
export function signAnswer(answer: Omit<Answer, 'key'>, key: SigningKey): string {
  return signEnvelope(answerType, canonicalAnswer({ ...answer, key: keyId(key.publicKey) }), key)
}

/** An answer that is still to be signed, by something that is not in this process. */
export interface UnsignedAnswer {
  readonly payloadType: string
  /** UTF-8 of the RFC 8785 form. */
  readonly payload: Uint8Array
}

/** What has to be signed for an answer; what is signed is the pre-authentication encoding of it (`signedBytes`). */
export function unsignedAnswer(answer: Answer): UnsignedAnswer {
  return { payloadType: answerType, payload: Buffer.from(canonicalAnswer(answer), 'utf8') }
}

/**
 * The text of an answer of which the signature came back; whether it is one, `openAnswer` and `verifyAnswer` say.
 *
 * @param payload of `unsignedAnswer`
 * @param keyid `keyId` of the key that is said to have signed
 */
export function answerWith(payload: Uint8Array, keyid: string, sig: Uint8Array): string {
  return printEnvelope({ payloadType: answerType, payload, signatures: [{ keyid, sig }] })
}

/**
 * Reads the text of an answer, and accepts only what `signAnswer` writes.
 *
 * @throws CapFenceError `SIGNATURE_INVALID` for anything else
 */
export function openAnswer(text: string): OpenedAnswer {
  const envelope = parseEnvelope(text)
  const json = Buffer.from(envelope.payload).toString('utf8')
  const answer = read(parsed(json))
  if (
    answer === undefined ||
    envelope.payloadType !== answerType ||
    envelope.signatures.length !== 1 ||
    canonicalAnswer(answer) !== json
  ) {
    throw new CapFenceError('SIGNATURE_INVALID', 'not an answer to a request for approval')
  }
  return { answer, envelope }
}

/** The RFC 8785 form: members in the order of their names, texts, whole numbers and null as ECMAScript writes them. */
function canonicalAnswer(answer: Answer): string {
  return JSON.stringify({
    approval: answer.approval,
    binding: answer.binding,
    expires_ms: answer.expiresAtMs,
    key: answer.key,
    log: answer.log,
    nonce: answer.nonce,
    presence: answer.presence,
    session: answer.session,
    uses: answer.uses,
    verdict: answer.verdict,
  })
}

function read(value: unknown): Answer | undefined {
  const expiresAtMs = member(value, 'expires_ms')
  const uses = member(value, 'uses')
  const session = member(value, 'session')
  const presence = presences.find((one) => one === textMember(value, 'presence'))
  const verdict = answerVerdicts.find((one) => one === textMember(value, 'verdict'))
  if (!isCount(expiresAtMs) || !isCount(uses) || presence === undefined || verdict === undefined) {
    return undefined
  }
  return {
    approval: textMember(value, 'approval'),
    binding: textMember(value, 'binding'),
    expiresAtMs,
    key: textMember(value, 'key'),
    log: textMember(value, 'log'),
    nonce: textMember(value, 'nonce'),
    presence,
    session: typeof session === 'string' ? session : null,
    uses,
    verdict,
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
