import { isAtLeast } from '../approval/authority.ts'
import { grantComplaint, readyGrant } from '../approval/grant-authority.ts'
import type { ReadyGrant, RecordedGrant } from '../approval/grant-authority.ts'
import { grantFits } from '../approval/grant-rule.ts'
import type { ApprovalTerms } from '../approval/request.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { partialAccount } from '../policy/unknown.ts'
import { badLine } from './line-fields.ts'
import { ToldState } from './told-state.ts'
import type { TraceCall, TraceGrant } from './trace.ts'

interface Entry {
  readonly ready: ReadyGrant
  readonly issuers: readonly string[]
  recorded: RecordedGrant
}

/** Whether a grant covers a call. */
export type Granted =
  | { readonly kind: 'granted'; readonly breakGlass: boolean }
  | { readonly kind: 'not' }
  /** It depends on what the trace lacks. */
  | { readonly kind: 'unknown' }

/** A call that needs a person. */
export interface Covering {
  readonly call: TraceCall
  readonly nowMs: number
  readonly policyHash: string
  /** What the policy asks of an approval of it. */
  readonly terms: ApprovalTerms
  /** Whether it is the policy that has decided it, so that its record also says which grants have not covered it. */
  readonly isRecorded: boolean
}

/**
 * The grants of a trace, and how often they were used in this replay.
 *
 * The log took a grant only after its signatures were found right, so that the trace's word counts here.
 */
export class GrantBook {
  readonly #entries = new Map<string, Entry>()
  /** In the order in which a gate tries them. */
  #active: Entry[] = []

  /** How many grants are remembered. */
  get size(): number {
    return this.#entries.size
  }

  /** Whether the trace has this grant. */
  has(id: string): boolean {
    return this.#entries.has(id)
  }

  /**
   * Takes in a line about a grant.
   *
   * @throws CapFenceError `TRACE_INVALID` when it holds no grant, or another one
   */
  note(line: TraceGrant): void {
    for (const entry of this.#active) {
      const { recorded } = entry
      entry.recorded = { ...recorded, latestMs: Math.max(recorded.latestMs, line.atMs) }
    }
    if (line.what === 'create') {
      this.#create(line)
      return
    }
    // Uses are counted where they happen in this replay.
    if (line.what === 'use') return
    this.#active = this.#active.filter(({ recorded }) => recorded.id !== line.grant)
  }

  /** Whether a grant in force covers a call; the one that does is used once more. */
  cover(covering: Covering): Granted {
    let isDoubtful = false
    for (const entry of this.#active) {
      const covered = covers(entry, covering)
      if (covered === 'unknown') isDoubtful = true
      if (covered !== true) continue
      // Another one may come first.
      if (isDoubtful) break
      entry.recorded = { ...entry.recorded, useCount: entry.recorded.useCount + 1 }
      return { kind: 'granted', breakGlass: entry.ready.grant.breakGlass }
    }
    return { kind: isDoubtful ? 'unknown' : 'not' }
  }

  #create({
    line,
    grant: id,
    atMs,
    envelope,
    issuers,
  }: Extract<TraceGrant, { what: 'create' }>): void {
    if (this.#entries.size >= limits.maxReplayState) {
      throw badLine(`line ${line}: more than ${limits.maxReplayState} grants`)
    }
    const ready = readyOrBad(envelope, line)
    const { grant } = ready
    if (grant.id !== id || this.#entries.has(id)) {
      throw badLine(`line ${line}: \`envelope\` holds another grant, or one that was there`)
    }
    const recorded: RecordedGrant = {
      id,
      log: grant.log,
      isRecorded: true,
      createdSeq: line,
      createdAtMs: atMs,
      expiresAtMs: grant.expiresAtMs,
      useCount: 0,
      ended: undefined,
      envelope,
      latestMs: atMs,
    }
    const entry = { ready, issuers, recorded }
    this.#entries.set(id, entry)
    const inForce = this.#active.filter((one) => one.recorded.expiresAtMs > atMs)
    this.#active = [...inForce, entry].toSorted(byEnd)
  }
}

/** As `covers` of the approvals, with what a trace has of a grant. */
function covers(
  { ready, issuers, recorded }: Entry,
  { call, nowMs, policyHash, terms, isRecorded }: Covering,
): boolean | 'unknown' {
  const { grant, rule } = ready
  if (grantComplaint(recorded, grant, nowMs) !== undefined) return false
  if (terms.uses !== null && grant.uses > terms.uses) return false
  // Whoever signs with a key of an approver is there; whether with more than a key, a record does not say.
  const presence = issuers.includes('anyone') ? 'any' : 'key'
  if (!isAtLeast(presence, terms.presence) || issuers.length < terms.quorum) return false
  const { event, definitionHash, missing, told, atMs } = call
  const state = new ToldState(told, atMs ?? 0)
  const fits = grantFits(grant, rule, { event, definitionHash, policyHash }, state)
  const isWhole = missing.places.length === 0 && missing.mayBeNamed === undefined
  if (isWhole && !state.isIncomplete) return fits
  const lost = state.isIncomplete ? 'store' : 'nothing'
  const accounts = rule
    .explain(event, state)
    .map((account) => partialAccount(account, missing, lost))
  if (accounts.every(({ applies }) => applies !== undefined)) return fits
  // The gate had what is missing here: the grant that it has used fits the call.
  if (call.verdict?.grant === grant.id) return true
  return isRecorded ? false : 'unknown'
}

function readyOrBad(envelope: string, line: number): ReadyGrant {
  try {
    return readyGrant(envelope)
  } catch (cause) {
    if (!(cause instanceof CapFenceError)) throw cause
    throw badLine(`line ${line}: \`envelope\`: ${cause.message}`)
  }
}

function byEnd({ recorded: one }: Entry, { recorded: other }: Entry): number {
  if (one.expiresAtMs !== other.expiresAtMs) return one.expiresAtMs - other.expiresAtMs
  return one.id < other.id ? -1 : 1
}
