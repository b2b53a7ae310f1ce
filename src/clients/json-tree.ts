import { parseJsonc } from '../config/jsonc.ts'
import type { Node } from '../config/jsonc.ts'
import type { Tree, TreeMember, Written } from './tree.ts'
import { UnreadableFile } from './tree.ts'

/**
 * Reads JSON, with comments and trailing commas where clients allow them.
 *
 * @throws UnreadableFile
 */
export function readJson(text: string): Tree {
  let broken: string | undefined
  const root = parseJsonc(text, (offset, message) => {
    // Also a name that is written twice: clients differ on which of the two they take.
    broken ??= `${placeOf(text, offset)}: ${message}`
  })
  if (root === undefined || broken !== undefined) throw new UnreadableFile(broken ?? 'it is empty')
  return treeOf(root)
}

function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n')
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`
}

function treeOf(node: Node): Tree {
  switch (node.kind) {
    case 'object':
      return { kind: 'object', members: node.members.map(memberTree) }
    case 'list':
      return { kind: 'list', items: node.items.map(treeOf) }
    case 'text':
      return { kind: 'text', value: node.value }
    case 'number':
      return { kind: 'other', value: Number(node.text) }
    case 'literal':
      return { kind: 'other', value: node.value }
    default:
      return node satisfies never
  }
}

function memberTree({ name, value }: { readonly name: string; readonly value: Node }): TreeMember {
  return {
    name,
    value: treeOf(value),
    slot: { start: value.start, end: value.end, print },
    behind: (other, written) => `, ${JSON.stringify(other)}: ${print(written)}`,
  }
}

function print(value: Written): string {
  return typeof value === 'string'
    ? JSON.stringify(value)
    : `[${value.map((one) => JSON.stringify(one)).join(', ')}]`
}
