import { forbidden } from './invariant.ts'
import type { InvariantSource } from './invariant.ts'
import { ruleNodes } from './read-list.ts'
import { readRule } from './read-rule.ts'
import { nodeKind, readName } from './read-value.ts'
import type { Source } from './read-value.ts'
import { asksState } from './state.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

/** Reads `invariants`: what has to hold for the policy; proving it is left to the analysis. */
export function readInvariants(source: Source, entry: YamlEntry): readonly InvariantSource[] {
  return ruleNodes(source, entry).flatMap((node, index) => {
    return readInvariant(source, node, { list: entry.key, index }) ?? []
  })
}

const example = 'write `- {never: allow_without_approval, capability: "*.delete.production"}`'

function readInvariant(
  source: Source,
  node: YamlNode,
  place: { readonly list: string; readonly index: number },
): InvariantSource | undefined {
  if (node.kind !== 'map') {
    source.report.add({
      offset: node.start,
      code: node.kind === 'null' ? 'policy-empty' : 'policy-type',
      message: `an invariant is ${nodeKind(node)}; expected a mapping`,
      hint: example,
    })
    return undefined
  }
  const [entry] = node.entries.filter(({ key }) => key === 'never')
  const never = entry === undefined ? undefined : readName(source, entry, forbidden)
  if (entry === undefined) {
    source.report.add({
      offset: node.start,
      code: 'policy-empty',
      message: 'an invariant does not say what must `never` be',
      hint: example,
    })
  }
  const entries = node.entries.filter(({ key }) => key !== 'never')
  // The calls are those that a rule which denies would be about.
  const calls = readRule(source, { ...node, entries }, { ...place, effect: 'deny' })
  if (calls === undefined || never === undefined) return undefined
  if (!calls.conditions.some(asksState)) return { never, calls }
  source.report.add({
    offset: node.start,
    code: 'policy-value',
    message: `the invariant \`${calls.rule.id}\` asks for the time, a limit or a label, of which nothing can be proven`,
    hint: 'leave that out: what holds for more calls holds for these',
  })
  return undefined
}
