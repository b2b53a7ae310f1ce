import { noAuthority, type Authority } from '../approval/authority.ts'
import type { GrantRule } from '../approval/grant-rule.ts'
import { policyLoadRecord } from '../audit/drafts.ts'
import { ActionEvent } from '../event/action-event.ts'
import { decide } from './decide.ts'
import { GrantReadings } from './grants.ts'
import { AskedState, sessionSubject } from './decide-state.ts'
import type { KnownDisk, Proof } from './decide-state.ts'
import type { Outcome } from './outcome.ts'
import { outcomeEffects } from './outcome.ts'
import { OutcomeWriter } from './outcome-writer.ts'
import type { RuntimeParts } from './parts.ts'
import type { GoverningPolicy } from './policy.ts'
import type { CallOptions, Candidate, Preparation, PreparedInput } from './prepare.ts'
import { prepare } from './prepare.ts'
import { askingAll, asksDisk, diskFacts, diskState, keptPaths } from './real-paths.ts'
import type { AskDisk } from './real-paths.ts'
import type { StoreView } from './store.ts'
import type { AllowVerdict, Verdict } from './verdict.ts'
import { invalidEvent, unasked, unrecorded, verdictOf } from './verdict-of.ts'
import type { Answered } from './verdict-of.ts'

const defaultApprovalTimeoutMs = 900_000

/**
 * The one place where events are decided: for every transport, server and method, and for code that has none.
 *
 * Decide, make the record durable, and only then say so: no record, no call. Nothing is remembered from one decision
 * for the next, so that a change of the policy or a revocation holds at once (THREATS B28).
 */
export class ActionRuntime {
  readonly #parts: RuntimeParts
  readonly #preparation: Omit<Preparation, 'nowMs'>
  readonly #onFailure: (error: unknown) => void
  readonly #outcomes: OutcomeWriter
  readonly #readings = new GrantReadings()
  /** Verdicts whose calls are under way; each can be settled once. */
  readonly #underway = new WeakMap<AllowVerdict, Underway>()
  #policy: GoverningPolicy
  #loaded: Promise<void> | undefined
  #isLoaded = false

  constructor(parts: RuntimeParts) {
    const { store, policy } = parts
    this.#parts = parts
    this.#policy = policy
    this.#onFailure = harmless(parts.onFailure)
    this.#outcomes = new OutcomeWriter(store, this.#onFailure)
    this.#preparation = {
      mode: parts.mode ?? 'enforce',
      draws: parts.draws,
      disclosure: parts.disclosure ?? 'args',
      approvalTimeoutMs: parts.approvalTimeoutMs ?? defaultApprovalTimeoutMs,
      argumentKey: () => store.argumentKey(),
      presence: parts.approvalPresence ?? 'any',
      authority: () => this.#authority(),
      ready: this.#readings.ready,
    }
  }

  /** Hex SHA-256 of the policy that decides now. */
  get policyHash(): string {
    return this.#policy.hash
  }

  /**
   * Records which policy decides; the first `execute` does it too.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when the log cannot take it: no call would be allowed
   */
  async start(): Promise<void> {
    if (this.#isLoaded) return
    this.#loaded ??= this.#record(this.#policy).finally(() => {
      this.#loaded = undefined
    })
    await this.#loaded
  }

  /**
   * Decides an event, and resolves when the decision is durable in the log.
   *
   * Never rejects for anything that the world does: a log that cannot be written makes a `deny` with `reasonCode`
   * `audit_unavailable`. Only a verdict with `authorized: true` permits the call, once; say with `settle` how it ended.
   */
  async execute(event: ActionEvent, options: CallOptions = {}): Promise<Verdict> {
    const nowMs = this.#parts.clock()
    const callId = this.#parts.draws.uuid(nowMs)
    if (!ActionEvent.isEvent(event)) return invalidEvent(callId)
    const { askDisk } = options
    const disk = askDisk && (await this.#diskOf(event, askDisk))
    let call = this.#open({ callId, event, options, policy: this.#policy }, disk)
    let answered = call.early
    try {
      let input = this.#prepare(call, nowMs)
      if (!this.#isLoaded) await this.start()
      if (this.#outcomes.isOwing) await this.#outcomes.pay(this.#durability)
      const decision = await this.#parts.store.commit((view) => {
        if (call.policy !== this.#policy) {
          // The policy was replaced while this call waited; what it replaced allows nothing any more.
          call = this.#open({ callId, event, options, policy: this.#policy }, disk)
          input = this.#prepare(call, nowMs)
        }
        const asked = call.early ?? this.#answered(call, this.#stateOf(view, event, disk))
        answered = asked
        const { state, answer } = asked
        return decide(event, { ...input, state, answer, view, disk: disk && diskState(disk.facts) })
      }, this.#durability)
      answered?.state?.end()
      const verdict = answered === undefined ? unasked(callId) : verdictOf(decision, answered)
      if (verdict.authorized) {
        const proofs = decision.kind === 'allow' ? decision.proofs : []
        this.#underway.set(verdict, { sinceMs: this.#parts.clock(), proofs })
      }
      return verdict
    } catch (error) {
      this.#onFailure(error)
      return answered === undefined ? unasked(callId) : unrecorded(answered)
    }
  }

  /**
   * Says how a call that was allowed ended. Returns at once and never throws: the result is on its way to the client.
   *
   * An outcome that the log does not take is kept, and nothing further is allowed until it is stored.
   */
  settle(verdict: AllowVerdict, outcome: Outcome): void {
    const underway = this.#underway.get(verdict)
    if (underway === undefined) {
      this.#onFailure(
        new Error(`call ${verdict.callId} is not under way here, or was settled before`),
      )
      return
    }
    this.#underway.delete(verdict)
    try {
      const { draws, clock } = this.#parts
      const { disclosure } = this.#preparation
      const nowMs = clock()
      const elapsedMs = Math.max(0, nowMs - underway.sinceMs)
      const { proofs } = underway
      const facts = { verdict, elapsedMs, nowMs, proofs, disclosure, salts: draws.bytes }
      this.#outcomes.write(outcomeEffects(outcome, facts))
    } catch (error) {
      // The outcome itself could not be put into a record; the call stays an orphan, which the log shows.
      this.#onFailure(error)
    }
  }

  /**
   * Replaces the policy, once it is recorded; pending requests and the log are left alone.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when it could not be recorded: the policy before goes on deciding
   */
  async reload(policy: GoverningPolicy): Promise<void> {
    await this.#record(policy)
    this.#policy = policy
  }

  /**
   * Records that a policy was offered that cannot be used; the one before goes on deciding.
   *
   * @param error what was wrong, in the words of the loader
   * @throws CapFenceError `AUDIT_UNAVAILABLE`
   */
  async refuseReload(error: string, files: readonly RefusedFile[] = []): Promise<void> {
    const record = policyLoadRecord({ files, policyHash: null, ruleCount: 0, error })
    await this.#parts.store.commit(
      () => ({ records: [record], result: undefined }),
      this.#durability,
    )
  }

  /**
   * Resolves when every outcome so far is in the log.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when one cannot be stored
   */
  flush(): Promise<void> {
    return this.#outcomes.flush()
  }

  get #durability(): 'power' | 'process' {
    return this.#parts.durability ?? 'power'
  }

  /** Unsure means no: while it cannot be read whose answers count, nobody's do. */
  #authority(): Authority {
    try {
      return this.#parts.authority?.() ?? noAuthority
    } catch (error) {
      this.#onFailure(error)
      return noAuthority
    }
  }

  /** Asks the policy at once where its answer depends on nothing but the event; the transaction is shorter for it. */
  #open(candidate: Candidate, disk: KnownDisk | undefined): OpenCall {
    const isLate = this.#asksState(candidate, disk !== undefined)
    return { ...candidate, early: isLate ? undefined : this.#answered(candidate, undefined) }
  }

  /**
   * Where the paths of a call lead, found out before the transaction, in which nothing waits for a disk. A policy that
   * comes meanwhile and asks of other paths is not told, and denies or holds.
   */
  async #diskOf(event: ActionEvent, askDisk: AskDisk): Promise<KnownDisk> {
    const isKept = keptPaths(event, this.#preparation.disclosure)
    try {
      const asked = askingAll([this.#policy, ...(await this.#grantRules(event))])
      return { facts: await diskFacts(asked, event, askDisk), isKept }
    } catch (error) {
      this.#onFailure(error)
      // Nothing is known, which denies or holds whatever looks at a path.
      return { facts: new Map(), isKept }
    }
  }

  /** What the grants in force ask of a call that may need one. */
  async #grantRules(event: ActionEvent): Promise<readonly GrantRule[]> {
    // What is allowed without knowing anything of the store is allowed with it.
    if (this.#policy.decide(event).decision === 'allow') return []
    const grants = await this.#parts.store.grants()
    return grants
      .filter(({ ended }) => ended === undefined)
      .flatMap(({ envelope }) => this.#readings.ready(envelope)?.rule ?? [])
  }

  /** Whether the answer depends on more than the event; what was asked for then stands in the record. */
  #asksState({ policy, event }: Candidate, hasDisk: boolean): boolean {
    try {
      return policy.asksState(event) || (hasDisk && asksDisk(policy, event))
    } catch (error) {
      this.#onFailure(error)
      return true
    }
  }

  #stateOf(view: StoreView, { actor }: ActionEvent, disk: KnownDisk | undefined): AskedState {
    const digestKey = (): Uint8Array => this.#parts.store.argumentKey()
    return new AskedState(view, { subject: sessionSubject(actor), digestKey, disk })
  }

  /** A policy that throws is a fault of the program; it must end in a denial and not in a hung call. */
  #answered(candidate: Candidate, state: AskedState | undefined): Answered {
    try {
      return { ...candidate, state, answer: candidate.policy.decide(candidate.event, state) }
    } catch (error) {
      this.#onFailure(error)
      return { ...candidate, state, answer: undefined }
    }
  }

  #prepare(call: OpenCall, nowMs: number): PreparedInput {
    return prepare(call, call.early?.answer, { ...this.#preparation, nowMs })
  }

  async #record(policy: GoverningPolicy): Promise<void> {
    const { hash, ruleCount, files } = policy
    const record = policyLoadRecord({ files, policyHash: hash, ruleCount, error: null })
    const policies = [{ hash, files: files.map(({ path, bytes }) => ({ path, bytes })) }]
    await this.#parts.store.commit(
      () => ({ records: [record], policies, result: undefined }),
      this.#durability,
    )
    this.#isLoaded = true
  }
}

/** A call that is to be decided, with what the policy says if that is known before the transaction. */
interface OpenCall extends Candidate {
  readonly early: Answered | undefined
}

/** A call that was let through. */
interface Underway {
  readonly sinceMs: number
  readonly proofs: readonly Proof[]
}

/** A listener that throws must not end a call, or the process, that it was only to hear about. */
function harmless(listener: ((error: unknown) => void) | undefined): (error: unknown) => void {
  return (error) => {
    try {
      listener?.(error)
    } catch {
      // It is the one who would have been told.
    }
  }
}

/** A policy file that could not be used, as far as it is known. */
export interface RefusedFile {
  readonly path: string
  /** Hex. */
  readonly sha256: string
}
