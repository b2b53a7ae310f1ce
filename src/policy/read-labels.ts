import type { CapabilityPattern } from './capability-pattern.ts'
import type { Condition } from './condition.ts'
import type { LabelSource } from './label.ts'
import { conditionKeys } from './language.ts'
import type { Pointer } from './pointer.ts'
import { isConditionKey, readConditions } from './read-condition.ts'
import { readDuration } from './read-duration.ts'
import { ruleNodes } from './read-list.ts'
import { readCapability } from './read-pattern.ts'
import { readPointerValue } from './read-pointer.ts'
import { readLabelNames } from './read-session.ts'
import { nodeKind, unknownKey } from './read-value.ts'
import type { Source } from './read-value.ts'
import type { YamlEntry } from './yaml.ts'

/**
 * What an item of `labels` holds, with the conditions of a rule.
 *
 * @internal Exported for tests only.
 */
export const labelKeys: readonly string[] = ['capability', 'adds', 'bind', 'ttl', ...conditionKeys]

/** Reads `labels`: what calls do to their session. */
export function readLabels(source: Source, entry: YamlEntry): readonly LabelSource[] {
  return ruleNodes(source, entry).flatMap((node) => {
    if (node.kind === 'map') return new LabelReader(source).read(node.entries, node.start) ?? []
    source.report.add({
      offset: node.start,
      code: node.kind === 'null' ? 'policy-empty' : 'policy-type',
      message: `an item of \`labels\` is ${nodeKind(node)}; expected a mapping`,
      hint: 'write `- {capability: web.fetch, adds: untrusted}`',
    })
    return []
  })
}

/** Reads the entries of one item. */
class LabelReader {
  readonly #source: Source
  #pattern: CapabilityPattern | undefined
  #adds: readonly string[] | undefined
  #bind: Pointer | undefined
  #ttlMs: number | undefined
  readonly #conditions: Condition[] = []

  constructor(source: Source) {
    this.#source = source
  }

  read(entries: readonly YamlEntry[], start: number): LabelSource | undefined {
    const sound = entries.map((entry) => this.#readEntry(entry)).every((isSound) => isSound)
    for (const name of ['capability', 'adds']) {
      if (entries.some(({ key }) => key === name)) continue
      this.#source.report.add({
        offset: start,
        code: 'policy-empty',
        message: `an item of \`labels\` has no \`${name}\``,
        hint: 'write `- {capability: web.fetch, adds: untrusted}`',
      })
    }
    if (!sound || this.#pattern === undefined || this.#adds === undefined) return undefined
    return {
      position: this.#source.report.position(start),
      pattern: this.#pattern,
      conditions: this.#conditions,
      adds: this.#adds,
      bind: this.#bind,
      ttlMs: this.#ttlMs,
    }
  }

  /** Whether the entry is sound. */
  #readEntry(entry: YamlEntry): boolean {
    if (isConditionKey(entry.key)) {
      const read = readConditions(this.#source, entry)
      this.#conditions.push(...(read ?? []).map(({ condition }) => condition))
      return read !== undefined
    }
    switch (entry.key) {
      case 'capability':
        return (this.#pattern = readCapability(this.#source, entry)?.pattern) !== undefined
      case 'adds':
        return (this.#adds = readLabelNames(this.#source, entry)) !== undefined
      case 'bind':
        return (this.#bind = readPointerValue(this.#source, entry, 'one')) !== undefined
      case 'ttl':
        return (this.#ttlMs = readDuration(this.#source, entry)) !== undefined
      default:
        this.#source.report.add(unknownKey(entry, '`labels`', labelKeys))
        return false
    }
  }
}
