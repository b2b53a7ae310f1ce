import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { presences, type Presence } from '../policy/rule.ts'
import type { PolicyState } from '../policy/state.ts'
import { isAtLeast, signerOf, type Authority, type Signer } from './authority.ts'
import { isSignedBy, type Envelope } from './envelope.ts'
import { longestGrantMs, openGrant, openRevocation, type Grant } from './grant.ts'
import { compileGrant, grantFits, type GrantedCall, type GrantRule } from './grant-rule.ts'
import type { ApprovalTerms } from './request.ts'

/** A grant as the log knows it. */
export interface RecordedGrant {
  readonly id: string
  /** The origin of the log. */
  readonly log: string
  /** Whether the record that its row names holds exactly this grant; without one it is somebody else's invention. */
  readonly isRecorded: boolean
  readonly createdSeq: number
  /** When it was recorded, milliseconds since the epoch. */
  readonly createdAtMs: number
  /** As its record says it; what is signed says it too. */
  readonly expiresAtMs: number
  /** How many calls have used it. */
  readonly useCount: number
  /** Whether it was taken back, or its time was found up; undefined while neither has happened. */
  readonly ended: 'revoked' | 'expired' | undefined
  /** The signed grant, as text. */
  readonly envelope: string
  /** The latest time that a record bears since a grant was last recorded. */
  readonly latestMs: number
}

/** A grant and what it says of calls, made ready once. */
export interface ReadyGrant {
  readonly grant: Grant
  readonly rule: GrantRule
  readonly envelope: Envelope
}

/** That a call may pass because of a grant, and who gave it. */
export interface CoveredCall {
  readonly grant: Grant
  /** By name, none twice. */
  readonly issuers: readonly string[]
  /** The record of the grant. */
  readonly createdSeq: number
  /** How many calls it covers after this one. */
  readonly usesLeft: number
}

/**
 * Reads a grant and compiles what it says.
 *
 * @throws CapFenceError `GRANT_INVALID` or `SIGNATURE_INVALID`
 */
export function readyGrant(text: string): ReadyGrant {
  const { grant, envelope } = openGrant(text)
  return { grant, envelope, rule: compileGrant(grant) }
}

/** Whose signatures a grant has, and how present the least present of them was. */
export interface GrantSigners {
  readonly issuers: readonly string[]
  readonly presence: Presence
}

/**
 * Verifies a grant: that everybody whom it names has signed it once, nobody else has, and all of them count now.
 *
 * @returns why not, when it does not count
 */
export function verifyGrant(
  { grant, envelope }: Pick<ReadyGrant, 'grant' | 'envelope'>,
  authority: Authority,
): GrantSigners | string {
  const signed = envelope.signatures.map(({ keyid }) => keyid)
  if (signed.join() !== grant.issuers.join()) {
    return 'its signatures are not those of its issuers, each once'
  }
  const signers: Signer[] = []
  for (const id of grant.issuers) {
    const signer = signerOf(id, authority)
    if (signer === undefined) return 'somebody has signed it who may not approve'
    if (!isSignedBy(envelope, signer.key)) return 'a signature of it is wrong'
    signers.push(signer)
  }
  const issuers = signers.map(({ name }) => name).toSorted()
  if (new Set(issuers).size < issuers.length) return 'one approver has signed it with several keys'
  const presence = presences.find((level) => signers.some((one) => one.presence === level)) ?? 'any'
  return { issuers, presence }
}

/** Everything on which it depends whether a grant covers a call. */
export interface Covering {
  readonly call: GrantedCall
  readonly nowMs: number
  /** What the policy asks of an approval of this call, now. */
  readonly terms: ApprovalTerms
  readonly authority: Authority
  /** What matchers may ask of the disk; undefined where paths are compared as they are written. */
  readonly state?: PolicyState | undefined
}

/**
 * Whether a grant lets a call pass that needs a person: everything that was checked when it was recorded is checked again.
 *
 * @param ready of the grant's own text
 * @returns undefined when it does not
 */
export function covers(
  recorded: RecordedGrant,
  ready: ReadyGrant,
  { call, nowMs, terms, authority, state }: Covering,
): CoveredCall | undefined {
  const { grant, rule } = ready
  const usesLeft = grant.uses - recorded.useCount - 1
  const isInForce = grantComplaint(recorded, grant, nowMs) === undefined && usesLeft >= 0
  if (!isInForce || !grantFits(grant, rule, call, state)) return undefined
  // A rule that lets one answer cover so many calls lets no grant cover more.
  if (terms.uses !== null && grant.uses > terms.uses) return undefined
  const signers = verifyGrant(ready, authority)
  if (typeof signers === 'string') return undefined
  const { issuers, presence } = signers
  if (!isAtLeast(presence, terms.presence) || issuers.length < terms.quorum) return undefined
  return { grant, issuers, createdSeq: recorded.createdSeq, usesLeft }
}

/**
 * Why a grant is not in force, whatever the call.
 *
 * A clock that was set back brings none back to life, and one that was set forward begins none early.
 */
export function grantComplaint(
  recorded: RecordedGrant,
  grant: Grant,
  nowMs: number,
): string | undefined {
  const { createdAtMs, latestMs } = recorded
  if (!recorded.isRecorded || grant.id !== recorded.id) return 'the log holds no grant like it'
  if (grant.log !== recorded.log) return 'it is a grant of another log'
  if (recorded.ended !== undefined) return `it was ${recorded.ended}`
  if (Math.max(nowMs, latestMs) >= grant.expiresAtMs) return 'its time is up'
  if (nowMs < createdAtMs || nowMs < grant.notBeforeMs) return 'its time has not begun'
  if (grant.expiresAtMs > createdAtMs + longestGrantMs(grant.breakGlass)) return 'it holds too long'
  return recorded.useCount >= grant.uses ? 'its uses are spent' : undefined
}

/** What the log says where a grant is to be recorded. */
export interface GrantPlace {
  /** The origin of the log. */
  readonly log: string
  readonly nowMs: number
  /** The grant of this id that the log has already, whatever became of it. */
  readonly known: RecordedGrant | undefined
  /** How many grants are in force. */
  readonly activeCount: number
}

/** A grant that may be recorded, and who gave it. */
export interface AcceptedGrant extends GrantSigners {
  readonly grant: Grant
  readonly envelope: string
}

/**
 * Whether a grant may be recorded now.
 *
 * @returns why not, for people, when it may not
 */
export function acceptGrant(
  text: string,
  { log, nowMs, known, activeCount }: GrantPlace,
  authority: Authority,
): AcceptedGrant | string {
  const ready = attempted(() => readyGrant(text))
  if (typeof ready === 'string') return ready
  const { grant } = ready
  if (grant.log !== log) return 'it is a grant of another log'
  if (known !== undefined) return 'the log has it already: a grant is recorded once'
  const signers = verifyGrant(ready, authority)
  if (typeof signers === 'string') return signers
  if (grant.issuedAtMs > nowMs) return 'it was issued in the future: a clock is wrong'
  if (grant.expiresAtMs <= nowMs) return 'its time is up'
  if (activeCount >= limits.maxActiveGrants) {
    return `${limits.maxActiveGrants} grants are in force already; revoke some`
  }
  return { ...signers, grant, envelope: text }
}

/** A revocation that may be recorded, and who gave it. */
export interface AcceptedRevocation {
  readonly by: string
  readonly reason: string
}

/**
 * Whether a grant may be taken back with this.
 *
 * Presence `any` is enough: it takes authority away and gives none.
 *
 * @returns why not, for people, when it may not
 */
export function acceptRevocation(
  text: string,
  recorded: RecordedGrant,
  authority: Authority,
): AcceptedRevocation | string {
  const opened = attempted(() => ({ ...openRevocation(text), ...grantOf(recorded) }))
  if (typeof opened === 'string') return opened
  const { revocation, envelope, grant } = opened
  const signer = signerOf(revocation.key, authority)
  if (signer === undefined) return 'nobody who may approve has the key that signed it'
  if (!isSignedBy(envelope, signer.key)) return 'its signature is wrong'
  const { id, log } = recorded
  const isSame =
    revocation.grant === id && revocation.log === log && revocation.nonce === grant.nonce
  if (!isSame) return 'it takes back another grant'
  if (revocation.reason.length > limits.maxGrantReasonCharacters) return 'its reason is too long'
  if (recorded.ended !== undefined) return `it was ${recorded.ended} already`
  return { by: signer.name, reason: revocation.reason }
}

function grantOf({ envelope }: RecordedGrant): { readonly grant: Grant } {
  return { grant: openGrant(envelope).grant }
}

/** What it makes, or why it cannot be made. */
function attempted<T extends object>(make: () => T): T | string {
  try {
    return make()
  } catch (error) {
    if (error instanceof CapFenceError) return error.message
    throw error
  }
}
