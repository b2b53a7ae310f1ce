import type { Word, WordPart } from 'unbash'
import { foldText } from '../fold.ts'

/** One word of a command, as far as the text alone says what it is. */
export interface ShellWord {
  /** What the shell makes of it; undefined when that depends on more than the text. */
  readonly text: string | undefined
  /** As it is written. */
  readonly written: string
  /**
   * The program that is started when the word is a command's name: without its folder, folded; undefined when it cannot
   * be told.
   */
  readonly program: string | undefined
  /** What it surely begins with; empty when it may become several words. */
  readonly head: string
}

/** A word of an argument list, which no shell has looked at. */
export function plainWord(text: string): ShellWord {
  return { text, written: text, program: programOf(text), head: text }
}

/** A word of a command line. */
export function shellWord(word: Word): ShellWord {
  const { parts, value, text } = word
  if (parts === undefined || parts.every(isLiteral)) {
    return { text: value, written: text, program: programOf(value), head: value }
  }
  const isOne = !parts.some(maySplit)
  const tail = isOne ? (literalText(parts.at(-1)) ?? '') : ''
  const folder = tail.lastIndexOf('/')
  return {
    text: undefined,
    written: text,
    // Of `"$HOME/bin/tool"` only the folder is unknown.
    program: folder === -1 ? undefined : programOf(tail.slice(folder)),
    head: isOne ? (literalText(parts[0], 'first') ?? '') : '',
  }
}

function isLiteral(part: WordPart): boolean {
  if (part.type === 'DoubleQuoted' || part.type === 'LocaleString') {
    return part.parts.every(({ type }) => type === 'Literal')
  }
  return part.type === 'Literal' || part.type === 'SingleQuoted' || part.type === 'AnsiCQuoted'
}

const alwaysOneWord: ReadonlySet<WordPart['type']> = new Set([
  ...(['Literal', 'SingleQuoted', 'AnsiCQuoted', 'Glob', 'ExtendedGlob'] as const),
])

/** Whether one word may become several: every expansion without quotes, and in quotes those of lists. */
function maySplit(part: WordPart): boolean {
  if (part.type === 'DoubleQuoted' || part.type === 'LocaleString') return part.text.includes('@')
  return !alwaysOneWord.has(part.type)
}

/** The literal text at the end of a part, or at its beginning. */
function literalText(
  part: WordPart | undefined,
  end: 'first' | 'last' = 'last',
): string | undefined {
  if (part?.type === 'DoubleQuoted') {
    const inner = end === 'first' ? part.parts[0] : part.parts.at(-1)
    return inner?.type === 'Literal' ? inner.value : undefined
  }
  const isText =
    part?.type === 'Literal' || part?.type === 'SingleQuoted' || part?.type === 'AnsiCQuoted'
  return isText ? part.value : undefined
}

/** What a program's name is made of; anything else may mean something to another shell, such as `r^m` and `%COMSPEC%`. */
const plainName = /^(?:[\p{L}\p{N}_.,+@~:/\\-]*|\[)$/u
/** A folder in quotes may also have spaces in its name. */
const spacedFolder = /^(?:[a-z]:)?[/\\][\p{L}\p{N}_.,+@~:/\\ -]*[/\\]/u
const trailingDots = /(?<!\.)\.+$/
const extension = /(?<=.)\.(?:exe|com|cmd|bat|ps1)$/

/** The name of the program that a word starts, by whichever of its names a system finds it. */
export function programOf(word: string): string | undefined {
  const folded = foldText(word)
  if (folded === undefined) return undefined
  const path = folded.replace(spacedFolder, '')
  if (!plainName.test(path)) return undefined
  const name = path.replace(/^.*[/\\]/s, '')
  // Windows takes no notice of dots at the end.
  return (/[^.]/.test(name) ? name.replace(trailingDots, '') : name).replace(extension, '')
}
