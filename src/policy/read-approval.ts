import { approvalKeys } from './language.ts'
import { readCount, readName, unknownKey, wrongType } from './read-value.ts'
import type { Bounds, Source } from './read-value.ts'
import { presences } from './rule.ts'
import type { ApprovalTerms, RuleSource } from './rule.ts'
import type { YamlEntry } from './yaml.ts'

/** A month: a question that nobody answers for longer is asked again. */
export const timeoutSeconds: Bounds = { least: 1, most: 2_678_400 }
const uses: Bounds = { least: 1, most: 1000 }
const quorum: Bounds = { least: 1, most: 16 }

/** Reads `approval` of a rule; undefined after saying everything that is wrong with it. */
export function readApproval(source: Source, entry: YamlEntry): ApprovalTerms | undefined {
  if (entry.value.kind !== 'map' || entry.value.entries.length === 0) {
    source.report.add(wrongType(entry, 'a mapping such as `{timeout_seconds: 900}`'))
    return undefined
  }
  let terms: ApprovalTerms | undefined = {}
  for (const term of entry.value.entries) {
    const read = readTerm(source, term)
    terms = read === undefined || terms === undefined ? undefined : { ...terms, ...read }
  }
  return terms
}

function readTerm(source: Source, entry: YamlEntry): ApprovalTerms | undefined {
  switch (entry.key) {
    case 'timeout_seconds': {
      const read = readCount(source, entry, timeoutSeconds)
      return read === undefined ? undefined : { timeoutSeconds: read }
    }
    case 'uses': {
      const read = readCount(source, entry, uses)
      return read === undefined ? undefined : { uses: read }
    }
    case 'presence': {
      const read = readName(source, entry, presences)
      return read === undefined ? undefined : { presence: read }
    }
    case 'quorum': {
      const read = readCount(source, entry, quorum)
      return read === undefined ? undefined : { quorum: read }
    }
    default:
      source.report.add(unknownKey(entry, '`approval`', approvalKeys))
      return undefined
  }
}

/** A rule that asks a person, with a time-out if it has none of its own. */
export function withTimeout(source: RuleSource, seconds: number | undefined): RuleSource {
  const { rule } = source
  if (seconds === undefined || rule.effect !== 'require_approval') return source
  return { ...source, rule: { ...rule, approval: { timeoutSeconds: seconds, ...rule.approval } } }
}
