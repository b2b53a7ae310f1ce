import { isRiskLevel, riskLevels } from '../event/capability.ts'
import type { RiskLevel } from '../event/capability.ts'
import { printable } from '../event/printable.ts'
import type { Effect } from './answer.ts'
import type { InvariantSource } from './invariant.ts'
import type { LabelSource } from './label.ts'
import { topKeys } from './language.ts'
import { readBudgets } from './read-budgets.ts'
import type { Budget } from './read-budgets.ts'
import { readExtends } from './read-extends.ts'
import type { ExtendedName } from './read-extends.ts'
import { readInvariants } from './read-invariants.ts'
import { readLabels } from './read-labels.ts'
import { readLegacyRules, readMode } from './read-legacy.ts'
import { ruleNodes } from './read-list.ts'
import { timeoutSeconds, withTimeout } from './read-approval.ts'
import { readRule, readWords } from './read-rule.ts'
import { nodeKind, readCount, readName, unknownKey, wrongType } from './read-value.ts'
import type { Fault } from './report.ts'
import type { Source } from './read-value.ts'
import { effects } from './rule.ts'
import type { RuleSource } from './rule.ts'
import { readCases } from './tests/read-cases.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

/** What a risk level does to a call that a rule allows; levels that do nothing are left out. */
export type RiskActions = ReadonlyMap<RiskLevel, Exclude<Effect, 'allow'>>

/** What one file says; parts that are wrong are left out, after saying so. */
export interface PolicyPart {
  /** In the order of the file. */
  readonly rules: readonly RuleSource[]
  readonly risks: RiskActions
  readonly extended: readonly ExtendedName[]
  readonly budgets: readonly Budget[]
  readonly labels: readonly LabelSource[]
  readonly invariants: readonly InvariantSource[]
}

/** The part of a file that says nothing, or nothing worth judging. */
export const nothing: PolicyPart = {
  rules: [],
  risks: new Map(),
  extended: [],
  budgets: [],
  labels: [],
  invariants: [],
}

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
  const reader = new PartReader(source)
  for (const entry of entries) reader.read(entry)
  if (!entries.some(({ key }) => !silentKeys.has(key))) {
    source.report.add({
      offset: 0,
      code: 'policy-empty',
      message: 'the policy has none of `deny`, `require_approval`, `allow` and `risk_levels`',
      hint: 'a policy that allows nothing says so: `allow: []`',
    })
  }
  return reader.part
}

/** Keys that say nothing about any call. */
const silentKeys = new Set([
  'invariants',
  'version',
  'description',
  'tests',
  'policy_name',
  'enforcement_mode',
  'approval_timeout_seconds',
])

/** Reads the entries of one file. */
class PartReader {
  readonly #source: Source
  readonly #rules: RuleSource[] = []
  #risks: RiskActions = new Map()
  #extended: readonly ExtendedName[] = []
  #budgets: readonly Budget[] = []
  #labels: readonly LabelSource[] = []
  #invariants: readonly InvariantSource[] = []
  #timeoutSeconds: number | undefined

  constructor(source: Source) {
    this.#source = source
  }

  get part(): PolicyPart {
    const rules = this.#rules.map((rule) => withTimeout(rule, this.#timeoutSeconds))
    const budgets = this.#budgets.map((budget) => ({
      ...budget,
      rules: budget.rules.map((rule) => withTimeout(rule, this.#timeoutSeconds)),
    }))
    return {
      ...{ rules, budgets, risks: this.#risks, extended: this.#extended },
      ...{ labels: this.#labels, invariants: this.#invariants },
    }
  }

  read(entry: YamlEntry): void {
    const effect = effects.find((name) => name === entry.key)
    if (effect !== undefined) {
      this.#rules.push(...readRules(this.#source, entry, effect))
      return
    }
    switch (entry.key) {
      case 'rules':
        this.#rules.push(...readLegacyRules(this.#source, entry))
        break
      case 'budgets':
        this.#budgets = readBudgets(this.#source, entry)
        break
      case 'labels':
        this.#labels = readLabels(this.#source, entry)
        break
      case 'invariants':
        this.#invariants = readInvariants(this.#source, entry)
        break
      case 'risk_levels':
        this.#risks = readRisks(this.#source, entry)
        break
      case 'extends':
        this.#extended = readExtends(this.#source, entry)
        break
      case 'tests':
        // They decide nothing; what is wrong with one is said here, so that `policy check` says it too.
        readCases(this.#source, entry)
        break
      case 'approval_timeout_seconds':
        this.#timeoutSeconds = readCount(this.#source, entry, timeoutSeconds)
        break
      default:
        readNote(this.#source, entry)
    }
  }
}

function readNote(source: Source, entry: YamlEntry): void {
  switch (entry.key) {
    case 'version':
      readVersion(source, entry)
      break
    case 'description':
    case 'policy_name':
      readWords(source, entry)
      break
    case 'enforcement_mode':
      readMode(source, entry)
      break
    default:
      refuseKey(source, entry)
  }
}

/** Reads `version`, which a file need not state. */
export function readVersion(source: Source, entry: YamlEntry): void {
  const { value } = entry
  if (value.kind === 'number' && value.text === '1') return
  source.report.add({
    offset: value.kind === 'null' ? entry.keyStart : value.start,
    code: 'policy-value',
    message: `\`version\` is ${nodeKind(value)}; expected \`1\``,
  })
}

function refuseKey(source: Source, entry: YamlEntry): void {
  source.report.add(unknownKey(entry, 'a policy', topKeys))
}

function readRules(source: Source, entry: YamlEntry, effect: Effect): readonly RuleSource[] {
  return ruleNodes(source, entry).flatMap((node, index) => {
    return readRule(source, node, { effect, list: entry.key, index }) ?? []
  })
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
    if (entry.key !== 'action') {
      source.report.add(unknownKey(entry, `\`${printable(level.key)}\``, ['action']))
      continue
    }
    action = readName(source, entry, riskActionNames)
    if (action === 'warn' || action === 'allow') source.report.note(mildAction(entry, action))
  }
  return action === undefined ? undefined : riskActions[action]
}

function mildAction(entry: YamlEntry, action: string): Fault {
  return {
    offset: entry.value.start,
    code: 'policy-note',
    message: `\`action: ${action}\` has no effect: a risk level can only make an answer stricter`,
    hint: 'remove the level, or write `require_approval` or `deny`',
  }
}
