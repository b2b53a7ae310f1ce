import type { Capability } from '../event/capability.ts'
import { limits } from '../limits.ts'
import type { PolicyAnswer } from './answer.ts'
import type { CompiledRule } from './compiled-rule.ts'
import type { Facts } from './facts.ts'
import type { CompiledLabel } from './label.ts'
import { mergeCharges } from './limit.ts'
import type { SpentLimit } from './limit.ts'
import type { NeedleSet } from './needle.ts'
import type { Consequences } from './state.ts'

/** The rules of one capability pattern, case aside. Lists without rules are one and the same, which is always near. */
export interface Bucket {
  deny: CompiledRule[]
  approval: CompiledRule[]
  allow: CompiledRule[]
  labels: CompiledLabel[]
  /** The guards look for their texts together; undefined while none looks for any. */
  needles: NeedleSet | undefined
  /** Whether a rule asks for the clock or the store, or changes what stands there. */
  asksState: boolean
}

const noRules: CompiledRule[] = []
const noLabels: CompiledLabel[] = []
const tiers = { deny: 'deny', require_approval: 'approval', allow: 'allow' } as const

/** A bucket without rules. */
export function newBucket(): Bucket {
  return {
    deny: noRules,
    approval: noRules,
    allow: noRules,
    labels: noLabels,
    needles: undefined,
    asksState: false,
  }
}

/** Adds a rule to the list of its effect. */
export function addRule(bucket: Bucket, rule: CompiledRule): void {
  const tier = tiers[rule.source.rule.effect]
  // A list of one is made as such: most have one rule, and one that grows takes room for many.
  if (bucket[tier] === noRules) bucket[tier] = [rule]
  else bucket[tier].push(rule)
}

/** Adds what calls do to their session. */
export function addLabel(bucket: Bucket, label: CompiledLabel): void {
  if (bucket.labels === noLabels) bucket.labels = []
  bucket.labels.push(label)
}

/** The answer of the guards that apply, which are all but those that are false. */
export function guardTier(
  buckets: readonly Bucket[],
  tier: 'deny' | 'approval',
  facts: Facts,
): PolicyAnswer | undefined {
  let applied: CompiledRule[] | undefined
  let certain = false
  for (const bucket of buckets) {
    for (const rule of bucket[tier]) {
      const value = rule.evaluate(facts)
      if (value === 'false') continue
      applied ??= []
      applied.push(rule)
      certain ||= value === 'true'
    }
  }
  if (applied === undefined) return undefined
  const answer = answerOf(applied, certain, facts)
  if (answer?.reason !== 'rule' || !applied.every(({ isLimited }) => isLimited)) return answer
  // Were one of them without a limit, or not to be read, it would go on applying when there is room again.
  const spent = applied.map((rule) => rule.spent(facts))
  return spent.every((found) => found.length > 0)
    ? { ...answer, ...limitReason(spent.flat(), lastRoom) }
    : answer
}

/** The answer of the grants that are true. */
export function grantTier(
  buckets: readonly Bucket[],
  { capability, isLower }: { readonly capability: Capability; readonly isLower: boolean },
  facts: Facts,
): PolicyAnswer | undefined {
  let applied: CompiledRule[] | undefined
  for (const { allow } of buckets) {
    for (const rule of allow) {
      const fits = (isLower && rule.isLowerCase) || rule.fitsExactly(capability)
      if (!fits || rule.evaluate(facts) !== 'true') continue
      applied ??= []
      applied.push(rule)
    }
  }
  return applied === undefined ? undefined : answerOf(applied, true, facts)
}

/** The denial when rules would allow the call, had their limits room for it; undefined when there is no such rule. */
export function spentTier(
  buckets: readonly Bucket[],
  capability: Capability,
  facts: Facts,
): PolicyAnswer | undefined {
  const waiting = buckets
    .flatMap(({ allow }) => allow)
    .filter((rule) => rule.isLimited && rule.fitsExactly(capability))
    .map((rule) => ({ rule, spent: rule.spent(facts) }))
    .filter(({ spent }) => spent.length > 0)
  const answer = answerOf(
    waiting.map(({ rule }) => rule),
    true,
    facts,
  )
  if (answer === undefined) return undefined
  const spent = waiting.flatMap((one) => one.spent)
  return { ...answer, decision: 'deny', ...limitReason(spent, firstRoom) }
}

/** What becomes of the store when the call is forwarded: every limit that is about it is charged. */
export function consequencesOf(
  buckets: readonly Bucket[],
  capability: Capability,
  facts: Facts,
): Consequences | undefined {
  const charges = mergeCharges(
    buckets.flatMap(({ deny, approval, allow }) =>
      [...deny, ...approval, ...allow]
        .filter((rule) => rule.isLimited)
        .filter((rule) => rule.source.rule.effect !== 'allow' || rule.fitsExactly(capability))
        .flatMap((rule) => rule.charges(facts)),
    ),
  )
  const labels = buckets.flatMap((bucket) =>
    bucket.labels.flatMap((label) => label.added(facts, capability)),
  )
  return charges.length + labels.length === 0 ? undefined : { charges, labels }
}

/** Rules in the order of the files. */
export function byOrder(one: CompiledRule, other: CompiledRule): number {
  return one.order - other.order
}

function limitReason(
  spent: readonly SpentLimit[],
  roomAt: (spent: readonly SpentLimit[]) => number | undefined,
): Pick<PolicyAnswer, 'reason' | 'spent' | 'roomAtMs'> {
  const roomAtMs = roomAt(spent)
  const named = spent.slice(0, limits.maxDeterminingRules)
  return { reason: 'limit', spent: named, ...(roomAtMs === undefined ? {} : { roomAtMs }) }
}

/** Guards hold a call as long as one of them applies. */
function lastRoom(spent: readonly SpentLimit[]): number | undefined {
  return finite(spent.reduce((last, { roomAtMs = Infinity }) => Math.max(last, roomAtMs), 0))
}

/** One grant is enough. */
function firstRoom(spent: readonly SpentLimit[]): number | undefined {
  return finite(
    spent.reduce((first, { roomAtMs = Infinity }) => Math.min(first, roomAtMs), Infinity),
  )
}

function finite(ms: number): number | undefined {
  return Number.isFinite(ms) ? ms : undefined
}

function answerOf(
  applied: readonly CompiledRule[],
  certain: boolean,
  facts: Facts,
): PolicyAnswer | undefined {
  const [first] = applied
  if (first === undefined) return undefined
  if (applied.length === 1 && certain && !first.isLimited) return first.certainAnswer
  const named = applied.toSorted(byOrder).slice(0, limits.maxDeterminingRules)
  const omittedRules = applied.length - named.length
  return {
    decision: first.source.rule.effect,
    reason: certain ? 'rule' : 'indeterminate',
    rules: named.map((rule) => rule.account(facts)),
    ...(omittedRules === 0 ? {} : { omittedRules }),
  }
}
