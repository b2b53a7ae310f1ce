import { KnownNames } from './fold.ts'

/** A part of a message's bytes: `start` is the first byte, `end` the one after the last. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** Where a value stands, and where those of its members stand that were asked for. */
export interface SpanNode extends Span {
  /** In the order of the text; a name occurs more than once where the text repeats it. */
  readonly members: readonly MemberSpan[]
}

/** Where a member's value stands, without its name and colon. */
export interface MemberSpan extends SpanNode {
  /** The name after unescaping. */
  readonly name: string
}

/** Which members of an object to record: those with an entry, and of their values what the entry says. */
export interface Wanted {
  get(name: string): Wanted | undefined
}

/** A tree of member names, such as `{ params: { name: {} } }`. */
export interface WantedNames {
  readonly [name: string]: WantedNames
}

/** Makes a scanner's question of a tree of member names. */
export function wanted(names: WantedNames): Wanted {
  return new Map(Object.entries(names).map(([name, inner]) => [name, wanted(inner)]))
}

/** As `wanted`, but also finds members under every name that a lenient reader takes for one of these. */
export function wantedUnderAnyName(names: WantedNames): Wanted {
  const known = new KnownNames(Object.keys(names))
  const inner = new Map(
    Object.entries(names).map(([name, below]) => [name, wantedUnderAnyName(below)]),
  )
  return { get: (name) => inner.get(known.meantBy(name) ?? '') }
}

/** The first member of that name. */
export function memberOf(node: SpanNode | undefined, name: string): MemberSpan | undefined {
  return node?.members.find((member) => member.name === name)
}

/** Where the first member of that name stands, and nothing else. */
export function spanOf(node: SpanNode | undefined, name: string): Span | undefined {
  const member = memberOf(node, name)
  return member && { start: member.start, end: member.end }
}
