import { printable } from '../event/printable.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

/** An entry of the file on one line, such as `amount_gt: 1000`. */
export function writtenEntry(text: string, { key, value }: YamlEntry): string {
  return printable(`${key}: ${inFlow(text, value)}`, maxCharacters)
}

/** A node of the file on one line, its scalars as they are written. */
export function writtenNode(text: string, node: YamlNode): string {
  return printable(inFlow(text, node), maxCharacters)
}

/** The same without a bound, to tell what one file says from what another does. */
export function wholeEntry(text: string, { key, value }: YamlEntry): string {
  return `${key}: ${inFlow(text, value)}`
}

const maxCharacters = 200

function inFlow(text: string, node: YamlNode): string {
  if (node.kind === 'map') {
    return `{${node.entries.map(({ key, value }) => `${key}: ${inFlow(text, value)}`).join(', ')}}`
  }
  if (node.kind === 'list') return `[${node.items.map((item) => inFlow(text, item)).join(', ')}]`
  return text.slice(node.start, node.end).trim().replace(/\s+/g, ' ')
}
