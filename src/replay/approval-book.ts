import { isAtLeast } from '../approval/authority.ts'
import type { ApprovalTerms } from '../approval/request.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import { canonicalizeExact } from '../json/canonical.ts'
import { limits } from '../limits.ts'
import type { Presence } from '../policy/rule.ts'
import type { TraceApproval, TraceCall } from './trace.ts'

interface Grant {
  readonly atMs: number
  readonly approver: string
  readonly presence: Presence
  readonly uses: number
  readonly expiresAtMs: number
  readonly session: string | null
}

interface Entry {
  readonly id: string
  /** The call that was asked about, without its arguments. */
  readonly shape: string
  /** The same with its arguments; undefined where the trace has not all of them. */
  readonly exact: string | undefined
  readonly policyHash: string | null
  readonly requestedAtMs: number
  readonly expiresAtMs: number
  readonly asked: ApprovalTerms
  readonly grants: Grant[]
  denied: { readonly atMs: number; readonly untilMs: number } | undefined
  isOver: boolean
  latestMs: number
  useCount: number
}

/** What a call that has to wait for a person comes to. */
export type Answered =
  | { readonly kind: 'approved' | 'denied'; readonly approval: string }
  | { readonly kind: 'waits' }
  /** It was approved by somebody whose answer is not in the trace. */
  | { readonly kind: 'unknown' }

/** How a call asks for an approval. */
export interface Asking {
  readonly call: TraceCall
  readonly nowMs: number
  /** What the policy asks of the answer; undefined for what it asked when it was recorded. */
  readonly terms: ApprovalTerms | undefined
  /** An approval counts under this policy only; under whichever where undefined. */
  readonly policyHash: string | undefined
}

/**
 * The questions to persons and their answers, as a trace has them, and how often they were used in this replay.
 *
 * The log took an answer only after its signature was found right, so that the trace's word counts here.
 */
export class ApprovalBook {
  readonly #entries = new Map<string, Entry>()
  readonly #byCall = new Map<string, Set<Entry>>()
  /** The last calls that were held: a question follows its call at once. */
  readonly #held = new Map<number, TraceCall>()
  #sincePruning = 0

  /** How many questions are remembered. */
  get size(): number {
    return this.#entries.size
  }

  /** Remembers a call that was held when it was recorded. */
  held(call: TraceCall): void {
    this.#held.set(call.seq, call)
    if (this.#held.size > heldAtOnce) {
      const [oldest] = this.#held.keys()
      if (oldest !== undefined) this.#held.delete(oldest)
    }
  }

  /** Takes in a line about an approval. */
  note(line: TraceApproval): void {
    if (line.what === 'request') {
      this.#ask(line)
      return
    }
    const entry = this.#entries.get(line.approval)
    if (entry === undefined) return
    entry.latestMs = Math.max(entry.latestMs, line.atMs)
    switch (line.what) {
      case 'grant':
        entry.grants.push(line)
        return
      case 'deny':
        entry.denied ??= { atMs: line.atMs, untilMs: Math.min(entry.expiresAtMs, line.expiresAtMs) }
        return
      case 'revoke':
      case 'expire':
        entry.isOver = true
        return
      case 'use':
        // Uses are counted where they happen in this replay.
        return
    }
  }

  /** What a call comes to that the policy holds; an approval that it uses is used once more. */
  answer(asking: Asking): Answered {
    const { call } = asking
    for (const entry of this.#about(asking)) {
      if (allows(entry, asking)) {
        entry.useCount += 1
        return { kind: 'approved', approval: entry.id }
      }
      const { denied } = entry
      if (denied !== undefined && asking.nowMs < denied.untilMs) {
        return { kind: 'denied', approval: entry.id }
      }
    }
    const named = call.verdict?.approval ?? null
    const wasAnswered = ['approved', 'approval_denied'].includes(call.verdict?.reason ?? '')
    const isLost = named !== null && wasAnswered && !this.#entries.has(named)
    return { kind: isLost ? 'unknown' : 'waits' }
  }

  #ask(line: Extract<TraceApproval, { what: 'request' }>): void {
    const call = this.#held.get(line.of)
    if (call === undefined || this.#entries.has(line.approval)) return
    const { presence, quorum, uses } = line
    const shape = shapeOf(call)
    const entry: Entry = {
      id: line.approval,
      shape,
      exact: exactOf(call),
      policyHash: call.verdict?.policyHash ?? null,
      requestedAtMs: line.atMs,
      expiresAtMs: line.expiresAtMs,
      asked: { presence, quorum, uses },
      grants: [],
      denied: undefined,
      isOver: false,
      latestMs: line.atMs,
      useCount: 0,
    }
    this.#entries.set(entry.id, entry)
    const alike = this.#byCall.get(shape) ?? new Set()
    this.#byCall.set(shape, alike.add(entry))
    this.#sincePruning += 1
    if (this.#sincePruning > this.#entries.size / 2 + requestsBetweenPrunings)
      this.#prune(line.atMs)
  }

  /** Approvals about exactly this call, oldest first. Where arguments are missing, the one that its record names. */
  #about({ call, policyHash }: Asking): readonly Entry[] {
    const alike = this.#byCall.get(shapeOf(call))
    if (alike === undefined) return []
    const exact = exactOf(call)
    const named = call.verdict?.approval ?? null
    return [...alike].filter((entry) => {
      if (policyHash !== undefined && entry.policyHash !== policyHash) return false
      return exact === undefined || entry.exact === undefined
        ? entry.id === named
        : entry.exact === exact
    })
  }

  /** What can allow nothing any more is forgotten; it stands for none of the answers to come. */
  #prune(nowMs: number): void {
    this.#sincePruning = 0
    for (const entry of this.#entries.values()) {
      const lastMs = Math.max(
        entry.expiresAtMs,
        entry.denied?.untilMs ?? 0,
        ...entry.grants.map(({ expiresAtMs }) => expiresAtMs),
      )
      if (lastMs + limits.maxGrantMs > nowMs) continue
      this.#entries.delete(entry.id)
      const alike = this.#byCall.get(entry.shape)
      alike?.delete(entry)
      if (alike?.size === 0) this.#byCall.delete(entry.shape)
    }
  }
}

const heldAtOnce = 256
const requestsBetweenPrunings = 1000

/** As `authorise` of the approvals, with what a trace has of them. */
function allows(entry: Entry, { call, nowMs, terms = entry.asked }: Asking): boolean {
  const isBack = nowMs < entry.requestedAtMs || entry.grants.some(({ atMs }) => nowMs < atMs)
  if (entry.isOver || entry.denied !== undefined || isBack) return false
  const now = Math.max(nowMs, entry.latestMs)
  const session = call.event.context.session ?? null
  const counting = entry.grants.filter(
    (grant) =>
      now < grant.expiresAtMs &&
      grant.expiresAtMs <= grant.atMs + limits.maxGrantMs &&
      grant.uses <= (terms.uses ?? limits.maxGrantUses) &&
      (grant.session === null || grant.session === session) &&
      isAtLeast(grant.presence, terms.presence),
  )
  if (new Set(counting.map(({ approver }) => approver)).size < terms.quorum) return false
  const uses = Math.min(terms.uses ?? Infinity, ...counting.map((grant) => grant.uses))
  return entry.useCount < uses
}

/** What an approval is bound to, but for the policy and the arguments. */
function shapeOf({ event, definitionHash }: TraceCall): string {
  const { actor, capability, environment, context } = event
  const { resource, action, scope } = capability
  const { server, tool } = context
  return JSON.stringify([
    actor,
    server ?? null,
    tool ?? null,
    definitionHash,
    [resource, action, scope],
    environment ?? null,
  ])
}

function exactOf({ event, missing }: TraceCall): string | undefined {
  if (missing.places.length > 0 || missing.mayBeNamed !== undefined) return undefined
  return sha256Hex(canonicalizeExact(event.arguments))
}
