import type { AsciiWindow } from './ascii-window.ts'

/** Longer names are seldom met again. */
const maxRememberedBytes = 32

const slotCount = 512

/** Names met lately, each in the slot of its hash; what is in one changes how fast a name is had, never which. */
const remembered: string[] = Array.from({ length: slotCount }, () => '')

/**
 * The ASCII name that stands from `start` to `end`.
 *
 * The same few names come in every message: one that is known already is not made, and not looked up by the engine,
 * again. That halves the time of a small message.
 */
export function nameAt(bytes: Buffer, window: AsciiWindow, start: number, end: number): string {
  if (end - start > maxRememberedBytes) return window.piece(start, end)
  let hash = 0
  for (let at = start; at < end; at++) hash = (hash * 31 + (bytes[at] ?? 0)) | 0
  const slot = hash & (slotCount - 1)
  const known = remembered[slot]
  if (known !== undefined && isAt(known, bytes, start, end)) return known
  const name = window.piece(start, end)
  remembered[slot] = name
  return name
}

function isAt(name: string, bytes: Buffer, start: number, end: number): boolean {
  if (name.length !== end - start) return false
  for (let k = 0; k < name.length; k++) {
    if (name.charCodeAt(k) !== bytes[start + k]) return false
  }
  return true
}
