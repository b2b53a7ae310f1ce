import { canonicalizeExact } from '../json/canonical.ts'
import { Decimal } from '../json/decimal.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts'
import type { SigningKey } from '../crypto/ed25519.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { keyId, parseEnvelope, printEnvelope, signedBytes, type Envelope } from './envelope.ts'

/**
 * What a grant says, exactly as it is signed: which calls that need a person may pass without asking one.
 *
 * It stands in the log for good, constraints and reason included.
 */
export interface Grant {
  /** `grt_` and 26 characters (ULID). */
  readonly id: string
  /** The origin of the one log in which it counts. */
  readonly log: string
  /** Random, 128 bits, hex. */
  readonly nonce: string
  /** `keyId` of everybody who signs, in ascending order; nobody else's signature may stand beside theirs. */
  readonly issuers: readonly string[]
  /** As a policy writes it, `resource.action.scope`; the resource is never left open. */
  readonly capability: string
  /** A pattern with `*`, as in a policy. */
  readonly actor: string
  readonly environment: string
  /** Each of these holds for any where it is null, and exactly otherwise. */
  readonly server: string | null
  readonly tool: string | null
  readonly session: string | null
  /** Hex SHA-256 of the canonical definition of the tool. */
  readonly definitionHash: string | null
  /** Hex SHA-256 of the policy that must govern. */
  readonly policyHash: string | null
  /** What else must be true of the call: conditions of a rule, as a policy writes them. */
  readonly when: JsonObject
  readonly issuedAtMs: number
  readonly notBeforeMs: number
  readonly expiresAtMs: number
  /** How many calls it covers. */
  readonly uses: number
  /** For an emergency: it is marked as that wherever it appears, and has to say why. */
  readonly breakGlass: boolean
  readonly reason: string
}

/** A grant whose signatures have not been looked at yet. */
export interface OpenedGrant {
  readonly grant: Grant
  readonly envelope: Envelope
}

/** What is signed when a grant is taken back. */
export interface GrantRevocation {
  readonly grant: string
  /** `keyId` of the key that signs. */
  readonly key: string
  readonly log: string
  /** The grant's. */
  readonly nonce: string
  readonly reason: string
}

const grantType = 'application/vnd.capfence.grant+json'
const revocationType = 'application/vnd.capfence.grant-revocation+json'

/**
 * The text of a grant with the signatures of these keys; those of other issuers are still missing.
 *
 * @throws CapFenceError `GRANT_INVALID` when the grant is none, or a key is none of its issuers'
 */
export function signGrant(grant: Grant, keys: readonly SigningKey[]): string {
  const payload = Buffer.from(canonicalGrant(grant), 'utf8')
  return withSignatures({ payloadType: grantType, payload, signatures: [] }, grant, keys)
}

/**
 * The same grant with one more signature.
 *
 * @throws CapFenceError `GRANT_INVALID` when the key is none of its issuers', or has signed already
 */
export function addSignature({ grant, envelope }: OpenedGrant, key: SigningKey): string {
  return withSignatures(envelope, grant, [key])
}

function withSignatures(envelope: Envelope, grant: Grant, keys: readonly SigningKey[]): string {
  const message = signedBytes(envelope.payloadType, envelope.payload)
  const added = keys.map((key) => ({ keyid: keyId(key.publicKey), sig: key.sign(message) }))
  const signatures = [...envelope.signatures, ...added].toSorted((one, other) =>
    one.keyid < other.keyid ? -1 : 1,
  )
  const ids = signatures.map(({ keyid }) => keyid)
  if (new Set(ids).size < ids.length) throw invalid('this key has signed it already')
  const foreign = ids.find((id) => !grant.issuers.includes(id))
  if (foreign !== undefined) throw invalid(`the key ${foreign} is none of its issuers'`)
  const text = printEnvelope({ ...envelope, signatures })
  openGrant(text)
  return text
}

/**
 * Reads the text of a grant, and accepts only what `signGrant` and `addSignature` write.
 *
 * @throws CapFenceError `GRANT_INVALID` or `SIGNATURE_INVALID` for anything else
 */
export function openGrant(text: string): OpenedGrant {
  const envelope = parseEnvelope(text)
  if (envelope.payloadType !== grantType) throw invalid('it is another kind of statement')
  const grant = readGrant(scanned(envelope.payload))
  if (canonicalGrant(grant) !== Buffer.from(envelope.payload).toString('utf8')) {
    throw invalid('it is not spelled in the one way that is accepted')
  }
  const fault = faultOf(grant)
  if (fault !== undefined) throw invalid(fault)
  return { grant, envelope }
}

/** The text of a revocation, signed. */
export function signRevocation(said: Omit<GrantRevocation, 'key'>, key: SigningKey): string {
  const revocation = { ...said, key: keyId(key.publicKey) }
  const payload = Buffer.from(canonicalRevocation(revocation), 'utf8')
  const sig = key.sign(signedBytes(revocationType, payload))
  const signatures = [{ keyid: revocation.key, sig }]
  return printEnvelope({ payloadType: revocationType, payload, signatures })
}

/**
 * Reads the text of a revocation, and accepts only what `signRevocation` writes.
 *
 * @throws CapFenceError `GRANT_INVALID` or `SIGNATURE_INVALID` for anything else
 */
export function openRevocation(text: string): {
  readonly revocation: GrantRevocation
  readonly envelope: Envelope
} {
  const envelope = parseEnvelope(text)
  const fields = new Fields(scanned(envelope.payload))
  const revocation = {
    grant: fields.text('grant'),
    key: fields.text('key'),
    log: fields.text('log'),
    nonce: fields.text('nonce'),
    reason: fields.text('reason'),
  }
  const isSound =
    envelope.payloadType === revocationType &&
    envelope.signatures.length === 1 &&
    canonicalRevocation(revocation) === Buffer.from(envelope.payload).toString('utf8')
  if (!isSound) throw invalid('it is no revocation of one')
  return { revocation, envelope }
}

/** The RFC 8785 form, in which numbers of `when` keep every digit. */
function canonicalGrant(grant: Grant): string {
  return canonicalizeExact({
    actor: grant.actor,
    break_glass: grant.breakGlass,
    capability: grant.capability,
    definition_hash: grant.definitionHash,
    environment: grant.environment,
    expires_ms: whole(grant.expiresAtMs),
    id: grant.id,
    issued_ms: whole(grant.issuedAtMs),
    issuers: grant.issuers,
    log: grant.log,
    nonce: grant.nonce,
    not_before_ms: whole(grant.notBeforeMs),
    policy_hash: grant.policyHash,
    reason: grant.reason,
    server: grant.server,
    session: grant.session,
    tool: grant.tool,
    uses: whole(grant.uses),
    when: grant.when,
  })
}

function canonicalRevocation({ grant, key, log, nonce, reason }: GrantRevocation): string {
  return canonicalizeExact({ grant, key, log, nonce, reason })
}

function whole(number: number): Decimal {
  if (!isCount(number)) throw invalid('its times and uses are whole numbers')
  return new Decimal(String(number))
}

function readGrant(value: JsonValue): Grant {
  const fields = new Fields(value)
  return {
    id: fields.text('id'),
    log: fields.text('log'),
    nonce: fields.text('nonce'),
    issuers: fields.texts('issuers'),
    capability: fields.text('capability'),
    actor: fields.text('actor'),
    environment: fields.text('environment'),
    server: fields.optionalText('server'),
    tool: fields.optionalText('tool'),
    session: fields.optionalText('session'),
    definitionHash: fields.optionalText('definition_hash'),
    policyHash: fields.optionalText('policy_hash'),
    when: fields.object('when'),
    issuedAtMs: fields.count('issued_ms'),
    notBeforeMs: fields.count('not_before_ms'),
    expiresAtMs: fields.count('expires_ms'),
    uses: fields.count('uses'),
    breakGlass: fields.flag('break_glass'),
    reason: fields.text('reason'),
  }
}

/** Members of a payload; one that is missing or of another kind is read as what prints differently. */
class Fields {
  readonly #value: JsonObject

  constructor(value: JsonValue) {
    this.#value = isJsonObject(value) ? value : {}
  }

  text(name: string): string {
    const found = this.#value[name]
    return typeof found === 'string' ? found : ''
  }

  optionalText(name: string): string | null {
    const found = this.#value[name]
    return typeof found === 'string' ? found : null
  }

  texts(name: string): readonly string[] {
    const found = this.#value[name]
    if (!isJsonArray(found)) return []
    return found.filter((one) => typeof one === 'string')
  }

  object(name: string): JsonObject {
    const found = this.#value[name]
    return isJsonObject(found) ? found : {}
  }

  flag(name: string): boolean {
    return this.#value[name] === true
  }

  count(name: string): number {
    const found = this.#value[name]
    const number = found instanceof Decimal ? found.toNumber() : 0
    return isCount(number) ? number : 0
  }
}

const idPattern = /^grt_[0-9A-HJKMNP-TV-Z]{26}$/
const hashPattern = /^[0-9a-f]{64}$/
const noncePattern = /^[0-9a-f]{32}$/

/** What is wrong with a grant, whoever signs it. */
function faultOf(grant: Grant): string | undefined {
  const { issuers, reason, uses } = grant
  if (!idPattern.test(grant.id)) return 'its id is none'
  if (!noncePattern.test(grant.nonce)) return 'its nonce is none'
  const inOrder = [...new Set(issuers)].toSorted()
  const hasIssuers =
    issuers.length > 0 && issuers.length <= limits.maxGrantIssuers && issuers.every(isHash)
  if (!hasIssuers || inOrder.join() !== issuers.join())
    return 'its issuers are not listed once each'
  if (![grant.definitionHash, grant.policyHash].every((hash) => hash === null || isHash(hash))) {
    return 'a hash in it is none'
  }
  if (grant.environment === '' || grant.actor === '') return 'it names no actor or no environment'
  if (uses < 1 || uses > limits.maxGrantUses) return `it covers 1 to ${limits.maxGrantUses} calls`
  if (grant.breakGlass && reason.trim() === '') return 'one for an emergency has to say why'
  if (reason.length > limits.maxGrantReasonCharacters) {
    return `its reason is longer than ${limits.maxGrantReasonCharacters} characters`
  }
  return timeFault(grant)
}

function timeFault({
  issuedAtMs,
  notBeforeMs,
  expiresAtMs,
  breakGlass,
}: Grant): string | undefined {
  if (notBeforeMs < issuedAtMs || expiresAtMs <= notBeforeMs) return 'it ends before it begins'
  const mostMs = longestGrantMs(breakGlass)
  if (expiresAtMs - issuedAtMs <= mostMs) return undefined
  return `it may hold for ${mostMs / 3_600_000} hours at most`
}

/** How long a grant may hold, milliseconds; one for an emergency is for the emergency. */
export function longestGrantMs(isBreakGlass: boolean): number {
  return isBreakGlass ? limits.maxGrantMs : limits.maxStandingGrantMs
}

function isHash(text: string): boolean {
  return hashPattern.test(text)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function scanned(payload: Uint8Array): JsonValue {
  try {
    return scanStrict(payload, wanted({})).value
  } catch (cause) {
    if (!(cause instanceof CapFenceError)) throw cause
    throw invalid(cause.message)
  }
}

/** Why a text is no grant, as an error. */
export function invalid(what: string): CapFenceError {
  return new CapFenceError('GRANT_INVALID', `not a grant: ${what}`)
}
