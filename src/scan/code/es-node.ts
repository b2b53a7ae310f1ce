import { TooMuchCode } from './bounds.ts'

/** A node of the tree that the parser of JavaScript makes (ESTree and TS-ESTree). */
export interface EsNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** Whether a value is a node. */
export function isNode(value: unknown): value is EsNode {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    'start' in value &&
    typeof value.start === 'number'
  )
}

/** A child of a node under a name. */
export function childOf(node: EsNode, name: string): EsNode | undefined {
  const value = node[name]
  return isNode(value) ? value : undefined
}

/** The children of a node under a name, without the holes that a list may have. */
export function childrenOf(node: EsNode, name: string): readonly EsNode[] {
  const value: unknown = node[name]
  return Array.isArray(value) ? value.filter(isNode) : []
}

/** A text of a node under a name. */
export function textOf(node: EsNode | undefined, name: string): string | undefined {
  const value = node?.[name]
  return typeof value === 'string' ? value : undefined
}

/** Every child of a node, whatever it is called. */
export function everyChild(node: EsNode): readonly EsNode[] {
  const found: EsNode[] = []
  for (const value of Object.values(node)) {
    if (isNode(value)) found.push(value)
    else if (Array.isArray(value)) found.push(...value.filter(isNode))
  }
  return found
}

/** The name of a key that is known: `a`, `'a'`; undefined when it is computed. */
export function keyOf(node: EsNode, name = 'key'): string | undefined {
  const key = childOf(node, name)
  if (key === undefined) return undefined
  if (key.type === 'PrivateIdentifier') return `#${textOf(key, 'name') ?? ''}`
  if (key.type === 'Literal') return textOf(key, 'value')
  return node['computed'] === true ? undefined : textOf(key, 'name')
}

/** The text of a literal, or of a template without parts to fill in. */
export function literalText(node: EsNode | undefined): string | undefined {
  if (node?.type === 'Literal') return textOf(node, 'value')
  if (node?.type !== 'TemplateLiteral' || childrenOf(node, 'expressions').length > 0)
    return undefined
  const [part] = childrenOf(node, 'quasis')
  const value = part?.['value']
  return typeof value === 'object' && value !== null && 'cooked' in value
    ? textOf({ type: '', start: 0, end: 0, ...value }, 'cooked')
    : undefined
}

/** Counts what is read, so that no file takes more than its share. */
export class NodeBudget {
  readonly #most: { readonly nodes: number; readonly depth: number }
  #nodes = 0
  #depth = 0

  constructor(most: { readonly nodes: number; readonly depth: number }) {
    this.#most = most
  }

  /**
   * Does one step deeper.
   *
   * @throws TooMuchCode
   */
  within<T>(step: () => T): T {
    this.#nodes += 1
    this.#depth += 1
    if (this.#nodes > this.#most.nodes)
      throw new TooMuchCode(`it has more than ${String(this.#most.nodes)} nodes`)
    if (this.#depth > this.#most.depth)
      throw new TooMuchCode(`it is nested more than ${String(this.#most.depth)} deep`)
    const answer = step()
    this.#depth -= 1
    return answer
  }
}
