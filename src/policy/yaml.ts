import { Composer, LineCounter, isAlias, isMap, isPair, isScalar, isSeq } from 'yaml'
import type { CST, Document, Scalar, YAMLMap } from 'yaml'
import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import type { ProblemCode } from './problem.ts'
import { linesOf } from './yaml-lines.ts'
import type { LineAndColumn } from './yaml-lines.ts'
import { readPlainYaml } from './yaml-plain.ts'
import { plainScalar } from './yaml-scalar.ts'
import { tokenise } from './yaml-tokens.ts'

/** Where a node's text begins and ends in its file, UTF-16 units. */
export interface Place {
  readonly start: number
  readonly end: number
}

/** A node of a policy file; a scalar is what the core schema of YAML 1.2 makes of it. */
export type YamlNode =
  | (Place & { readonly kind: 'map'; readonly entries: readonly YamlEntry[] })
  | (Place & { readonly kind: 'list'; readonly items: readonly YamlNode[] })
  | (Place & { readonly kind: 'text'; readonly value: string })
  /** As it is written, so that no digit is lost; `.inf`, `0x10` and their like are numbers too. */
  | (Place & { readonly kind: 'number'; readonly text: string })
  | (Place & { readonly kind: 'boolean'; readonly value: boolean })
  | (Place & { readonly kind: 'null' })

/** A key, which is always text, and its value. */
export interface YamlEntry {
  readonly key: string
  readonly keyStart: number
  readonly value: YamlNode
}

/** A fault found while reading, at an offset of the file. */
export interface YamlFault {
  readonly offset: number
  readonly code: ProblemCode
  readonly message: string
  readonly hint?: string
}

/** The root of a file, absent when there is none to speak of, and everything that is wrong on the way to it. */
export interface YamlReading {
  readonly root: YamlNode | undefined
  readonly faults: readonly YamlFault[]
  /** Whether what the file seems to say is not worth judging. */
  readonly broken: boolean
  readonly lineAndColumn: LineAndColumn
}

/**
 * Reads one YAML 1.2 document with the parts refused through which a file can say two things: duplicate keys, tags,
 * anchors, aliases, directives, more than one document (THREATS B25).
 *
 * Scalars are resolved here and not by the package, because a number must keep the digits it is written with.
 */
export function readYaml(text: string): YamlReading {
  const plain = readPlainYaml(text)
  if (plain === undefined) return readWholeYaml(text)
  return { root: plain, faults: [], broken: false, lineAndColumn: linesOf(text) }
}

/**
 * The same without the short way for plain files.
 *
 * @internal
 */
export function readWholeYaml(text: string): YamlReading {
  const lines = new LineCounter()
  const reader = new Reader()
  const root = reader.read(text, lines)
  return {
    root,
    faults: reader.faults,
    broken: reader.broken,
    lineAndColumn: (offset) => {
      // Without a line the package answers 0:0, which no editor can open.
      const { line, col } = lines.linePos(offset)
      return { line: Math.max(line, 1), column: Math.max(col, 1) }
    },
  }
}

class Reader {
  readonly faults: YamlFault[] = []
  broken = false

  read(text: string, lines: LineCounter): YamlNode | undefined {
    const { tokens, refused } = tokenise(text, lines)
    if (refused !== undefined) {
      this.broken = true
      this.#fault(refused.offset, 'policy-limit', refused.message)
      return undefined
    }
    this.#refuseDirectives(tokens)
    const [document, second] = documentsOf(tokens)
    for (const { pos, message } of document?.errors ?? []) {
      this.broken = true
      this.#fault(pos[0], 'policy-yaml', sentence(message))
    }
    // Read as far as the first one only, a file would lose the rules behind `---` without a word (THREATS B25).
    if (second !== undefined) this.#refuseSecond(second)
    const contents = document?.contents ?? null
    return contents === null ? undefined : this.#node(contents, 0, 0)
  }

  #refuseSecond({ range }: Document.Parsed): void {
    this.broken = true
    const hint = 'a policy file is one document; put the other one into a file of its own'
    this.#fault(range[0], 'policy-yaml', 'a second document begins here', hint)
  }

  #refuseDirectives(tokens: readonly CST.Token[]): void {
    for (const token of tokens) {
      if (token.type !== 'directive') continue
      const directive = `the directive \`${printable(token.source.trim())}\` is refused`
      this.#fault(token.offset, 'policy-yaml', directive, 'a policy is always read as YAML 1.2')
    }
  }

  /** @param at where to point when the node has no place of its own */
  #node(node: unknown, at: number, depth: number): YamlNode {
    const place = placeOf(node, at)
    const nothing: YamlNode = { kind: 'null', ...place }
    if (depth > limits.maxPolicyDepth) {
      this.#fault(place.start, 'policy-limit', `more than ${limits.maxPolicyDepth} levels deep`)
      return nothing
    }
    if (isAlias(node)) {
      this.broken = true
      this.#fault(place.start, 'policy-yaml', 'an alias is refused', 'write the value out')
      return nothing
    }
    this.#refuseProperties(node, place.start)
    if (isMap(node)) return { kind: 'map', ...place, entries: this.#entries(node, place, depth) }
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#node(item, place.start, depth + 1))
      return { kind: 'list', ...place, items }
    }
    return isScalar(node) ? scalarNode(node, place) : nothing
  }

  #entries(map: YAMLMap, place: Place, depth: number): readonly YamlEntry[] {
    const entries: YamlEntry[] = []
    const seen = new Set<string>()
    for (const pair of map.items) {
      if (!isPair(pair)) continue
      const keyStart = placeOf(pair.key, place.start).start
      const key = this.#key(pair.key, keyStart)
      if (key === undefined) continue
      if (seen.has(key)) {
        this.#fault(
          keyStart,
          'policy-duplicate-key',
          `the key \`${printable(key)}\` stands here twice`,
        )
      }
      seen.add(key)
      // `key:` with nothing behind it has no node in a flow map.
      entries.push({ key, keyStart, value: this.#node(pair.value, keyStart, depth + 1) })
    }
    return entries
  }

  #key(key: unknown, start: number): string | undefined {
    this.#refuseProperties(key, start)
    if (isScalar(key) && typeof key.value === 'string' && key.value !== '') return key.value
    this.#fault(start, 'policy-key', 'a key must be a name')
    return undefined
  }

  #refuseProperties(node: unknown, start: number): void {
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return
    const { tag, anchor } = node
    if (tag !== undefined) {
      const message = `the tag \`${printable(tag)}\` is refused`
      this.#fault(start, 'policy-yaml', message, 'a value is what it is written as; remove the tag')
    }
    if (anchor !== undefined) {
      const message = `the anchor \`&${printable(anchor)}\` is refused`
      this.#fault(start, 'policy-yaml', message, 'write each value where it is meant')
    }
  }

  #fault(offset: number, code: ProblemCode, message: string, hint?: string): void {
    this.faults.push({ offset, code, message, ...(hint === undefined ? {} : { hint }) })
  }
}

function documentsOf(tokens: readonly CST.Token[]): readonly Document.Parsed[] {
  const composer = new Composer({
    version: '1.2',
    schema: 'failsafe',
    prettyErrors: false,
    strict: true,
    // The package compares every key with every other; `#entries` does it with a set.
    uniqueKeys: false,
    logLevel: 'silent',
  })
  return [...composer.compose(tokens)]
}

function placeOf(node: unknown, at: number): Place {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : null
  return range === null || range === undefined
    ? { start: at, end: at }
    : { start: range[0], end: range[1] }
}

function scalarNode(scalar: Scalar, place: Place): YamlNode {
  const value = typeof scalar.value === 'string' ? scalar.value : ''
  if (scalar.type !== undefined && scalar.type !== 'PLAIN') return { kind: 'text', ...place, value }
  return plainScalar(value, place)
}

/** The package's sentence as a line of ours: one line, no capital, no full stop. */
function sentence(message: string): string {
  const line = printable(message.split('\n')[0] ?? '', 200).replace(/\.$/, '')
  return line.charAt(0).toLowerCase() + line.slice(1)
}
