import type { Comparison, ContextField } from './condition.ts'

/** What a policy file holds at its top. */
export const topKeys: readonly string[] = [
  'version',
  'description',
  'extends',
  'deny',
  'require_approval',
  'allow',
  'risk_levels',
  'budgets',
  'labels',
  'invariants',
  'rules',
  'approval_timeout_seconds',
  'tests',
  'policy_name',
  'enforcement_mode',
]

/** The keys under which a rule compares amounts. */
export const amountKeys: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ['amount_gt', 'gt'],
  ['amount_gte', 'gte'],
  ['amount_lt', 'lt'],
  ['amount_lte', 'lte'],
])

/** The keys under which a rule looks for text. */
export const textKeys: ReadonlySet<string> = new Set(['contains', 'match_keywords'])

/** The keys under which a rule asks for what the proxy knows; some have two names. */
export const contextKeys: ReadonlyMap<string, ContextField> = new Map<string, ContextField>([
  ['actor', 'actor'],
  ['environment', 'environment'],
  ['role', 'role'],
  ['user_role', 'role'],
  ['tenant', 'tenant'],
  ['server', 'server'],
  ['tool', 'tool'],
  ['tool_name', 'tool'],
  ['session', 'session'],
  ['risk_level', 'risk'],
])

/** The keys under which a rule, an alternative of `any`, or `not` asks something of a call. */
export const conditionKeys: readonly string[] = [
  ...textKeys,
  'match_regex',
  ...amountKeys.keys(),
  'path_prefix',
  'table',
  'time',
  ...contextKeys.keys(),
  'args',
  'only_args',
  'not',
  'any',
]

/** Every key of a rule. */
export const ruleKeys: readonly string[] = [
  'capability',
  'id',
  'message',
  'description',
  'approval',
  'limit',
  ...conditionKeys,
]

/** What `approval` of a rule holds. */
export const approvalKeys: readonly string[] = ['timeout_seconds', 'uses', 'presence', 'quorum']

const legacy = 'is a key of the original CapFence that this version does not read'

/** A key that is known and refused: what it is, and what to write meanwhile. */
export interface RefusedKey {
  readonly reason: string
  readonly hint: string
}

/** Keys of a rule that are refused by name: ignoring a control that somebody wrote would widen access. */
export const refusedRuleKeys: ReadonlyMap<string, RefusedKey> = new Map([
  [
    'action',
    { reason: legacy, hint: 'put the rule into the list `deny`, `require_approval` or `allow`' },
  ],
  [
    'threshold',
    { reason: legacy, hint: 'use `amount_gt`, `amount_gte`, `amount_lt` or `amount_lte`' },
  ],
  ...['caller_depth_gt', 'caller_depth_gte', 'caller_depth_lt', 'caller_depth_lte'].map(
    (key): [string, RefusedKey] => [
      key,
      {
        reason: legacy,
        hint: 'the depth of a call is not known to the gate; tell callers apart by `actor`',
      },
    ],
  ),
])
