import { printable } from '../../event/printable.ts'
import { limits } from '../../limits.ts'
import { answerReasons } from '../answer.ts'
import type { AnswerReason } from '../answer.ts'
import { readWords } from '../read-rule.ts'
import { nodeKind, readName, readTexts, unknownKey, wrongType } from '../read-value.ts'
import type { Source } from '../read-value.ts'
import { effects } from '../rule.ts'
import type { YamlEntry, YamlNode } from '../yaml.ts'
import { readCall, readEvent } from './read-asked.ts'
import { readState } from './read-state.ts'
import type { Asked, AskedContext, Expected, NamedRule, TestCase } from './test-case.ts'
import type { TestState } from './test-state.ts'

/**
 * What a case holds.
 *
 * @internal Exported for tests only.
 */
export const caseKeys: readonly string[] = [
  'name',
  'event',
  'call',
  'state',
  'expect',
  'reason',
  'rule',
]

/** Reads `tests`: a list of cases; those that are wrong are left out, after saying so. */
export function readCases(
  source: Source,
  entry: YamlEntry,
  defaults: AskedContext = {},
): readonly TestCase[] {
  const { value } = entry
  if (value.kind !== 'list' || value.items.length === 0) {
    source.report.add(wrongType(entry, 'a list of tests'))
    return []
  }
  const next = value.items[limits.maxPolicyTests]
  if (next !== undefined) {
    const message = `\`tests\` has ${value.items.length} tests; at most ${limits.maxPolicyTests} are read`
    source.report.add({ offset: next.start, code: 'policy-limit', message })
    return []
  }
  return value.items.flatMap((node) => readCase(source, node, defaults) ?? [])
}

function readCase(source: Source, node: YamlNode, defaults: AskedContext): TestCase | undefined {
  if (node.kind !== 'map') {
    source.report.add({
      offset: node.start,
      code: node.kind === 'null' ? 'policy-empty' : 'policy-type',
      message: `a test is ${nodeKind(node)}; expected a mapping`,
      hint: 'write `- {name: …, event: {capability: …}, expect: deny}`',
    })
    return undefined
  }
  const reader = new CaseReader(source, defaults)
  return reader.read(node.entries, node.start)
}

/** Reads the entries of one case. */
class CaseReader {
  readonly #source: Source
  readonly #defaults: AskedContext
  #sound = true
  #name: string | undefined
  #asked: Asked | undefined
  #state: TestState | undefined
  #decision: Expected['decision'] | undefined
  #reason: AnswerReason | undefined
  #rules: readonly NamedRule[] = []

  constructor(source: Source, defaults: AskedContext) {
    this.#source = source
    this.#defaults = defaults
  }

  read(entries: readonly YamlEntry[], start: number): TestCase | undefined {
    for (const entry of entries) if (!this.#readEntry(entry)) this.#sound = false
    this.#refuseIncomplete(entries, start)
    if (!this.#sound) return undefined
    const [name, asked, decision] = [this.#name, this.#asked, this.#decision]
    if (name === undefined || asked === undefined || decision === undefined) return undefined
    const reason = this.#reason === undefined ? {} : { reason: this.#reason }
    const position = this.#source.report.position(start)
    const expected = { decision, ...reason, rules: this.#rules }
    return { name, position, asked, state: this.#state, expected }
  }

  /** Whether the entry is sound. */
  #readEntry(entry: YamlEntry): boolean {
    switch (entry.key) {
      case 'name':
        return (this.#name = readWords(this.#source, entry)) !== undefined
      case 'event':
        return (this.#asked = readEvent(this.#source, entry, this.#defaults)) !== undefined
      case 'call':
        return (this.#asked = readCall(this.#source, entry, this.#defaults)) !== undefined
      case 'state':
        return (this.#state = readState(this.#source, entry)) !== undefined
      case 'expect':
        return (this.#decision = readName(this.#source, entry, effects)) !== undefined
      case 'reason':
        return (this.#reason = readName(this.#source, entry, answerReasons)) !== undefined
      case 'rule':
        return this.#readRules(entry)
      default:
        this.#source.report.add(unknownKey(entry, 'a test', caseKeys))
        return false
    }
  }

  #readRules(entry: YamlEntry): boolean {
    const written = readTexts(this.#source, entry, 'the id of a rule, or a list of them')
    this.#rules = (written ?? []).map(({ value, node }) => {
      return { id: value, position: this.#source.report.position(node.start) }
    })
    return written !== undefined
  }

  #refuseIncomplete(entries: readonly YamlEntry[], start: number): void {
    const has = (name: string): boolean => entries.some(({ key }) => key === name)
    const named = this.#name === undefined ? 'a test' : `the test \`${printable(this.#name)}\``
    if (has('event') && has('call')) {
      const hint = 'keep `call` if bindings say what the call means, `event` if the test does'
      this.#refuse(start, `${named} has both \`event\` and \`call\``, hint)
    } else if (!has('event') && !has('call')) {
      const hint = 'write `event: {capability: …}`, or `call: {server: …, tool: …}`'
      this.#refuse(start, `${named} has no \`event\` and no \`call\``, hint)
    }
    for (const [key, hint] of needed) {
      if (!has(key)) this.#refuse(start, `${named} has no \`${key}\``, hint)
    }
  }

  #refuse(offset: number, message: string, hint: string): void {
    this.#sound = false
    this.#source.report.add({ offset, code: 'policy-empty', message, hint })
  }
}

const needed: readonly (readonly [key: string, hint: string])[] = [
  ['name', 'say in a few words what has to hold: `name: whole trees are never deleted`'],
  ['expect', 'write `expect: deny`, `expect: require_approval` or `expect: allow`'],
]
