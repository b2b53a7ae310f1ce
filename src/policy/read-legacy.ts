import type { Effect } from './answer.ts'
import { ruleNodes } from './read-list.ts'
import { readRule } from './read-rule.ts'
import { nodeKind, readName } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { RuleSource } from './rule.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

/** The original's words for what a rule does; `warn` allowed and wrote a line, and here every call leaves a record. */
const actions = ['deny', 'block', 'require_approval', 'allow', 'warn'] as const
const effectOf = {
  deny: 'deny',
  block: 'deny',
  require_approval: 'require_approval',
  allow: 'allow',
  warn: 'allow',
} as const

/** Reads `rules` of the original CapFence: one list, each rule with its `action`. */
export function readLegacyRules(source: Source, entry: YamlEntry): readonly RuleSource[] {
  return ruleNodes(source, entry).flatMap((node, index) => {
    return readLegacyRule(source, node, { list: entry.key, index }) ?? []
  })
}

function readLegacyRule(
  source: Source,
  node: YamlNode,
  place: { readonly list: string; readonly index: number },
): RuleSource | undefined {
  const effect = node.kind === 'map' ? readEffect(source, node) : undefined
  if (node.kind !== 'map') {
    source.report.add({
      offset: node.start,
      code: node.kind === 'null' ? 'policy-empty' : 'policy-type',
      message: `a rule of \`rules\` is ${nodeKind(node)}; expected a mapping with an \`action\``,
    })
  }
  if (node.kind !== 'map' || effect === undefined) return undefined
  const threshold = node.entries.find(({ key }) => key === 'threshold')
  if (threshold !== undefined && !readThreshold(source, threshold, effect)) return undefined
  const entries = node.entries.filter(({ key }) => key !== 'action' && key !== 'threshold')
  return readRule(source, { ...node, entries }, { ...place, effect, capability: '*' })
}

function readEffect(source: Source, node: YamlNode & { readonly kind: 'map' }): Effect | undefined {
  const entry = node.entries.find(({ key }) => key === 'action')
  if (entry !== undefined) {
    const action = readName(source, entry, actions)
    return action === undefined ? undefined : effectOf[action]
  }
  source.report.add({
    offset: node.start,
    code: 'policy-empty',
    message: 'a rule of `rules` has no `action`',
    hint: 'write `action: deny`, `action: require_approval` or `action: allow`',
  })
  return undefined
}

/** The original did not say what a threshold is compared with: a guard without it is stricter, a grant is not. */
function readThreshold(source: Source, entry: YamlEntry, effect: Effect): boolean {
  const hint = 'write `amount_gt`, `amount_gte`, `amount_lt` or `amount_lte`'
  const offset = entry.keyStart
  if (effect === 'allow') {
    const message =
      '`threshold` of a rule that allows is not read, and without it the rule allows more'
    source.report.add({ offset, code: 'policy-unsupported', message, hint })
    return false
  }
  const message = '`threshold` is not read: the rule applies whatever the amount'
  source.report.note({ offset, code: 'policy-note', message, hint })
  return true
}

const modes = [
  'enforce',
  'block',
  'observe',
  'monitor',
  'audit',
  'warn',
  'shadow',
  'dry_run',
] as const

/** A policy cannot say whether it is enforced: the configuration does, and by default it is. */
export function readMode(source: Source, entry: YamlEntry): void {
  const mode = readName(source, entry, modes)
  if (mode === undefined || mode === 'enforce' || mode === 'block') return
  source.report.note({
    offset: entry.keyStart,
    code: 'policy-note',
    message: `\`enforcement_mode: ${mode}\` has no effect: the policy is enforced`,
    hint: 'set `mode: "observe"` in capfence.mcp.json to only watch',
  })
}
