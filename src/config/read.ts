import { nearestName } from '../event/nearest.ts'
import { printable } from '../event/printable.ts'
import type { ListNode, Member, Node, ObjectNode, TextNode } from './jsonc.ts'
import type { Report } from './problems.ts'
import { didYouMean } from './problems.ts'
import { patterns } from './vocabulary.ts'

/** Where a value stands, for messages: `mcpServers.files.command`. */
export interface Place {
  readonly report: Report
  readonly path: string
}

/** Makes an exact value of a node, or reports what is wrong with it and returns undefined. */
export type Read<T> = (node: Node, place: Place) => T | undefined

const kinds: Readonly<Record<Node['kind'], string>> = {
  object: 'an object',
  list: 'a list',
  text: 'a text',
  number: 'a number',
  literal: 'true, false or null',
}

/** Reports that a value is of the wrong kind. */
export function wrongKind(node: Node, place: Place, expected: string, hint?: string): undefined {
  const found = node.kind === 'literal' ? `\`${String(node.value)}\`` : kinds[node.kind]
  place.report.problem(
    node.start,
    `\`${place.path}\` must be ${expected}, found ${found}`,
    hint ?? hintForKind(node, expected),
  )
  return undefined
}

function hintForKind(node: Node, expected: string): string | undefined {
  if (node.kind === 'text' && expected.startsWith('a list')) return 'put it in square brackets'
  return node.kind === 'number' && expected === 'a text' ? `write \`"${node.text}"\`` : undefined
}

/** A text of at least one character and at most `max`, without characters that do not show. */
export function shownText(max: number): Read<string> {
  return (node, place) => {
    const text = readText(node, place)
    if (text === undefined) return undefined
    return checkShown(text, max, node, place) ? text.value : undefined
  }
}

/** A text of any length, the empty one too. */
export function readText(node: Node, place: Place): TextNode | undefined {
  return node.kind === 'text' ? node : wrongKind(node, place, 'a text')
}

function checkShown(text: TextNode, max: number, node: Node, place: Place): boolean {
  if (text.value === '') place.report.problem(node.start, `\`${place.path}\` is empty`)
  else if (text.value.length > max) {
    place.report.problem(node.start, `\`${place.path}\` is longer than ${max} characters`)
  } else if (!patterns.shown.test(text.value)) {
    place.report.problem(node.start, `\`${place.path}\` holds characters that do not show`)
  } else return true
  return false
}

/** One of a few words. */
export function oneOf<T extends string>(words: readonly T[]): Read<T> {
  const expected = listWords(words)
  return (node, place) => {
    if (node.kind !== 'text') return wrongKind(node, place, expected)
    const word = words.find((known) => known === node.value)
    if (word === undefined) {
      place.report.problem(
        node.start,
        `\`${place.path}\` must be ${expected}, found \`${printable(node.value)}\``,
        didYouMean(node.value, words),
      )
    }
    return word
  }
}

function listWords(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``)
  const last = quoted.pop() ?? ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
}

/** `true` or `false`. */
export const flag: Read<boolean> = (node, place) =>
  node.kind === 'literal' && node.value !== null
    ? node.value
    : wrongKind(node, place, '`true` or `false`')

/** A whole number between two bounds, both included. */
export function wholeNumber(bounds: { readonly min: number; readonly max: number }): Read<number> {
  const expected = `a whole number from ${bounds.min} to ${bounds.max}`
  return (node, place) => {
    if (node.kind !== 'number') return wrongKind(node, place, expected)
    const value = /^-?\d{1,15}$/.test(node.text) ? Number(node.text) : Number.NaN
    if (value >= bounds.min && value <= bounds.max) return value
    place.report.problem(
      node.start,
      `\`${place.path}\` must be ${expected}, found \`${printable(node.text)}\``,
    )
    return undefined
  }
}

/** A list of at least `min` items; one bad item makes the whole undefined. */
export function listOf<T>(readItem: Read<T>, min = 0): Read<readonly T[]> {
  return (node, place) => {
    if (node.kind !== 'list') return wrongKind(node, place, 'a list')
    if (node.items.length < min) {
      place.report.problem(node.start, `\`${place.path}\` is empty`)
      return undefined
    }
    return readAll(node, readItem, place)
  }
}

function readAll<T>(list: ListNode, readItem: Read<T>, place: Place): readonly T[] | undefined {
  const items = list.items.map((item, index) =>
    readItem(item, { report: place.report, path: `${place.path}[${index}]` }),
  )
  const good = items.filter((item) => item !== undefined)
  return good.length === items.length ? good : undefined
}

/** One value, or a list of them. */
export function oneOrMore<T>(readItem: Read<T>): Read<readonly T[]> {
  const list = listOf(readItem, 1)
  return (node, place) => {
    if (node.kind === 'list') return list(node, place)
    const value = readItem(node, place)
    return value === undefined ? undefined : [value]
  }
}

/** An object whose names the user chooses. */
export function mapOf<T>(
  readItem: (member: Member, place: Place) => T | undefined,
): Read<ReadonlyMap<string, T>> {
  return (node, place) => {
    if (node.kind !== 'object') return wrongKind(node, place, 'an object')
    const found = new Map<string, T>()
    for (const member of node.members) {
      const item = readItem(member, { report: place.report, path: join(place.path, member.name) })
      if (item !== undefined) found.set(member.name, item)
    }
    return found.size === node.members.length ? found : undefined
  }
}

/** The members of an object whose names are fixed. */
export class Section {
  readonly node: ObjectNode
  readonly #members: ReadonlyMap<string, Member>
  readonly #place: Place

  private constructor(node: ObjectNode, place: Place) {
    this.node = node
    this.#place = place
    this.#members = new Map(node.members.map((member) => [member.name, member]))
  }

  /** Checks that every name is a known one; an unknown one would silently switch something off (THREATS B25). */
  static read(
    node: Node,
    place: Place,
    known: readonly string[],
    hints: ReadonlyMap<string, string> = new Map(),
  ): Section | undefined {
    if (node.kind !== 'object') return wrongKind(node, place, 'an object')
    for (const { name, nameStart } of node.members) {
      if (known.includes(name)) continue
      const where = place.path === '' ? '' : ` in \`${place.path}\``
      place.report.problem(
        nameStart,
        `unknown key \`${printable(name)}\`${where}`,
        hints.get(name) ?? didYouMean(name, known) ?? `known here: ${known.join(', ')}`,
      )
    }
    return new Section(node, place)
  }

  has(name: string): boolean {
    return this.#members.has(name)
  }

  member(name: string): Member | undefined {
    return this.#members.get(name)
  }

  place(name: string): Place {
    return { report: this.#place.report, path: join(this.#place.path, name) }
  }

  /** A value that must be there. A misspelt name has its own complaint and is not also called missing. */
  required<T>(name: string, read: Read<T>, hint?: string): T | undefined {
    const member = this.#members.get(name)
    if (member !== undefined) return read(member.value, this.place(name))
    const misspelt = [...this.#members.keys()].some((other) => nearestName(other, [name]) === name)
    if (!misspelt) {
      const path = this.place(name).path
      this.#place.report.problem(this.node.start, `\`${path}\` is missing`, hint)
    }
    return undefined
  }

  /** A value that may be left out. When it is there and wrong, `fallback` only stands in until the complaint is shown. */
  optional<T, F>(name: string, read: Read<T>, fallback: F): T | F {
    const member = this.#members.get(name)
    return member === undefined ? fallback : (read(member.value, this.place(name)) ?? fallback)
  }
}

function join(path: string, name: string): string {
  return path === '' ? printable(name) : `${path}.${printable(name)}`
}
