import { plainScalar } from './yaml-scalar.ts'
import type { YamlEntry, YamlNode } from './yaml.ts'

// Everything but line feeds, printable ASCII and letters of common scripts: what is left is never white space, a line
// break or half a character to any reader of YAML.
const unusual = /[^\n\x20-\x7e\u00a1-\u167f\u2010-\u2027\u3041-\ud7ff]/
const longestText = 2_000_000
const deepest = 10
/** How many words are looked out for in case they come again. */
const maxWords = 256

// A key is one word. `:` ends it only before white space.
const blockKey = /([A-Za-z_/][\w./*~-]{0,127}):(?= |\n|$)/y
const flowKey = /([A-Za-z_/][\w./*~-]{0,127}):(?= )/y
// Scalars without quotes, on one line. They begin with nothing that YAML gives a meaning to, and hold no `: ` and no ` #`.
const inFlow = String.raw`\w./*~@%+=$()<>;^|&!?'"\\\u00a1-\ud7ff-`
const inBlock = String.raw`${inFlow}\[\]{},`
const opens = String.raw`(?:-(?=[\w./])|[\w./~$+(<\\^;=\u00a1-\ud7ff])`
const blockPlain = plainPattern(inBlock)
const flowPlain = plainPattern(inFlow)
const doubleQuoted = /"([^"\\\n]*)"/y
const singleQuoted = /'([^'\n]*)'(?!')/y
const restOfLine = / *(?:(?<= )#[^\n]*)?(?:\n|$)/y

function plainPattern(units: string): RegExp {
  const goesOn = String.raw`:(?=[\w./*~@%+=$\\-])| +(?=[${units}])`
  return new RegExp(String.raw`${opens}(?:[${units}#]|${goesOn})*`, 'y')
}

/** Thrown where the text leaves what is read here; it never leaves this file. */
class NotPlain extends Error {}

/**
 * Reads the part of YAML that nearly all policies are written in, some forty times as fast as the whole of it is read.
 *
 * That part: one document without a marker, block mappings and lists, flow mappings and lists on one line, scalars on one
 * line, in quotes without escapes or without quotes, comments. Everything else, and everything that might be a mistake,
 * is left to `readYaml`, so that there is one judge of what is wrong; a test holds the two against each other.
 *
 * @returns undefined when the text is not, or not surely, written in that part
 */
export function readPlainYaml(text: string): YamlNode | undefined {
  if (text.length > longestText || unusual.test(text)) return undefined
  try {
    return new PlainReader(text).read()
  } catch (error) {
    if (error instanceof NotPlain) return undefined
    throw error
  }
}

class PlainReader {
  readonly #text: string
  readonly #words = new Map<string, string>()
  #at = 0
  /** The column of the first character of the line, from zero; less than zero at the end of the text. */
  #column = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): YamlNode {
    this.#nextLine()
    if (this.#column !== 0) throw new NotPlain()
    const root = this.#map(0)
    if (this.#at < this.#text.length) throw new NotPlain()
    return root
  }

  /** Goes to the first character of the next line that holds more than a comment. */
  #nextLine(): void {
    const text = this.#text
    for (;;) {
      const start = this.#at
      this.#skipSpaces()
      const first = text[this.#at]
      if (first === undefined) {
        this.#column = -1
        return
      }
      if (first !== '#' && first !== '\n') {
        this.#column = this.#at - start
        return
      }
      const end = text.indexOf('\n', this.#at)
      this.#at = end === -1 ? text.length : end + 1
    }
  }

  /** What stands in lines of its own, of which the first one is the current one. */
  #block(): YamlNode {
    return this.#isItem() ? this.#list(this.#column) : this.#map(this.#column)
  }

  #map(column: number): YamlNode {
    this.#enter()
    const start = this.#at
    const entries: YamlEntry[] = []
    const keys = new Keys(entries)
    do {
      const keyStart = this.#at
      const key = this.#key(blockKey, keys)
      entries.push({ key, keyStart, value: this.#blockValue(column) })
    } while (this.#column === column && !this.#isItem())
    if (this.#column > column) throw new NotPlain()
    this.#depth -= 1
    return { kind: 'map', start, end: this.#at, entries }
  }

  #blockValue(column: number): YamlNode {
    this.#skipSpaces()
    const next = this.#text[this.#at]
    if (next !== '\n' && next !== '#' && next !== undefined) return this.#lineValue(column)
    this.#endLine()
    // A list may stand in the column of its key.
    const isBelow = this.#column > column || (this.#column === column && this.#isItem())
    if (!isBelow) throw new NotPlain()
    return this.#block()
  }

  /** A value on the rest of the line; the next line must not go on with it. */
  #lineValue(column: number): YamlNode {
    const value = this.#value(blockPlain)
    this.#endLine()
    if (this.#column > column) throw new NotPlain()
    return value
  }

  #list(column: number): YamlNode {
    this.#enter()
    const start = this.#at
    const items: YamlNode[] = []
    do {
      const dash = this.#at
      this.#at += 1
      this.#skipSpaces()
      items.push(this.#item(column, column + this.#at - dash))
    } while (this.#column === column && this.#isItem())
    if (this.#column > column) throw new NotPlain()
    this.#depth -= 1
    return { kind: 'list', start, end: this.#at, items }
  }

  #item(column: number, inner: number): YamlNode {
    blockKey.lastIndex = this.#at
    return blockKey.test(this.#text) ? this.#map(inner) : this.#lineValue(column)
  }

  #isItem(): boolean {
    return this.#text.startsWith('- ', this.#at)
  }

  #key(pattern: RegExp, keys: Keys): string {
    pattern.lastIndex = this.#at
    const key = pattern.exec(this.#text)?.[1]
    if (key === undefined || keys.has(key)) throw new NotPlain()
    this.#at = pattern.lastIndex
    return this.#once(key)
  }

  /** The same text for words that come again: thousands of rules have the same keys and ask for the same names. */
  #once(word: string): string {
    const known = this.#words.get(word)
    if (known !== undefined) return known
    if (this.#words.size < maxWords) this.#words.set(word, word)
    return word
  }

  #value(plain: RegExp): YamlNode {
    const first = this.#text[this.#at]
    if (first === '{') return this.#flowMap()
    if (first === '[') return this.#flowList()
    if (first === '"') return this.#quoted(doubleQuoted)
    return first === "'" ? this.#quoted(singleQuoted) : this.#plain(plain)
  }

  #flowMap(): YamlNode {
    this.#enter()
    const start = this.#at
    const entries: YamlEntry[] = []
    const keys = new Keys(entries)
    for (let more = this.#openFlow('}'); more; more = this.#closeFlow('}')) {
      const keyStart = this.#at
      const key = this.#key(flowKey, keys)
      this.#skipSpaces()
      entries.push({ key, keyStart, value: this.#value(flowPlain) })
    }
    this.#depth -= 1
    return { kind: 'map', start, end: this.#at, entries }
  }

  #flowList(): YamlNode {
    this.#enter()
    const start = this.#at
    const items: YamlNode[] = []
    for (let more = this.#openFlow(']'); more; more = this.#closeFlow(']')) {
      items.push(this.#value(flowPlain))
    }
    this.#depth -= 1
    return { kind: 'list', start, end: this.#at, items }
  }

  /** Whether there is a first element. */
  #openFlow(close: string): boolean {
    this.#at += 1
    this.#skipSpaces()
    if (this.#text[this.#at] !== close) return true
    this.#at += 1
    return false
  }

  /** Whether there is another element. */
  #closeFlow(close: string): boolean {
    this.#skipSpaces()
    const next = this.#text[this.#at]
    if (next !== close && next !== ',') throw new NotPlain()
    this.#at += 1
    if (next === close) return false
    this.#skipSpaces()
    return true
  }

  #quoted(pattern: RegExp): YamlNode {
    const start = this.#at
    pattern.lastIndex = start
    const value = pattern.exec(this.#text)?.[1]
    if (value === undefined) throw new NotPlain()
    this.#at = pattern.lastIndex
    return { kind: 'text', start, end: this.#at, value }
  }

  #plain(pattern: RegExp): YamlNode {
    const start = this.#at
    pattern.lastIndex = start
    if (!pattern.test(this.#text)) throw new NotPlain()
    const end = pattern.lastIndex
    this.#at = end
    return plainScalar(this.#once(this.#text.slice(start, end)), { start, end })
  }

  #skipSpaces(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1
  }

  /** Leaves a line on which nothing but a comment may follow. */
  #endLine(): void {
    restOfLine.lastIndex = this.#at
    if (!restOfLine.test(this.#text)) throw new NotPlain()
    this.#at = restOfLine.lastIndex
    this.#nextLine()
  }

  #enter(): void {
    this.#depth += 1
    if (this.#depth > deepest) throw new NotPlain()
  }
}

/** Of so few keys each is compared faster than a set is made. */
const maxCompared = 8

/** The keys of a mapping that is being read. */
class Keys {
  readonly #entries: readonly YamlEntry[]
  #set: Set<string> | undefined

  constructor(entries: readonly YamlEntry[]) {
    this.#entries = entries
  }

  /** Whether the mapping has a key. */
  has(key: string): boolean {
    const entries = this.#entries
    if (entries.length <= maxCompared) return entries.some((entry) => entry.key === key)
    this.#set ??= new Set(entries.map((entry) => entry.key))
    if (this.#set.has(key)) return true
    // It is the next one.
    this.#set.add(key)
    return false
  }
}
