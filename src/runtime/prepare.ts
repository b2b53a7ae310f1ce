import {
  argumentDigest,
  bindingDigest,
  callBinding,
  canonicalBinding,
} from '../approval/call-binding.ts'
import { askingRules, termsOf } from '../approval/terms.ts'
import { discloseArguments, discloseText } from '../audit/disclosure.ts'
import type { DisclosureMode } from '../audit/disclosure.ts'
import type { ActionEvent } from '../event/action-event.ts'
import type { PolicyAnswer } from '../policy/answer.ts'
import type { PolicyRule, Presence } from '../policy/rule.ts'
import type { Authority } from '../approval/authority.ts'
import type { DecisionInput, HeldDefinition, Mode, Question } from './decide.ts'
import type { Draws } from './parts.ts'
import type { GoverningPolicy } from './policy.ts'
import type { AskDisk } from './real-paths.ts'

/** What the gate knows of a call beside its event. */
export interface CallOptions {
  /** Hex SHA-256 of the canonical tool definition that the client was shown. */
  readonly definitionHash?: string | null | undefined
  /** Set where that definition is not the accepted one. */
  readonly held?: HeldDefinition | undefined
  /** What becomes of an event about which no rule says anything; `deny` when left out, as policies have it. */
  readonly unruled?: 'allow' | 'deny' | undefined
  /** Asks the disk that gate and server share; absent where they share none, so that paths are compared as written. */
  readonly askDisk?: AskDisk | undefined
}

/** An event before the transaction that decides it. */
export interface Candidate {
  readonly callId: string
  readonly event: ActionEvent
  readonly options: CallOptions
  readonly policy: GoverningPolicy
}

/** What preparing needs of the runtime. */
export interface Preparation {
  readonly mode: Mode
  readonly draws: Draws
  readonly disclosure: DisclosureMode
  readonly approvalTimeoutMs: number
  /** What rules that do not say it ask of an approval. */
  readonly presence: Presence
  readonly authority: () => Authority
  /** Reads the text of a grant. */
  readonly ready: DecisionInput['ready']
  readonly nowMs: number
  readonly argumentKey: () => Uint8Array
}

/** Everything a decision depends on but the state inside its transaction, and what the policy says with it. */
export type PreparedInput = Omit<DecisionInput, 'view' | 'state' | 'answer' | 'disk'>

/**
 * Works out beforehand what can be: the longer a transaction takes, the longer other processes wait for the log.
 *
 * @param early what the policy says, if that is known before the transaction
 */
export function prepare(
  candidate: Candidate,
  early: PolicyAnswer | undefined,
  given: Preparation,
): PreparedInput {
  const { event, options, policy } = candidate
  const question = once(() => questionOf(candidate, given))
  // Drawn beforehand, but only for calls that need it: what is decided again is sealed again with the same one.
  const stateSalt = once(() => given.draws.bytes(stateSaltBytes))
  // The canonical form of long arguments takes its time.
  if (early?.decision === 'require_approval' && given.mode === 'enforce') question()
  return {
    policyHash: policy.hash,
    mode: given.mode,
    callId: candidate.callId,
    definitionHash: options.definitionHash ?? null,
    held: options.held,
    unruled: options.unruled,
    args: discloseArguments(event.arguments, given.draws.bytes, given.disclosure),
    sealState: (json) => discloseText('state', json, stateSalt),
    question: ({ rules }) => {
      const { draft, binding } = question()
      const asked = askingRules(rules, policy.rules)
      const timeoutMs = timeoutMsOf(asked, given.approvalTimeoutMs)
      return { draft: { ...draft, timeoutMs, terms: termsOf(asked, given.presence) }, binding }
    },
    authority: given.authority,
    ready: given.ready,
  }
}

/** How long it waits and what its answer must be like depends on the rules that ask. */
interface TimelessQuestion extends Pick<Question, 'binding'> {
  readonly draft: Omit<Question['draft'], 'timeoutMs' | 'terms'>
}

function questionOf({ event, options, policy }: Candidate, given: Preparation): TimelessQuestion {
  const { draws, nowMs } = given
  const binding = callBinding(event, {
    definitionHash: options.definitionHash ?? null,
    argumentDigest: argumentDigest(given.argumentKey(), event.arguments),
    policyHash: policy.hash,
    session: null,
  })
  return {
    draft: {
      id: `apr_${draws.ulid(nowMs)}`,
      nonce: hex(draws.bytes(nonceBytes)),
      binding,
      bindingDigest: bindingDigest(binding),
    },
    binding: discloseText('binding', canonicalBinding(binding), draws.bytes),
  }
}

/**
 * How long the request of these rules waits: as long as the least patient of them says.
 *
 * @param usualMs for a rule that says nothing
 */
function timeoutMsOf(asked: readonly (PolicyRule | undefined)[], usualMs: number): number {
  const timeouts = asked.map((rule) => {
    const seconds = rule?.approval?.timeoutSeconds
    return seconds === undefined ? usualMs : seconds * 1000
  })
  return timeouts.length === 0 ? usualMs : Math.min(...timeouts)
}

const nonceBytes = 16
const stateSaltBytes = 16

function hex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** The same function, worked out at most once. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
