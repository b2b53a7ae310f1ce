import { ParseError, parseTOML } from 'toml-eslint-parser'
import type { AST } from 'toml-eslint-parser'
import type { Tree, TreeMember, Written } from './tree.ts'
import { lineEnd, UnreadableFile } from './tree.ts'

/**
 * Reads TOML 1.0.
 *
 * @throws UnreadableFile
 */
export function readToml(text: string): Tree {
  // A byte order mark belongs to no value; a blank in its place keeps every offset.
  const plain = text.replace(/^\uFEFF/, ' ')
  try {
    return new TomlReader(plain).root(parseTOML(plain, { tomlVersion: '1.0' }))
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    throw new UnreadableFile(
      `line ${error.lineNumber}, column ${error.column + 1}: ${error.message}`,
      { cause: error },
    )
  }
}

interface Growing {
  readonly members: Map<string, TreeMember | Growing>
}

class TomlReader {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  root(program: AST.TOMLProgram): Tree {
    const root: Growing = { members: new Map() }
    for (const part of program.body[0].body) {
      if (part.type === 'TOMLKeyValue') this.#put(root, part, 'line')
      // Servers never stand in an array of tables; what does is not looked at.
      else if (part.kind === 'standard') {
        const at = grown(root, part.resolvedKey.map(String))
        for (const pair of part.body) this.#put(at, pair, 'line')
      }
    }
    return finished(root)
  }

  #put(at: Growing, pair: AST.TOMLKeyValue, style: 'line' | 'inline'): void {
    const names = pair.key.keys.map(nameOf)
    const last = names.pop() ?? ''
    grown(at, names).members.set(last, this.#member(pair, last, style))
  }

  #member(pair: AST.TOMLKeyValue, name: string, style: 'line' | 'inline'): TreeMember {
    const [start, end] = pair.value.range
    const own = pair.key.keys.at(-1)
    // `command` of a dotted `git.command` is followed by a dotted `git.args`.
    const before = this.#text.slice(pair.key.range[0], own?.range[0] ?? pair.key.range[0])
    const between = style === 'inline' ? ', ' : this.#newLine(pair.range[0])
    return {
      name,
      value: this.#tree(pair.value),
      slot: { start, end, print },
      behind: (other, value) => `${between}${before}${other} = ${print(value)}`,
    }
  }

  /** A new line that begins as far to the right as that of the offset. */
  #newLine(offset: number): string {
    const start = this.#text.lastIndexOf('\n', offset - 1) + 1
    return lineEnd(this.#text) + (/^[ \t]*/.exec(this.#text.slice(start, offset))?.[0] ?? '')
  }

  #tree(node: AST.TOMLContentNode): Tree {
    if (node.type === 'TOMLArray')
      return { kind: 'list', items: node.elements.map((one) => this.#tree(one)) }
    if (node.type === 'TOMLInlineTable') {
      const at: Growing = { members: new Map() }
      for (const pair of node.body) this.#put(at, pair, 'inline')
      return finished(at)
    }
    if (node.kind === 'string') return { kind: 'text', value: node.value }
    const { value } = node
    const isPlain = typeof value === 'boolean' || typeof value === 'number'
    return { kind: 'other', value: isPlain ? value : undefined }
  }
}

function nameOf(key: AST.TOMLBare | AST.TOMLQuoted): string {
  return key.type === 'TOMLBare' ? key.name : key.value
}

function grown(root: Growing, names: readonly string[]): Growing {
  let at = root
  for (const name of names) {
    const there = at.members.get(name)
    const next: Growing = there !== undefined && 'members' in there ? there : { members: new Map() }
    at.members.set(name, next)
    at = next
  }
  return at
}

function finished({ members }: Growing): Tree {
  return {
    kind: 'object',
    members: Array.from(members, ([name, member]) =>
      'members' in member ? { ...tableOnly, name, value: finished(member) } : member,
    ),
  }
}

/** A table that is spread over the file has no one place; only its values are ever written. */
const tableOnly: Pick<TreeMember, 'slot' | 'behind'> = {
  slot: undefined,
  behind: () => '',
}

/** JSON's escapes are TOML's, but for the one character that JSON need not escape. */
function print(value: Written): string {
  const text = (one: string): string => JSON.stringify(one).replaceAll('\u007F', '\\u007F')
  return typeof value === 'string' ? text(value) : `[${value.map(text).join(', ')}]`
}
