import type { VerifyingKey } from '../crypto/ed25519.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { presences, type Presence } from '../policy/rule.ts'
import { openAnswer, type Answer } from './answer.ts'
import type { Approver } from './approver-list.ts'
import { bindingDigest } from './call-binding.ts'
import { isSignedBy, keyId } from './envelope.ts'
import type { RecordedAnswer, RecordedApproval } from './recorded.ts'
import type { ApprovalTerms } from './request.ts'

/** Whose signatures count now; read anew for every call, so that whoever is taken off the list approves nothing more. */
export interface Authority {
  readonly approvers: readonly Approver[]
  /**
   * The key beside the database, for answers of presence `any`; undefined while there is none.
   *
   * Every process of the user can read it: it proves that somebody answered, not that it was a person.
   */
  readonly answerKey: VerifyingKey | undefined
}

/** Nobody's signature counts. */
export const noAuthority: Authority = { approvers: [], answerKey: undefined }

/** The call that wants to use an approval. */
export interface ApprovedCall {
  /** `bindingDigest` of it. */
  readonly digest: string
  readonly session: string | null
  readonly nowMs: number
}

/** That a call may pass, and who said so. */
export interface Authorised {
  readonly approval: string
  /** By name, none twice. */
  readonly approvers: readonly string[]
  /** The records of their answers. */
  readonly grants: readonly number[]
  /** How many calls it covers after this one. */
  readonly usesLeft: number
}

/** The name of whoever answers with the key beside the database. */
const anyone = 'anyone'

/** An answer whose signature counts. */
export interface VerifiedAnswer {
  readonly answer: Answer
  readonly approver: string
}

/**
 * Verifies an answer: that somebody who counts now signed it, for this request and no other, being present as it says.
 *
 * @returns why not, when it does not count
 */
export function verifyAnswer(
  text: string,
  { request, log }: Pick<RecordedApproval, 'request' | 'log'>,
  authority: Authority,
): VerifiedAnswer | string {
  let opened
  try {
    opened = openAnswer(text)
  } catch (error) {
    if (error instanceof CapFenceError) return error.message
    throw error
  }
  const { answer, envelope } = opened
  const signer = signerOf(answer.key, authority)
  if (signer === undefined) return 'nobody who may approve has the key that signed it'
  if (!isSignedBy(envelope, signer.key)) return 'its signature is wrong'
  if (signer.presence !== answer.presence)
    return `its key does not stand for \`${answer.presence}\``
  const isSame =
    answer.log === log &&
    answer.approval === request.id &&
    answer.nonce === request.nonce &&
    answer.binding === request.bindingDigest
  return isSame ? { answer, approver: signer.name } : 'it answers another request'
}

/** Somebody whose signature counts, and how present they are with it. */
export interface Signer {
  readonly name: string
  readonly key: VerifyingKey
  readonly presence: Presence
}

/** Whose key it is by its `keyId`, among those that count now. */
export function signerOf(key: string, { approvers, answerKey }: Authority): Signer | undefined {
  const approver = approvers.find((one) => one.keyId === key)
  if (approver !== undefined) return { name: approver.name, key: approver.key, presence: 'key' }
  for (const { name, passkeys } of approvers) {
    const passkey = passkeys.find((one) => one.keyId === key)
    if (passkey !== undefined) return { name, key: passkey.key, presence: 'passkey' }
  }
  if (answerKey === undefined || keyId(answerKey.publicKey) !== key) return undefined
  return { name: anyone, key: answerKey, presence: 'any' }
}

/**
 * Whether an approval lets a call pass, now: everything that was checked when it was given is checked again.
 *
 * @param terms what the policy asks of it now
 */
export function authorise(
  approval: RecordedApproval,
  call: ApprovedCall,
  terms: ApprovalTerms,
  authority: Authority,
): Authorised | undefined {
  if (!asksAbout(approval, call.digest) || isEnded(approval)) return undefined
  const nowMs = soundNow(approval, call.nowMs)
  if (nowMs === undefined) return undefined
  const grants = approval.answers.flatMap((recorded) =>
    usable(recorded, { approval, call: { ...call, nowMs }, terms, authority }),
  )
  const approvers = [...new Set(grants.map(({ approver }) => approver))]
  if (approvers.length < terms.quorum) return undefined
  const uses = Math.min(terms.uses ?? Infinity, ...grants.map(({ answer }) => answer.uses))
  const usesLeft = uses - approval.useCount - 1
  if (usesLeft < 0) return undefined
  return {
    approval: approval.request.id,
    approvers,
    grants: grants.map(({ seq }) => seq),
    usesLeft,
  }
}

/** Whether the log has asked about exactly this call; the digest is made anew of the request's own binding. */
export function asksAbout({ isAsked, request }: RecordedApproval, digest: string): boolean {
  return isAsked && request.bindingDigest === digest && bindingDigest(request.binding) === digest
}

/** Whether somebody said no, took it back, or its time was recorded as up; later answers change nothing about it. */
export function isEnded({ answers, isOver }: RecordedApproval): boolean {
  return isOver || answers.some(({ verdict }) => verdict !== 'approve')
}

/**
 * The time that counts for an approval: never before anything that the log has seen since it was asked for.
 *
 * @returns undefined when the clock was set back, to before the question or an answer: then nobody can say
 */
function soundNow(
  { request, answers, latestMs }: RecordedApproval,
  nowMs: number,
): number | undefined {
  const isBack = nowMs < request.requestedAtMs || answers.some(({ atMs }) => nowMs < atMs)
  return latestMs === undefined || isBack ? undefined : Math.max(nowMs, latestMs)
}

interface Use {
  readonly approval: RecordedApproval
  readonly call: ApprovedCall
  readonly terms: ApprovalTerms
  readonly authority: Authority
}

/** The answer, if it counts towards this use; nothing otherwise. */
function usable(
  { envelope, seq, atMs }: RecordedAnswer,
  { approval, call, terms, authority }: Use,
): readonly (VerifiedAnswer & { readonly seq: number })[] {
  const verified = verifyAnswer(envelope, approval, authority)
  if (typeof verified === 'string') return []
  const { answer } = verified
  const mostUses = terms.uses ?? limits.maxGrantUses
  const counts =
    answer.verdict === 'approve' &&
    call.nowMs < answer.expiresAtMs &&
    answer.expiresAtMs <= atMs + limits.maxGrantMs &&
    answer.uses <= mostUses &&
    (answer.session === null || answer.session === call.session) &&
    isAtLeast(answer.presence, terms.presence)
  return counts ? [{ ...verified, seq }] : []
}

/** Whether being present in one way is as good as in another. */
export function isAtLeast(presence: Presence, asked: Presence): boolean {
  return presences.indexOf(presence) >= presences.indexOf(asked)
}
