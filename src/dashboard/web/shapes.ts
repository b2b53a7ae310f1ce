/** What a decision, a call's question and its outcome look like to the page: `capfence logs --json`, docs/audit.md. */

/** How a call ended. */
export interface Outcome {
  readonly seq: number
  readonly status: string
  readonly ms: number | null
  readonly bytes: number | null
}

/** A rule that decided. */
export interface Rule {
  readonly id: string
  readonly effect: string
  readonly file: string
  readonly line: number
  readonly value?: string
}

/** A decided call. */
export interface Decision {
  readonly type: 'decision'
  readonly seq: number
  readonly time: string
  readonly call: string
  readonly decision: 'allow' | 'require_approval' | 'deny'
  readonly reason: string
  readonly rules: readonly Rule[]
  readonly mode: 'enforce' | 'observe'
  readonly forwarded: boolean
  readonly server: string | null
  readonly tool: string | null
  readonly actor: string
  readonly client: string | null
  readonly session: string | null
  readonly capability: string
  readonly environment: string | null
  readonly risk: string | null
  readonly approval: string | null
  readonly outcome: Outcome | null
  readonly argumentsText: string
  readonly argumentsHidden: readonly string[]
  readonly argumentsWithheld: number
}

/** A message that never became a call. */
export interface Refusal {
  readonly type: 'refusal'
  readonly seq: number
  readonly time: string
  readonly reason: string
  readonly server: string | null
  readonly client: string | null
  readonly size: number
}

/** A policy, configuration or tool that is another than before. */
export interface Change {
  readonly type: 'policy.load' | 'config.change' | 'tool.def'
  readonly seq: number
  readonly time: string
  readonly path?: string
  readonly server?: string
  readonly tool?: string
  readonly change?: string
  readonly ok?: boolean
  readonly rule_count?: number
  readonly error?: string | null
}

/** A line of the log as the page shows it. */
export type Entry = Decision | Refusal | Change

/** The newest entries, and where to go on. */
export interface Entries {
  readonly entries: readonly Entry[]
  readonly next: number | null
  readonly size: number
}

/** A call's question for a person. */
export interface Approval {
  readonly id: string
  readonly state: string
  readonly requestedAt: string
  readonly expiresAt: string
  readonly actor: string
  readonly server: string | null
  readonly tool: string | null
  readonly capability: string
  readonly environment: string | null
  readonly session: string | null
  readonly client: string | null
  readonly risk: string | null
  readonly ruleText: readonly string[]
  readonly message: string | null
  readonly terms: {
    readonly presence: 'any' | 'key' | 'passkey'
    readonly quorum: number
    readonly uses: number | null
  }
  readonly given: readonly string[]
  readonly covered: { readonly same: number; readonly of: number }
  readonly decisionSeq: number
  readonly argumentsText: string
  readonly argumentsHidden: readonly string[]
  readonly argumentsWithheld: number
}

/** Somebody who may approve. */
export interface Approver {
  readonly name: string
  readonly keyId: string
  readonly passkeys: readonly {
    readonly keyId: string
    readonly credential: string
    readonly origin: string
  }[]
}

/** What happened over a time. */
export interface Overview {
  readonly since: string
  readonly until: string
  readonly isPartial: boolean
  readonly total: Readonly<
    Record<'allow' | 'require_approval' | 'deny' | 'refused' | 'observed', number>
  >
  readonly series: readonly Column[]
  readonly latency: Readonly<Record<'upstream' | 'gate' | 'wait', Spread>> & {
    readonly columnsMs: readonly number[]
  }
  readonly statuses: readonly Count[]
  readonly rules: readonly (Rule & { readonly count: number })[]
  readonly tools: readonly Count[]
}

/** What happened in one part of a time. */
export type Column = { readonly at: string } & Readonly<
  Record<'allow' | 'require_approval' | 'deny' | 'refused', number>
>

/** How long something took, in milliseconds. */
export interface Spread {
  readonly count: number
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly max: number | null
  readonly histogram: readonly number[]
}

/** How often a name was seen. */
export interface Count {
  readonly name: string
  readonly count: number
}

/** A rule of the policy. */
export interface ListedRule extends Omit<Rule, 'value'> {
  readonly capability: string | null
  readonly predicates: readonly string[]
  readonly description: string | null
  readonly approval: object | null
  readonly hits: number
  readonly isGone: boolean
}

/** What was granted in advance. */
export interface ListedGrant {
  readonly id: string
  readonly capability: string
  readonly actor: string
  readonly environment: string
  readonly server: string | null
  readonly tool: string | null
  readonly session: string | null
  /** Conditions as JSON text: a number keeps every digit. */
  readonly when: string
  readonly expiresAt: string
  readonly uses: number
  readonly used: number
  readonly breakGlass: boolean
  readonly reason: string
  readonly issuers: readonly string[]
  /** Why it covers nothing; null while it is in force. */
  readonly complaint: string | null
}

/** The policy with how often it decided. */
export interface Rules {
  readonly isPartial: boolean
  readonly isPolicyKnown: boolean
  readonly byDefault: number
  readonly rules: readonly ListedRule[]
}

/** How much of a limit is used. */
export interface Budget {
  readonly name: string
  readonly per: readonly string[]
  readonly counts: 'calls' | 'sum' | null
  readonly used: string | null
  readonly limit: string | null
  readonly left: string | null
  readonly windowSeconds: number | null
  readonly freesAt: string | null
}

/** A record that the log keeps about itself. */
export interface Mark {
  readonly seq: number
  readonly at: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Where the log stands. */
export interface Health {
  readonly path: string
  readonly bytes: number
  readonly log: string | null
  readonly size: number
  readonly firstAt: string | null
  readonly lastAt: string | null
  readonly head: string | null
  readonly inFlight: number
  readonly lost: number
  readonly anchor: Mark | null
  readonly gate: Mark | null
  readonly stop: Mark | null
  readonly heartbeat: Mark | null
}

/** What reading all of the log has shown. */
export interface Verified {
  readonly verdict: string
  readonly reason: string | null
  readonly size: number
  readonly pinned: boolean
  readonly checkpoints: number
  readonly anchors: readonly { readonly name: string; readonly state: string }[]
}

/** One record with all that the log says of it. */
export interface Receipt {
  readonly record: {
    readonly seq: number
    readonly type: string
    readonly time: string
    readonly log: string
    readonly writer: string
    readonly prev: string
    readonly leaf: string
    readonly data: Readonly<Record<string, unknown>>
  }
  readonly outcome: Outcome | null
  readonly decisionSeq: number | null
  readonly sealed: readonly {
    readonly member: string
    readonly name: string
    readonly text: string
  }[]
  readonly erased: Readonly<Record<string, number>>
  readonly argumentsText: string | null
  readonly argumentsHidden: readonly string[]
  readonly argumentsWithheld: number
}
