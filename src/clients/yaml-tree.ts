import { isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml'
import type { Node, Pair, Scalar, YAMLMap } from 'yaml'
import type { Slot, Tree, TreeMember, Written } from './tree.ts'
import { lineEnd, UnreadableFile } from './tree.ts'

/**
 * Reads YAML 1.2, one document.
 *
 * @throws UnreadableFile
 */
export function readYaml(text: string): Tree {
  // A byte order mark belongs to no value; offsets are those behind it.
  const mark = text.startsWith('\uFEFF') ? 1 : 0
  const document = parseDocument(text.slice(mark), { uniqueKeys: true })
  const [error] = document.errors
  if (error !== undefined) {
    const [place] = error.linePos ?? []
    const where = place === undefined ? '' : `line ${place.line}, column ${place.col}: `
    const [what = ''] = error.message.split('\n')
    throw new UnreadableFile(`${where}${what}`, { cause: error })
  }
  return new YamlReader(text, mark).tree(document.contents)
}

const unclear: Tree = { kind: 'other', value: undefined }

class YamlReader {
  readonly #text: string
  readonly #mark: number

  constructor(text: string, mark: number) {
    this.#text = text
    this.#mark = mark
  }

  tree(node: unknown): Tree {
    // What has a name or a type of its own may stand elsewhere too, or mean something else.
    if (node === null) return { kind: 'other', value: null }
    if (isMap(node)) return hasProperties(node) ? unclear : this.#map(node)
    if (isSeq(node)) {
      if (hasProperties(node)) return unclear
      return { kind: 'list', items: node.items.map((item) => this.tree(item)) }
    }
    if (!isScalar(node) || hasProperties(node)) return unclear
    const { value } = node
    if (typeof value === 'string') return { kind: 'text', value }
    const isPlain = typeof value === 'boolean' || typeof value === 'number' || value === null
    return { kind: 'other', value: isPlain ? value : undefined }
  }

  #map(map: YAMLMap): Tree {
    const members = map.items.flatMap((pair) => this.#member(pair, map.flow === true))
    return { kind: 'object', members }
  }

  #member(pair: Pair, isFlow: boolean): readonly TreeMember[] {
    const { key, value } = pair
    if (!isPair(pair) || !isScalar(key) || typeof key.value !== 'string') return []
    const slot = this.#slot(key, value)
    if (slot === undefined) return [{ name: key.value, value: this.tree(value), ...nowhere }]
    const keyStart = (key.range?.[0] ?? 0) + this.#mark
    const between = isFlow ? ', ' : this.#newLine(keyStart)
    return [
      {
        name: key.value,
        value: this.tree(value),
        slot,
        behind: (other, written) => `${between}${other}: ${print(written)}`,
      },
    ]
  }

  /** From the end of the key on: what stands in the place of a block has to stand behind the colon. */
  #slot(key: Scalar, value: unknown): Slot | undefined {
    const range = isRanged(value) ? value.range : undefined
    if (key.range === undefined || key.range === null || range === undefined) return undefined
    const [start, end] = [key.range[1] + this.#mark, range[1] + this.#mark]
    if (!/^\s*:/.test(this.#text.slice(start, end))) return undefined
    // A block ends with its last line, whose end belongs to what follows.
    const trimmed = this.#text.slice(start, end).trimEnd()
    return { start, end: start + trimmed.length, print: (written) => `: ${print(written)}` }
  }

  #newLine(keyStart: number): string {
    const start = this.#text.lastIndexOf('\n', keyStart - 1) + 1
    return lineEnd(this.#text) + ' '.repeat(keyStart - start)
  }
}

const nowhere: Pick<TreeMember, 'slot' | 'behind'> = {
  slot: undefined,
  behind: () => '',
}

function isRanged(value: unknown): value is Node & { range: readonly [number, number, number] } {
  return (
    typeof value === 'object' && value !== null && 'range' in value && Array.isArray(value.range)
  )
}

function hasProperties(node: Node): boolean {
  return Reflect.get(node, 'anchor') !== undefined || node.tag !== undefined
}

/** JSON's strings are YAML's too. */
function print(value: Written): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : `[${value.map((one) => JSON.stringify(one)).join(', ')}]`
}
