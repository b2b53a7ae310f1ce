import { ActionEvent } from '../../event/action-event.ts'
import { isRiskLevel } from '../../event/capability.ts'
import type { EventContext } from '../../event/event.ts'
import { CapFenceError } from '../../errors.ts'
import type { JsonValue } from '../../json/value.ts'
import type { Pointer } from '../pointer.ts'
import type { Attribute, NameField, Unaimed } from './attribute.ts'
import type { Candidate } from './element.ts'

/** What stands where some attributes look. */
export interface Choice {
  readonly attribute: Attribute
  readonly elements: readonly Candidate[]
}

/**
 * Builds a call; undefined when what was chosen cannot stand in one together.
 *
 * @param isFree whether an argument may have a name
 */
export function buildEvent(
  choices: readonly Choice[],
  isFree: (name: string) => boolean,
): ActionEvent | undefined {
  const builder = new EventBuilder(isFree)
  for (const choice of choices) builder.add(choice)
  try {
    return builder.event()
  } catch (error) {
    // A name that is too long, a pointer into a text: then these choices make no call, which is the answer.
    if (error instanceof CapFenceError) return undefined
    throw error
  }
}

/** An object that is being built; it has no prototype. */
type Tree = Record<string, JsonValue>

const usualNames: Readonly<Record<NameField, string>> = {
  resource: 'files',
  action: 'read',
  scope: 'workspace',
}

/** Names under which conditions that do not aim find what they look for, each with the first that is free. */
const freeNames: Readonly<Record<Unaimed, readonly string[]>> = {
  amounts: ['amount', 'total', 'price', 'cost', 'sum', 'qty', 'quantity', 'subtotal'],
  paths: ['path', 'file', 'folder', 'source', 'destination', 'root', 'uri', 'dir', 'cwd', 'to'],
  tables: ['table', 'tables', 'tbl', 'table_name'],
  texts: ['text', 'note', 'comment', 'title', 'body', 'message', 'x', 'y', 'q', 'z'],
}

class EventBuilder {
  readonly #names = { ...usualNames }
  readonly #context = new Map<string, string>()
  readonly #root: Tree = emptyTree()
  readonly #unaimed: (readonly [Unaimed, readonly Candidate[]])[] = []
  readonly #taken = new Set<string>()
  readonly #isFree: (name: string) => boolean

  constructor(isFree: (name: string) => boolean) {
    this.#isFree = isFree
  }

  add({ attribute, elements }: Choice): void {
    const [first] = elements
    switch (attribute.kind) {
      case 'name':
        if (first?.kind === 'value') this.#names[attribute.field] = textOf(first.value)
        break
      case 'context':
        if (first?.kind === 'value') this.#context.set(attribute.field, textOf(first.value))
        break
      case 'argument':
        this.#taken.add((attribute.pointer.tokens[0] ?? '').toLowerCase())
        this.#place(attribute.pointer, elements)
        break
      case 'unaimed':
        this.#unaimed.push([attribute.of, elements])
        break
      case 'free':
        break
    }
  }

  event(): ActionEvent {
    for (const [of, elements] of this.#unaimed) this.#addUnaimed(of, elements)
    const { actor = 'agent', environment, risk, ...context } = Object.fromEntries(this.#context)
    const known: EventContext = context
    return ActionEvent.of({
      actor,
      capability: { ...this.#names },
      ...(environment === undefined ? {} : { environment }),
      ...(isRiskLevel(risk) ? { risk } : {}),
      arguments: this.#root,
      context: known,
    })
  }

  #addUnaimed(of: Unaimed, elements: readonly Candidate[]): void {
    const names = freeNames[of].filter((name) => {
      return this.#isFree(name) && !this.#taken.has(name) && !(name in this.#root)
    })
    for (const [index, element] of elements.entries()) {
      const name = names[index]
      if (name !== undefined && element.kind === 'value') this.#root[name] = element.value
    }
  }

  #place({ tokens }: Pointer, elements: readonly Candidate[]): void {
    placeAt(this.#root, tokens, elements)
  }
}

/** Puts elements where a pointer leads, and makes the way there. */
function placeAt(
  tree: Tree,
  [token, ...rest]: readonly (string | undefined)[],
  elements: readonly Candidate[],
): void {
  if (token === undefined) {
    for (const [index, element] of elements.entries()) {
      const value = itemOf(rest, element)
      if (value !== undefined) tree[String.fromCodePoint(0x61 + (index % 26))] = value
    }
    return
  }
  const [first] = elements
  if (rest.length === 0) placeLast(tree, token, first)
  else if (first?.kind === 'unreadable') tree[token] = 'a'
  else if (rest[0] === undefined) placeList(tree, token, rest.slice(1), elements)
  else placeInside(tree, token, rest, elements)
}

function placeLast(tree: Tree, token: string, element: Candidate | undefined): void {
  // What stands there already has something inside that another pointer leads to.
  if (element?.kind === 'value') tree[token] = tree[token] ?? element.value
  if (element?.kind === 'variant') tree[otherCase(token)] = element.value
}

function placeList(
  tree: Tree,
  token: string,
  rest: readonly (string | undefined)[],
  elements: readonly Candidate[],
): void {
  const isAbsent = elements.length === 1 && elements[0]?.kind === 'absent'
  if (isAbsent && rest.length === 0) return
  tree[token] = elements.flatMap((element) => itemOf(rest, element) ?? [])
}

function placeInside(
  tree: Tree,
  token: string,
  rest: readonly (string | undefined)[],
  elements: readonly Candidate[],
): void {
  // Nothing stands in an object that is not there either.
  if (elements[0]?.kind === 'absent' && tree[token] === undefined) return
  const inner = tree[token] ?? emptyTree()
  if (!isTree(inner)) return
  tree[token] = inner
  placeAt(inner, rest, elements)
}

/** One element of a list, with what it holds at the rest of the pointer; undefined for none. */
function itemOf(rest: readonly (string | undefined)[], element: Candidate): JsonValue | undefined {
  if (rest.length === 0) return element.kind === 'value' ? element.value : undefined
  if (element.kind === 'unreadable') return 'a'
  const inner = emptyTree()
  if (element.kind !== 'absent') placeAt(inner, rest, [element])
  return inner
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : ''
}

function emptyTree(): Tree {
  const tree: Record<string, JsonValue> = { __proto__: null }
  return tree
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null
}

/** The name as a lenient server knows it as well. */
function otherCase(name: string): string {
  const upper = name.toUpperCase()
  return upper === name ? name.toLowerCase() : upper
}
