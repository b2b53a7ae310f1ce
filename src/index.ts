/** CapFence as a library: decide, record, then act, for code that calls tools itself. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import process from 'node:process'
import type { Authority } from './approval/authority.ts'
import { ApprovalEngine } from './approval/engine.ts'
import { readAuthority } from './cli/authority.ts'
import type { DisclosureMode } from './audit/disclosure.ts'
import { loadPolicyFiles } from './cli/policy-files.ts'
import { version } from './cli/version.ts'
import { ulid, uuidV7 } from './crypto/ids.ts'
import { systemRandom } from './crypto/random.ts'
import { CapFenceError } from './errors.ts'
import type { ActionEvent } from './event/action-event.ts'
import { scanStrict, wanted } from './json/scan.ts'
import type { JsonValue } from './json/value.ts'
import { requireInvariants } from './policy/analysis/invariants.ts'
import { parsersReady } from './policy/parsers.ts'
import type { PolicyAnswer } from './policy/answer.ts'
import type { CallOptions } from './runtime/prepare.ts'
import type { Verdict } from './runtime/verdict.ts'
import { ActionRuntime as RuntimeOfParts } from './runtime/action-runtime.ts'
import { AuditTrail } from './runtime/audit-trail.ts'
import type { Mode } from './runtime/decide.ts'
import type { GoverningPolicy } from './runtime/policy.ts'
import type { Store } from './runtime/store.ts'
import { SQLiteEngine } from './storage/sqlite-engine.ts'

export { BlockedCallError } from './adapters/gate-call.ts'
export type { GateContext } from './adapters/gate-call.ts'
export { gateClient } from './adapters/gate-client.ts'
export { gate, inputOf } from './adapters/gate-function.ts'
export type { FunctionBinding } from './adapters/gate-function.ts'
export { gateTool, gateTools } from './adapters/gate-tools.ts'
export type { ToolContext } from './adapters/gate-tools.ts'
export type { Approver } from './approval/approver-list.ts'
export type { Authority } from './approval/authority.ts'
export { ApprovalEngine } from './approval/engine.ts'
export type { ApprovalQueue } from './approval/engine.ts'
export type {
  ApprovalRequest,
  ApprovalState,
  ApprovalTerms,
  CallBinding,
} from './approval/request.ts'
export type { AnchorResult, LogAnchor } from './audit/anchor-watch.ts'
export type { ChainReport } from './audit/chain.ts'
export type { DisclosureMode } from './audit/disclosure.ts'
export type { OutcomeStatus } from './audit/drafts.ts'
export type { LogReport, LogVerdict } from './audit/log-report.ts'
export type { Disclosure, RecordDraft, RecordType, StoredRecord } from './audit/record.ts'
export { CapFenceError } from './errors.ts'
export type { ErrorCode } from './errors.ts'
export { ActionEvent } from './event/action-event.ts'
export { Bindings } from './event/binding.ts'
export type { ServerBinding, ToolAnnotations, ToolBinding, ToolCall } from './event/binding.ts'
export type { Capability, RiskLevel } from './event/capability.ts'
export type { EventFields } from './event/create.ts'
export type { ArgumentRoles, EventContext, EventParts } from './event/event.ts'
export { escapeName, unescapeName } from './event/name.ts'
export { Decimal } from './json/decimal.ts'
export type { JsonArray, JsonObject, JsonValue } from './json/value.ts'
export type { AnswerReason, DeterminingRule, Effect, PolicyAnswer } from './policy/answer.ts'
export { AuditTrail, AuditTrail as ImmutableAuditTrail } from './runtime/audit-trail.ts'
export type { TrailVerifyOptions } from './runtime/audit-trail.ts'
export type { Mode } from './runtime/decide.ts'
export type { Outcome } from './runtime/outcome.ts'
export type { GoverningPolicy, PolicyFile } from './runtime/policy.ts'
export type { CallOptions } from './runtime/prepare.ts'
export type {
  Durability,
  Effects,
  LogPage,
  LogQuery,
  LogReader,
  Orphan,
  Store,
  StoreView,
} from './runtime/store.ts'
export type {
  AllowVerdict,
  DenyVerdict,
  PendingVerdict,
  ReasonCode,
  Verdict,
} from './runtime/verdict.ts'
export { BaseDBEngine } from './storage/engine.ts'
export { SQLiteEngine } from './storage/sqlite-engine.ts'
export type { SQLiteOptions } from './storage/sqlite-engine.ts'

/** What an agent may do, as policy files say it; without any, nothing. */
export class CapabilitySystem {
  #policy: GoverningPolicy = loadPolicyFiles([], process.cwd())

  /** The policy that was loaded last, as it was then. */
  get policy(): GoverningPolicy {
    return this.#policy
  }

  /**
   * Loads files as one policy, the union of their rules, in place of what was loaded before.
   *
   * @throws CapFenceError `POLICY_NOT_FOUND`, or `POLICY_INVALID` with every problem; the policy before is kept
   */
  loadPolicy(...paths: readonly [string, ...string[]]): this {
    this.#policy = provenPolicy(paths)
    return this
  }

  /**
   * Resolves when the policy can read everything that its rules ask about. Before that, what a rule asks of SQL is not
   * known, which denies; `ActionRuntime.execute` waits by itself.
   */
  async ready(): Promise<this> {
    await parsersReady()
    return this
  }

  /** What the policy says about an event. Only `ActionRuntime.execute` records it, and only that authorises. */
  decide(event: ActionEvent): PolicyAnswer {
    return this.#policy.decide(event)
  }
}

/** How a runtime is set up; everything can be left out. */
export interface RuntimeOptions {
  /** Policy files, or what a `CapabilitySystem` has loaded; without a policy every event is denied. */
  readonly policy?: string | readonly string[] | CapabilitySystem | undefined
  /** The database file of the log; see `defaultStoragePath`. */
  readonly storage?: string | undefined
  /** An open store to use instead; `close` leaves it open. */
  readonly store?: Store | undefined
  /** `enforce` when absent. */
  readonly mode?: Mode | undefined
  /** What a decision survives before it is acted on: `power` (the default) a power cut, `process` a kill. */
  readonly durability?: 'power' | 'process' | undefined
  /** What is kept beside the log of arguments and results; `args` when absent. */
  readonly disclosure?: DisclosureMode | undefined
  /** How long a request waits for a person; 15 minutes when absent. */
  readonly approvalTimeoutMs?: number | undefined
  /** The list of approvers that `capfence keys approver add` makes; without one nobody has a key. */
  readonly approvers?: string | undefined
  /** Hex SHA-256 that the list must have; it is not pinned when absent. */
  readonly approversSha256?: string | undefined
  /** Whose answers let a held call pass, in place of the files; read anew each time. */
  readonly authority?: (() => Authority) | undefined
  /** Is told of every failure that became a denial or a missing outcome; a warning of the process when absent. */
  readonly onFailure?: ((error: unknown) => void) | undefined
}

/** The runtime with the parts that most programs want: policies from files, the log in SQLite. */
export class ActionRuntime extends RuntimeOfParts {
  /** The questions that wait for a person. */
  readonly approvals: ApprovalEngine
  /** The log of everything that was decided. */
  readonly audit: AuditTrail
  readonly #owned: Store | undefined

  /**
   * Loads the policy and opens the log.
   *
   * @throws CapFenceError `POLICY_NOT_FOUND`, `POLICY_INVALID`, `AUDIT_UNAVAILABLE`, `AUDIT_CORRUPT`
   */
  constructor(options: RuntimeOptions = {}) {
    const policy = policyOf(options.policy ?? [])
    const store = options.store ?? openStore(options.storage)
    super({
      policy,
      store,
      draws: systemDraws,
      clock: () => Date.now(),
      mode: options.mode,
      durability: options.durability,
      disclosure: options.disclosure,
      approvalTimeoutMs: options.approvalTimeoutMs,
      authority: options.authority ?? authorityBeside(options),
      approvalPresence: options.approvers === undefined ? 'any' : 'key',
      onFailure: options.onFailure ?? warn,
    })
    this.#owned = options.store === undefined ? store : undefined
    this.approvals = new ApprovalEngine(store, () => Date.now())
    this.audit = new AuditTrail(store)
  }

  override async execute(event: ActionEvent, options?: CallOptions): Promise<Verdict> {
    await parsersReady()
    return super.execute(event, options)
  }

  /** A runtime that one policy file governs. */
  static fromPolicy(path: string, options: Omit<RuntimeOptions, 'policy'> = {}): ActionRuntime {
    return new ActionRuntime({ ...options, policy: path })
  }

  /**
   * Writes what is still owed to the log, and closes it if this runtime opened it.
   *
   * @throws CapFenceError `AUDIT_UNAVAILABLE` when an outcome could not be stored
   */
  async close(): Promise<void> {
    try {
      await this.flush()
    } finally {
      await this.#owned?.close()
    }
  }
}

/**
 * Where a runtime keeps its log when nothing is said: one database for each user of the machine.
 *
 * `CAPFENCE_STORAGE`, else `capfence/capfence.db` in `XDG_STATE_HOME`, in `LOCALAPPDATA` on Windows, or in
 * `~/.local/state`.
 */
export function defaultStoragePath(env: NodeJS.ProcessEnv = process.env): string {
  const { CAPFENCE_STORAGE, XDG_STATE_HOME, LOCALAPPDATA } = env
  if (CAPFENCE_STORAGE !== undefined && CAPFENCE_STORAGE !== '') return CAPFENCE_STORAGE
  // A relative path there is to be ignored: XDG Base Directory Specification, "Environment variables".
  const folder = [XDG_STATE_HOME, process.platform === 'win32' ? LOCALAPPDATA : undefined].find(
    (path) => path !== undefined && isAbsolute(path),
  )
  return join(folder ?? join(homedir(), '.local', 'state'), 'capfence', 'capfence.db')
}

/**
 * Reads JSON text for `ActionEvent.create` with every digit of its numbers, where `JSON.parse` rounds them.
 *
 * @throws CapFenceError `JSON_INVALID` for text that two JSON readers could take for different things
 */
export function parseJson(text: string | Uint8Array): JsonValue {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  if (typeof text === 'string' && /\p{Surrogate}/u.test(text)) {
    throw new CapFenceError('JSON_INVALID', 'the text holds half a character')
  }
  return scanStrict(bytes, wanted({})).value
}

const systemDraws = {
  bytes: systemRandom,
  uuid: (nowMs: number) => uuidV7(nowMs, systemRandom),
  ulid: (nowMs: number) => ulid(nowMs, systemRandom),
}

function policyOf(policy: NonNullable<RuntimeOptions['policy']>): GoverningPolicy {
  if (policy instanceof CapabilitySystem) return policy.policy
  return provenPolicy(typeof policy === 'string' ? [policy] : policy)
}

function provenPolicy(paths: readonly string[]): GoverningPolicy {
  const loaded = loadPolicyFiles(paths, process.cwd())
  requireInvariants(loaded.policy)
  return loaded
}

/** Whose answers count as the files say; of a store that was handed in nobody knows where its keys are. */
function authorityBeside(options: RuntimeOptions): (() => Authority) | undefined {
  const { store, storage = defaultStoragePath(), approvers, approversSha256 } = options
  if (store !== undefined) return undefined
  const list = approvers === undefined ? undefined : { approvers, approversSha256 }
  return () => readAuthority(list, { path: storage, keys: undefined })
}

function openStore(path = defaultStoragePath()): Store {
  return SQLiteEngine.open({ path, software: `capfence/${version}` })
}

/** Nobody else listens, and a failure that nobody hears of would look like a policy that denies. */
function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), {
    type: 'CapFenceWarning',
  })
}
