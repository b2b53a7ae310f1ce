import { limits } from '../limits.ts'

/** Texts of a call: values, and names of members. */
export interface TextPieces {
  readonly values: readonly string[]
  readonly names: readonly string[]
}

/**
 * What a server finds in the texts of a call when it reads them as JSON, and again in what it found.
 *
 * A text that begins and ends as JSON does is taken apart into its strings, numbers and words, so that two members of the
 * same name, commas too many, several documents in a row and quotes of JavaScript hide nothing. In any other text, which
 * may hold JSON somewhere, only the escapes are resolved.
 *
 * @returns the pieces as they are after one reading, after two and so on, each with all that did not change, so that
 *   what a tool puts together is found; none when no text changes; undefined when something is nested too deep
 */
export function readingsAsJson(pieces: TextPieces): readonly TextPieces[] | undefined {
  const readings: TextPieces[] = []
  let last: TextPieces = pieces
  while (readings.length < limits.maxJsonTextDepth) {
    const reading = new Reading(last)
    if (!reading.isOther) break
    readings.push(reading)
    last = reading
  }
  return [...last.values, ...last.names].some(hidesMore) ? undefined : readings
}

const begins = /^\s*["'[{]/
/** A string, also one that is never closed; a number or a word; and the colon that makes it a name. */
const token =
  /("[^"\\]*(?:\\[^][^"\\]*)*(?:"|\\?$)|'[^'\\]*(?:\\[^][^'\\]*)*(?:'|\\?$)|[^\s"',:{}[\]]+)(\s*:)?/g
/** A row of backslashes that nobody looks into to its end, or an escape. */
const escape = /\\{32,}|\\(?:u([0-9A-Fa-f]{4})|(["'/\\bfnrt]))/g
const controls: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

function mayBeJson(text: string): boolean {
  return begins.test(text) && text.length > 1 && /["'\]}]/.test(text.trimEnd().at(-1) ?? '')
}

/** Whether a text may say something else than its letters do; rows of backslashes alone do not. */
function hidesMore(text: string): boolean {
  return /\\(?:u[0-9A-Fa-f]{4}|\/)/.test(text) || (text.includes('\\') && mayBeJson(text))
}

class Reading implements TextPieces {
  readonly values: string[] = []
  readonly names: string[] = []
  /** Whether it is not the same as what was read. */
  isOther = false

  constructor({ values, names }: TextPieces) {
    for (const text of values) this.#read(text, this.values)
    for (const text of names) this.#read(text, this.names)
  }

  #read(text: string, values: string[]): void {
    if (!mayBeJson(text)) {
      const inner = unescaped(text)
      this.isOther ||= inner !== text
      values.push(inner)
      return
    }
    this.isOther = true
    for (const [, written = '', colon] of text.matchAll(token)) {
      const isQuoted = /^["']/.test(written)
      const inner = isQuoted ? unescaped(written.slice(1).replace(/["']$/, '')) : written
      if (colon === undefined) values.push(inner)
      else this.names.push(inner)
    }
  }
}

/** The text with the escapes of JSON resolved. */
function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  return text.replaceAll(escape, (written, code: string | undefined, sign: string = written) =>
    code === undefined ? (controls.get(sign) ?? sign) : String.fromCharCode(Number(`0x${code}`)),
  )
}
