import { limits } from '../limits.ts'
import { wrongType } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

/** The items of a list of rules; none after saying what is wrong with it. */
export function ruleNodes(source: Source, entry: YamlEntry): readonly YamlNode[] {
  const { key, value } = entry
  if (value.kind !== 'list') {
    const hint = value.kind === 'null' ? `write \`${key}: []\` if there are none` : undefined
    source.report.add(wrongType(entry, 'a list of rules', value, hint))
    return []
  }
  if (value.items.length <= limits.maxRules) return value.items
  source.report.add({
    offset: value.start,
    code: 'policy-limit',
    message: `\`${key}\` has ${value.items.length} rules; at most ${limits.maxRules} are read`,
  })
  return []
}
