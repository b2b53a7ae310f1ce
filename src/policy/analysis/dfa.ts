import type { CharSet } from './char-set.ts'
import { assertions } from './language.ts'
import type { Language, Node } from './language.ts'

/** What stood before: nothing, a line break, a letter or digit, or anything else. */
type Before = 'start' | 'newLine' | 'word' | 'other'

interface State {
  readonly nodes: readonly number[]
  readonly before: Before
  readonly accepts: boolean
  /** Whatever follows is accepted as well. */
  readonly isFinal: boolean
  readonly next: Map<number, number>
}

/** A language as a machine that is in one state at a time; the states are made when they are reached. */
export class Dfa {
  readonly #nodes: readonly Node[]
  readonly #hasAssertions: boolean
  readonly #endless: ReadonlySet<number>
  readonly #states: State[] = []
  readonly #ids = new Map<string, number>()
  readonly start: number
  readonly sets: readonly CharSet[]

  constructor(language: Language) {
    this.#nodes = language.nodes
    this.#hasAssertions = language.nodes.some(({ kind }) => kind === 'assert')
    this.#endless = this.#hasAssertions ? new Set() : endlessNodes(language.nodes)
    this.sets = distinctSets(language.nodes)
    this.start = this.#intern([language.start], 'start')
  }

  step(state: number, codePoint: number): number {
    const from = this.#state(state)
    const known = from.next.get(codePoint)
    if (known !== undefined) return known
    const moved = new Set<number>()
    for (const id of this.#closure(from.nodes, from.before, codePoint)) {
      const node = this.#nodes[id]
      if (node?.kind === 'char' && node.set.has(codePoint)) moved.add(node.next)
    }
    const next = this.#intern([...moved], this.#hasAssertions ? beforeOf(codePoint) : 'other')
    from.next.set(codePoint, next)
    return next
  }

  accepts(state: number): boolean {
    return this.#state(state).accepts
  }

  /** Whether nothing that follows can be accepted. */
  isDead(state: number): boolean {
    return this.#state(state).nodes.length === 0
  }

  /** Whether everything that follows is accepted. */
  isFinal(state: number): boolean {
    return this.#state(state).isFinal
  }

  #state(id: number): State {
    const state = this.#states[id]
    if (state === undefined) throw new Error('bug: a state that nobody made')
    return state
  }

  #intern(nodes: readonly number[], before: Before): number {
    const settled = [...(this.#hasAssertions ? nodes : this.#settled(nodes))].toSorted(
      (one, other) => one - other,
    )
    const key = `${before}:${settled.join(',')}`
    const known = this.#ids.get(key)
    if (known !== undefined) return known
    const closed = this.#closure(settled, before, undefined)
    const accepts = [...closed].some((id) => this.#nodes[id]?.kind === 'accept')
    const isFinal = settled.some((id) => this.#endless.has(id))
    this.#ids.set(key, this.#states.length)
    return this.#states.push({ nodes: settled, before, accepts, isFinal, next: new Map() }) - 1
  }

  /** Where a character can be read, or the text can end; what only leads there is left out. */
  #settled(nodes: readonly number[]): readonly number[] {
    return [...this.#closure(nodes, 'other', undefined)].filter((id) => {
      return this.#nodes[id]?.kind !== 'fork' || this.#endless.has(id)
    })
  }

  /** All nodes that are reached without reading a character, where `next` is what comes, or the end. */
  #closure(
    nodes: readonly number[],
    before: Before,
    next: number | undefined,
  ): ReadonlySet<number> {
    const found = new Set(nodes)
    for (const id of found) {
      const node = this.#nodes[id]
      if (node?.kind === 'fork') for (const one of node.next) found.add(one)
      if (node?.kind === 'assert' && holds(node.bits, before, next)) found.add(node.next)
    }
    return found
  }
}

function beforeOf(codePoint: number): Before {
  if (codePoint === 0x0a) return 'newLine'
  return isWord(codePoint) ? 'word' : 'other'
}

function isWord(codePoint: number): boolean {
  return codePoint < 0x80 && /\w/.test(String.fromCodePoint(codePoint))
}

function holds(bits: number, before: Before, next: number | undefined): boolean {
  const isBorder = (before === 'word') !== (next !== undefined && isWord(next))
  const facts: readonly (readonly [number, boolean])[] = [
    [assertions.lineStart, before === 'start' || before === 'newLine'],
    [assertions.lineEnd, next === undefined || next === 0x0a],
    [assertions.textStart, before === 'start'],
    [assertions.textEnd, next === undefined],
    [assertions.wordBorder, isBorder],
    [assertions.noWordBorder, !isBorder],
  ]
  return facts.every(([bit, isSo]) => (bits & bit) === 0 || isSo)
}

/** Nodes that read any character, come back to themselves, and lead to the end. */
function endlessNodes(nodes: readonly Node[]): ReadonlySet<number> {
  const found = new Set<number>()
  for (const [id, node] of nodes.entries()) {
    if (node.kind !== 'fork') continue
    const loops = node.next.some((one) => {
      const inner = nodes[one]
      return inner?.kind === 'char' && inner.set.key === '*' && inner.next === id
    })
    if (loops && leadsToEnd(nodes, node.next)) found.add(id)
  }
  return found
}

function leadsToEnd(nodes: readonly Node[], from: readonly number[]): boolean {
  const found = new Set(from)
  for (const id of found) {
    const node = nodes[id]
    if (node?.kind === 'accept') return true
    if (node?.kind === 'fork') for (const one of node.next) found.add(one)
  }
  return false
}

function distinctSets(nodes: readonly Node[]): readonly CharSet[] {
  const sets = new Map<string, CharSet>()
  for (const node of nodes) if (node.kind === 'char') sets.set(node.set.key, node.set)
  return [...sets.values()]
}
