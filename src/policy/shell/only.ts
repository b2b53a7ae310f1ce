import { harmlessStart, isHarmlessWith } from './harmless.ts'
import { isPlainName, isPlainWord } from './plain.ts'
import type { PlainCommand } from './plain.ts'
import { isRunner } from './runners.ts'
import { programOf } from './word.ts'

/** One of the only commands that may run. */
export interface ListedCommand {
  readonly words: readonly string[]
  /** Whether more words may follow, as a star at the end says. */
  readonly isOpen: boolean
}

/** Reads an entry of the list; undefined when it is none. */
export function readListed(written: string): ListedCommand | undefined {
  const words = written.split(' ').filter((word) => word !== '')
  const isOpen = words.length > 1 && words.at(-1) === '*'
  const fixed = isOpen ? words.slice(0, -1) : words
  const [name = '', ...rest] = fixed
  return isPlainName(name) && rest.every(isPlainWord) ? { words: fixed, isOpen } : undefined
}

/** Whether an entry would let through whatever somebody writes behind it, or into its input. */
export function isTooWide({ words, isOpen }: ListedCommand): boolean {
  const [name = ''] = words
  if (!isOpen && words.length > 1) return false
  return harmlessStart(words) === undefined && isRunner(programOf(name) ?? name)
}

/**
 * Whether a plain command is one of those listed.
 *
 * An entry stands for itself, word for word. More words may follow where it is the bare name of a command that only
 * reads and prints, whatever it is told (`ls`, `git status`; see `harmless.ts`), but for the options that are known to
 * do more; and behind a star, where of other commands no word may be an option, or set anything. What reads another
 * command's output must be such a harmless command itself, because others may run what they read.
 */
export function isListed(
  { words, isPiped }: PlainCommand,
  listed: readonly ListedCommand[],
): boolean {
  const start = harmlessStart(words)
  if (isPiped && start === undefined) return false
  return listed.some((entry) => fits(words, entry, start))
}

function fits(
  words: readonly string[],
  { words: fixed, isOpen }: ListedCommand,
  start: string | undefined,
): boolean {
  if (!fixed.every((word, at) => words[at] === word)) return false
  const rest = words.slice(fixed.length)
  if (rest.length === 0) return true
  // A shell to which a quote is none sees several words in it; PowerShell does behind commas, and batch files behind `=`.
  const pieces = rest.flatMap((word) => word.split(/[ ,=]/))
  const isBare = start !== undefined && start === fixed.join(' ')
  const isKnown = start !== undefined && start.split(' ').length <= fixed.length
  if (isBare || (isOpen && isKnown)) return pieces.every((piece) => isHarmlessWith(start, piece))
  const setsNone = rest.every((word) => !word.includes('='))
  return isOpen && setsNone && pieces.every((piece) => /^\w/.test(piece))
}
