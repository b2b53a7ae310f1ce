import type { CharSet } from './char-set.ts'
import { anyChar, only, pointsOf } from './char-set.ts'

/** What an assertion between two characters may ask; the bits are those of RE2. */
export const assertions = {
  lineStart: 1,
  lineEnd: 2,
  textStart: 4,
  textEnd: 8,
  wordBorder: 16,
  noWordBorder: 32,
} as const

/** A node of an automaton: it reads a character, forks, asserts something about where it stands, or accepts. */
export type Node =
  | { readonly kind: 'char'; readonly set: CharSet; readonly next: number }
  | { readonly kind: 'fork'; readonly next: readonly number[] }
  | { readonly kind: 'assert'; readonly bits: number; readonly next: number }
  | { readonly kind: 'accept' }

/** A set of texts, as an automaton that may be in several nodes at once. */
export interface Language {
  readonly nodes: readonly Node[]
  readonly start: number
}

/** What languages are built of. */
export type Expression =
  | { readonly kind: 'char'; readonly set: CharSet }
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'either'; readonly parts: readonly Expression[] }
  | { readonly kind: 'many'; readonly part: Expression }
  /** An automaton that was made elsewhere. */
  | { readonly kind: 'language'; readonly language: Language }

/** One character of a set. */
export function char(set: CharSet): Expression {
  return { kind: 'char', set }
}

/** One part after the other. */
export function sequence(...parts: readonly Expression[]): Expression {
  return { kind: 'sequence', parts }
}

/** One of several parts; without any, nothing at all. */
export function either(parts: readonly Expression[]): Expression {
  return { kind: 'either', parts }
}

/** A part any number of times, also none. */
export function many(part: Expression): Expression {
  return { kind: 'many', part }
}

/** A part, or nothing. */
export function optional(part: Expression): Expression {
  return either([part, sequence()])
}

/** A text as it is. */
export function literal(text: string): Expression {
  return sequence(...pointsOf(text).map((one) => char(only(one))))
}

/** Any text. */
export const anything: Expression = many(char(anyChar))

/** The automaton of an expression. */
export function languageOf(expression: Expression): Language {
  const nodes: Node[] = [{ kind: 'accept' }]
  const start = emit(nodes, expression, 0)
  return { nodes, start }
}

/** Adds the nodes of an expression that goes on at `next`, and gives the one where it begins. */
function emit(nodes: Node[], expression: Expression, next: number): number {
  switch (expression.kind) {
    case 'char':
      return nodes.push({ kind: 'char', set: expression.set, next }) - 1
    case 'sequence':
      return expression.parts.reduceRight((after, part) => emit(nodes, part, after), next)
    case 'either':
      return fork(
        nodes,
        expression.parts.map((part) => emit(nodes, part, next)),
      )
    case 'many': {
      const loop = fork(nodes, [])
      const inner = emit(nodes, expression.part, loop)
      nodes[loop] = { kind: 'fork', next: [inner, next] }
      return loop
    }
    case 'language':
      return embed(nodes, expression.language, next)
  }
}

function fork(nodes: Node[], next: readonly number[]): number {
  return nodes.push({ kind: 'fork', next }) - 1
}

/** Copies an automaton; where it accepted it goes on. */
function embed(nodes: Node[], language: Language, next: number): number {
  const offset = nodes.length
  for (const node of language.nodes) nodes.push(moved(node, offset, next))
  return language.start + offset
}

function moved(node: Node, offset: number, next: number): Node {
  switch (node.kind) {
    case 'accept':
      return { kind: 'fork', next: [next] }
    case 'fork':
      return { kind: 'fork', next: node.next.map((one) => one + offset) }
    case 'char':
    case 'assert':
      return { ...node, next: node.next + offset }
  }
}
