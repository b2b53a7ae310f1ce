import { createHash } from 'node:crypto'
import type { RuleId } from './rules.ts'

/** Something that was found, before it is known in which file and at which line. */
export interface Spot {
  readonly rule: RuleId
  /** Offset in the text, UTF-16 code units. */
  readonly at: number
  /** Where it ends. */
  readonly end: number
  /** For people; never holds a secret. */
  readonly message: string
  /** What it is about, such as a tool's or a server's name: together with the rule it stays the same when lines move. */
  readonly subject: string
  /** What other files find it as, who may all give it to the gate. */
  readonly exportedAs?: readonly string[]
}

/** Something that was found. */
export interface Finding {
  readonly rule: RuleId
  /** Relative to the folder that was scanned, with `/`. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, UTF-16 code units. */
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  readonly message: string
  /** Tells it from other findings, and stays the same when lines are added above it. */
  readonly fingerprint: string
  /** Why it does not count; undefined when it does. */
  readonly ignored: string | undefined
  /** Whether it does not count because it was there before. */
  readonly isOld: boolean
}

/** A finding, before it is known what the other files of the project do. */
export interface FileFinding extends Finding {
  /** What they find it as; when all of them give it to the gate, it does not count. */
  readonly exportedAs: readonly string[]
}

/** The lines of a text, to say where an offset is. */
export class Lines {
  readonly #starts: readonly number[]

  constructor(text: string) {
    const starts = [0]
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
      starts.push(at + 1)
    this.#starts = starts
  }

  /** Line and column of an offset, both from 1. */
  placeOf(offset: number): { readonly line: number; readonly column: number } {
    let [low, high] = [0, this.#starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 }
  }
}

/** The findings that the spots of a file are, in the order of the file. */
export function findingsOf(
  file: string,
  text: string,
  spots: readonly Spot[],
): readonly FileFinding[] {
  const lines = new Lines(text)
  const seen = new Map<string, number>()
  return spots
    .toSorted((one, other) => one.at - other.at || one.rule.localeCompare(other.rule))
    .map(({ rule, at, end, message, subject, exportedAs = [] }) => {
      const about = `${rule}\0${file}\0${subject}`
      const count = seen.get(about) ?? 0
      seen.set(about, count + 1)
      const { line: endLine, column: endColumn } = lines.placeOf(Math.max(at, end))
      return {
        rule,
        file,
        ...lines.placeOf(at),
        endLine,
        endColumn,
        message,
        fingerprint: createHash('sha256')
          .update(`${about}\0${String(count)}`)
          .digest('hex')
          .slice(0, 32),
        ignored: undefined,
        isOld: false,
        exportedAs,
      }
    })
}
