import { isRiskLevel, riskLevels } from '../event/capability.ts'
import type { RiskLevel } from '../event/capability.ts'
import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import type { Effect } from './answer.ts'
import { refusedTopKeys, topKeys } from './language.ts'
import { readRule, readWords } from './read-rule.ts'
import { nodeKind, readName, refusedKey, unknownKey, wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import { effects } from './rule.ts'
import type { RuleSource } from './rule.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

/** What a risk level does to a call that a rule allows; levels that do nothing are left out. */
export type RiskActions = ReadonlyMap<RiskLevel, Exclude<Effect, 'allow'>>

/** What one file says; parts that are wrong are left out, after saying so. */
export interface PolicyPart {
  /** In the order of the file. */
  readonly rules: readonly RuleSource[]
  readonly risks: RiskActions
}

const nothing: PolicyPart = { rules: [], risks: new Map() }

/** Reads one file; everything that is wrong goes into the report of `source`. */
export function readPolicy(source: Source, root: YamlNode | undefined): PolicyPart {
  if (root === undefined || root.kind === 'null') {
    source.report.add({
      offset: 0,
      code: 'policy-empty',
      message: 'the file holds no policy',
      hint: 'a policy that allows nothing says so: `allow: []`',
    })
    return nothing
  }
  if (root.kind !== 'map') {
    source.report.add({
      offset: root.start,
      code: 'policy-type',
      message: `a policy is ${nodeKind(root)}; expected a mapping`,
      hint: 'write `allow:` and the rules below it',
    })
    return nothing
  }
  return readTop(source, root.entries)
}

function readTop(source: Source, entries: readonly YamlEntry[]): PolicyPart {
  const rules: RuleSource[] = []
  let risks: RiskActions = new Map()
  let says = false
  for (const entry of entries) {
    const effect = effects.find((name) => name === entry.key)
    says ||= effect !== undefined || entry.key === 'risk_levels' || !topKeys.includes(entry.key)
    if (effect !== undefined) rules.push(...readRules(source, entry, effect))
    else if (entry.key === 'risk_levels') risks = readRisks(source, entry)
    else readNote(source, entry)
  }
  if (!says) {
    source.report.add({
      offset: 0,
      code: 'policy-empty',
      message: 'the policy has none of `deny`, `require_approval`, `allow` and `risk_levels`',
      hint: 'a policy that allows nothing says so: `allow: []`',
    })
  }
  return { rules, risks }
}

function readNote(source: Source, entry: YamlEntry): void {
  if (entry.key === 'version') readVersion(source, entry)
  else if (entry.key === 'description') readWords(source, entry)
  else refuseKey(source, entry)
}

function readVersion(source: Source, entry: YamlEntry): void {
  const { value } = entry
  if (value.kind === 'number' && value.text === '1') return
  source.report.add({
    offset: value.kind === 'null' ? entry.keyStart : value.start,
    code: 'policy-value',
    message: `\`version\` is ${nodeKind(value)}; expected \`1\``,
  })
}

function refuseKey(source: Source, entry: YamlEntry): void {
  const refused = refusedTopKeys.get(entry.key)
  source.report.add(
    refused === undefined ? unknownKey(entry, 'a policy', topKeys) : refusedKey(entry, refused),
  )
}

function readRules(source: Source, entry: YamlEntry, effect: Effect): readonly RuleSource[] {
  const { value } = entry
  if (value.kind !== 'list') {
    const hint = value.kind === 'null' ? `write \`${effect}: []\` if there are none` : undefined
    source.report.add(wrongType(entry, 'a list of rules', value, hint))
    return []
  }
  if (value.items.length > limits.maxRules) {
    source.report.add({
      offset: value.start,
      code: 'policy-limit',
      message: `\`${effect}\` has ${value.items.length} rules; at most ${limits.maxRules} are read`,
    })
    return []
  }
  return value.items.flatMap((node, index) => readRule(source, node, { effect, index }) ?? [])
}

/** What `risk_levels` may say; `block` and `warn` are the original's words. */
const riskActionNames = ['deny', 'block', 'require_approval', 'warn', 'allow'] as const
const riskActions = {
  deny: 'deny',
  block: 'deny',
  require_approval: 'require_approval',
  // Neither can make a call pass that no rule allows, so both only say what happens anyway (POLICY.md 7).
  warn: undefined,
  allow: undefined,
} as const

function readRisks(source: Source, entry: YamlEntry): RiskActions {
  const risks = new Map<RiskLevel, 'deny' | 'require_approval'>()
  if (entry.value.kind !== 'map' || entry.value.entries.length === 0) {
    source.report.add(wrongType(entry, 'a mapping such as `{critical: {action: deny}}`'))
    return risks
  }
  for (const level of entry.value.entries) {
    if (!isRiskLevel(level.key)) {
      source.report.add(unknownKey(level, '`risk_levels`', riskLevels))
      continue
    }
    const action = readRiskAction(source, level)
    if (action !== undefined) risks.set(level.key, action)
  }
  return risks
}

function readRiskAction(source: Source, level: YamlEntry): 'deny' | 'require_approval' | undefined {
  if (level.value.kind !== 'map' || level.value.entries.length === 0) {
    source.report.add(wrongType(level, 'a mapping such as `{action: deny}`'))
    return undefined
  }
  let action: (typeof riskActionNames)[number] | undefined
  for (const entry of level.value.entries) {
    if (entry.key === 'action') action = readName(source, entry, riskActionNames)
    else source.report.add(unknownKey(entry, `\`${printable(level.key)}\``, ['action']))
  }
  return action === undefined ? undefined : riskActions[action]
}
