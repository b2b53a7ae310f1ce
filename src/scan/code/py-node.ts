import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Language, Parser, type Tree, type TreeCursor } from 'web-tree-sitter'
import { codeBounds, TooMuchCode } from './bounds.ts'
import type { At } from './tree.ts'

/** A node of the tree that the parser of Python makes, without punctuation. */
export interface PyNode extends At {
  readonly type: string
  /** What it is to the node that holds it. */
  readonly field: string | undefined
  readonly children: readonly PyNode[]
  /** Its text; only asked of what is short. */
  readonly text: string
}

/** What a file of Python was read as. */
export interface PyTree {
  readonly root: PyNode
  readonly comments: readonly PyNode[]
  /** The first place that is no Python. */
  readonly error: number | undefined
}

const grammars = ['../python.wasm', '../../../dist/scan/python.wasm']

/** The build puts the grammar beside what it compiles. */
const grammar = grammars
  .map((path) => fileURLToPath(new URL(path, import.meta.url)))
  .find((path) => existsSync(path))

/** A kind of node in the grammar. */
interface NodeType {
  readonly name: string
  readonly isNamed: boolean
}

interface Python {
  readonly parser: Parser
  readonly types: readonly NodeType[]
}

let python: Promise<Python> | undefined

async function loadPython(): Promise<Python> {
  if (grammar === undefined)
    throw new Error('the grammar of Python is not part of this installation')
  await Parser.init()
  const language = await Language.load(readFileSync(grammar))
  const types = language.types.map((name, id) => ({ name, isNamed: language.nodeTypeIsNamed(id) }))
  return { parser: new Parser().setLanguage(language), types }
}

/**
 * Reads Python.
 *
 * @throws TooMuchCode
 */
export async function parsePython(text: string): Promise<PyTree> {
  python ??= loadPython()
  const { parser, types } = await python
  const tree = parser.parse(text)
  if (tree === null) throw new TooMuchCode('its parser gave up')
  try {
    return new TreeReader(tree, text, types).read()
  } finally {
    tree.delete()
  }
}

interface OpenNode extends PyNode {
  readonly children: PyNode[]
}

/** What holds nothing that is looked at: each look into the parser's memory costs a call. */
const leaves = new Set([
  'comment',
  'dotted_name',
  'ellipsis',
  'escape_sequence',
  'false',
  'float',
  'identifier',
  'integer',
  'none',
  'string_content',
  'string_end',
  'string_start',
  'true',
])

/** A string with parts to fill in; every other one is read from its text. */
const filledString = /^[rub]*[ft]/i

/** Takes a tree out of the parser's memory. */
class TreeReader {
  readonly #cursor: TreeCursor
  readonly #text: string
  readonly #types: readonly NodeType[]
  readonly #fields: readonly (string | null)[]
  readonly #hasError: boolean
  readonly #comments: PyNode[] = []
  #nodes = 0
  #error: number | undefined

  constructor(tree: Tree, text: string, types: readonly NodeType[]) {
    this.#cursor = tree.walk()
    this.#text = text
    this.#types = types
    this.#fields = tree.language.fields
    this.#hasError = tree.rootNode.hasError
  }

  read(): PyTree {
    const cursor = this.#cursor
    const root = this.#node('module')
    const path: OpenNode[] = [root]
    let isDown = cursor.gotoFirstChild()
    while (isDown || path.length > 1) {
      if (!isDown) {
        path.pop()
        cursor.gotoParent()
        isDown = cursor.gotoNextSibling()
        continue
      }
      isDown = this.#step(path)
    }
    cursor.delete()
    const error = this.#error ?? (this.#hasError ? 0 : undefined)
    return { root, comments: this.#comments, error }
  }

  /** Takes the node at the cursor, and goes to the next one; whether there is one before the holder ends. */
  #step(path: OpenNode[]): boolean {
    const cursor = this.#cursor
    const holder = path.at(-1)
    const id = cursor.nodeTypeId
    // Errors have a number of their own, far from those of the grammar.
    const type = this.#types[id] ?? { name: 'ERROR', isNamed: true }
    // Punctuation, and what has no name in the grammar, says nothing that the fields do not say.
    if (type.isNamed && holder !== undefined) {
      const node = this.#node(type.name)
      if (type.name === 'comment') this.#comments.push(node)
      else holder.children.push(node)
      const isLeaf =
        leaves.has(type.name) ||
        (type.name === 'string' && !filledString.test(node.text.slice(0, 3)))
      if (!isLeaf && cursor.gotoFirstChild()) {
        path.push(node)
        if (path.length > codeBounds.depth)
          throw new TooMuchCode(`it is nested more than ${String(codeBounds.depth)} deep`)
        return true
      }
    }
    return cursor.gotoNextSibling()
  }

  #node(type: string): OpenNode {
    const cursor = this.#cursor
    this.#nodes += 1
    if (this.#nodes > codeBounds.nodes)
      throw new TooMuchCode(`it has more than ${String(codeBounds.nodes)} nodes`)
    const start = cursor.startIndex
    if (this.#hasError && (type === 'ERROR' || cursor.nodeIsMissing)) this.#error ??= start
    return new Piece({
      type,
      start,
      end: cursor.endIndex,
      field: this.#fields[cursor.currentFieldId] ?? undefined,
      whole: this.#text,
    })
  }
}

/** A node whose text is taken only when it is asked for. */
class Piece implements OpenNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly field: string | undefined
  readonly children: PyNode[] = []
  readonly #whole: string

  constructor({
    type,
    start,
    end,
    field,
    whole,
  }: At & Pick<PyNode, 'type' | 'field'> & { readonly whole: string }) {
    this.type = type
    this.start = start
    this.end = end
    this.field = field
    this.#whole = whole
  }

  get text(): string {
    return this.#whole.slice(this.start, this.end)
  }
}

/** The child of a node that is something to it. */
export function pyChild(node: PyNode, field: string): PyNode | undefined {
  return node.children.find((child) => child.field === field)
}

/** The children of a node that are something to it. */
export function pyChildren(node: PyNode, field: string): readonly PyNode[] {
  return node.children.filter((child) => child.field === field)
}

/** The text of a string that is known: without parts to fill in, its escapes as they stand for simple ones. */
export function pyText(node: PyNode | undefined): string | undefined {
  if (node === undefined) return undefined
  if (node.type === 'concatenated_string') {
    const parts = node.children.map(pyText)
    return parts.includes(undefined) ? undefined : parts.join('')
  }
  if (node.type !== 'string') return undefined
  // One with parts to fill in has them as children.
  if (node.children.some(({ type }) => !/^string_(?:start|content|end)$/.test(type)))
    return undefined
  const found = /^(?<prefix>[a-z]*)(?<quote>"""|'''|"|')(?<inside>.*)\k<quote>$/is.exec(node.text)
  const { prefix = '', inside } = found?.groups ?? {}
  if (inside === undefined || /b/i.test(prefix)) return undefined
  return /r/i.test(prefix) ? inside : unescaped(inside)
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '' }

function unescaped(text: string): string {
  return text.replaceAll(
    /\\(?:x(?<hex>[0-9a-f]{2})|u(?<wide>[0-9a-f]{4})|(?<one>.))/gis,
    (_all, hex?: string, wide?: string, one: string = '') => {
      const code = hex ?? wide
      return code === undefined
        ? (escapes[one] ?? one)
        : String.fromCodePoint(Number.parseInt(code, 16))
    },
  )
}
