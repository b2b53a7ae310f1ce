import type { TreeHead } from '../audit/tree.ts'

/** The tree that a head's row holds; whether it is one, `isTreeHead` says. */
export function parseTree({
  size,
  frontier,
}: {
  readonly size: number
  readonly frontier: Buffer
}): TreeHead {
  const hex = frontier.toString('hex')
  return { size, frontier: hex.match(/.{1,64}/g) ?? [] }
}

/** The frontier of a tree as it stands in the row. */
export function frontierBytes({ frontier }: TreeHead): Buffer {
  return Buffer.from(frontier.join(''), 'hex')
}

/** A node as it stands in a row. */
export function nodeBuffer(hex: string): Buffer {
  return Buffer.from(hex, 'hex')
}
