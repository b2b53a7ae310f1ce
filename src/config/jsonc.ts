import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'

/** A JSON value that knows where it stands; `start` and `end` are UTF-16 offsets in the file's text. */
export type Node = ObjectNode | ListNode | TextNode | NumberNode | LiteralNode

interface Span {
  readonly start: number
  readonly end: number
}

/** An object: names and values between braces. */
export interface ObjectNode extends Span {
  readonly kind: 'object'
  /** In the file's order; a name stands here once, the first time it is written. */
  readonly members: readonly Member[]
}

/** One name of an object and what stands behind it. */
export interface Member {
  readonly name: string
  readonly nameStart: number
  readonly value: Node
}

/** A list: values between brackets. */
export interface ListNode extends Span {
  readonly kind: 'list'
  readonly items: readonly Node[]
}

/** A text, its escapes resolved. */
export interface TextNode extends Span {
  readonly kind: 'text'
  readonly value: string
}

/** A number, which no double has rounded yet. */
export interface NumberNode extends Span {
  readonly kind: 'number'
  /** As written, a JSON number. */
  readonly text: string
}

/** `true`, `false` or `null`. */
export interface LiteralNode extends Span {
  readonly kind: 'literal'
  readonly value: boolean | null
}

/** Told about everything that is wrong with a text, and where. */
export type Complain = (offset: number, message: string, hint?: string) => void

/**
 * Reads JSON with comments and trailing commas, the form in which clients keep their server lists.
 *
 * Everything else is RFC 8259 to the letter. A name that is written twice is a complaint, and reading goes on; a
 * broken form is one complaint and ends it.
 *
 * @returns undefined when the form is broken; `complain` has then been called
 */
export function parseJsonc(text: string, complain: Complain): Node | undefined {
  try {
    return new Parser(text, complain).document()
  } catch (error) {
    if (!(error instanceof BrokenForm)) throw error
    complain(error.offset, error.message, error.hint)
    return undefined
  }
}

class BrokenForm extends Error {
  readonly offset: number
  readonly hint: string | undefined

  constructor(offset: number, message: string, hint?: string) {
    super(message)
    this.offset = offset
    this.hint = hint
  }
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** What a reader would take for one word, for messages. */
const wordPattern = /[\p{L}\p{N}_$+.-]+/uy
const literals: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
])
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

class Parser {
  readonly #text: string
  readonly #complain: Complain
  #at = 0
  #depth = 0

  constructor(text: string, complain: Complain) {
    this.#text = text
    this.#complain = complain
  }

  document(): Node {
    // Windows editors put a byte order mark first; in a file it cannot mean anything else.
    if (this.#text.startsWith('\uFEFF')) this.#at = 1
    this.#skipBlanks()
    const value = this.#value()
    this.#skipBlanks()
    if (this.#at < this.#text.length) {
      this.#fail(`expected the end of the file, found ${this.#found()}`)
    }
    return value
  }

  #value(): Node {
    const first = this.#text[this.#at]
    if (first === '{') return this.#nested(() => this.#object())
    if (first === '[') return this.#nested(() => this.#list())
    if (first === '"') return this.#textNode()
    return this.#numberOrLiteral()
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1
    if (this.#depth > limits.maxConfigDepth) {
      this.#fail(`nested deeper than ${limits.maxConfigDepth} levels`)
    }
    const node = read()
    this.#depth -= 1
    return node
  }

  #object(): ObjectNode {
    const start = this.#at
    const members = new Map<string, Member>()
    this.#items('}', () => {
      const member = this.#member()
      if (members.has(member.name)) {
        this.#complain(
          member.nameStart,
          `\`${printable(member.name)}\` is written twice`,
          'keep one of them; a reader that takes the last would see another file than you do',
        )
      } else members.set(member.name, member)
    })
    return { kind: 'object', members: [...members.values()], start, end: this.#at }
  }

  #member(): Member {
    const nameStart = this.#at
    if (this.#text[this.#at] !== '"') {
      this.#fail(`expected a name in double quotes, found ${this.#found()}`)
    }
    const name = this.#string()
    this.#skipBlanks()
    if (this.#text[this.#at] !== ':') {
      this.#fail(`expected \`:\` after \`${printable(name)}\`, found ${this.#found()}`)
    }
    this.#at += 1
    this.#skipBlanks()
    return { name, nameStart, value: this.#value() }
  }

  #list(): ListNode {
    const start = this.#at
    const items: Node[] = []
    this.#items(']', () => items.push(this.#value()))
    return { kind: 'list', items, start, end: this.#at }
  }

  /** What stands between brackets: items with commas between them, one more comma allowed at the end. */
  #items(close: '}' | ']', readItem: () => void): void {
    const open = this.#at
    this.#at += 1
    this.#skipBlanks()
    while (this.#text[this.#at] !== close) {
      this.#refuseEnd(open)
      readItem()
      this.#skipBlanks()
      if (this.#text[this.#at] === close) break
      this.#refuseEnd(open)
      if (this.#text[this.#at] !== ',') {
        this.#fail(`expected \`,\` or \`${close}\`, found ${this.#found()}`)
      }
      this.#at += 1
      this.#skipBlanks()
    }
    this.#at += 1
  }

  #refuseEnd(open: number): void {
    if (this.#at < this.#text.length) return
    throw new BrokenForm(open, `\`${this.#text[open] ?? ''}\` is never closed`)
  }

  #textNode(): TextNode {
    const start = this.#at
    const value = this.#string()
    return { kind: 'text', value, start, end: this.#at }
  }

  #string(): string {
    const open = this.#at
    this.#at += 1
    let value = ''
    for (;;) {
      const next = this.#text[this.#at]
      if (next === undefined) throw new BrokenForm(open, 'a text is never closed')
      if (next === '"') break
      if (next < ' ') this.#failControl(open, next)
      value += next === '\\' ? this.#escape() : next
      this.#at += 1
    }
    this.#at += 1
    // Half a surrogate pair has no UTF-8 form: what a child process got would not be what stands here.
    if (/\p{Surrogate}/u.test(value))
      throw new BrokenForm(open, 'a text with half a surrogate pair')
    return value
  }

  #failControl(open: number, found: string): never {
    if (found === '\n' || found === '\r') {
      throw new BrokenForm(open, 'a text is not closed on its line', 'write a line break as `\\n`')
    }
    const code = found.charCodeAt(0).toString(16).padStart(4, '0')
    this.#fail('a control character inside a text', `write it as \`\\u${code}\``)
  }

  /** Reads the escape at the position and stops on its last character. */
  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? ''
    const simple = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined
    if (simple !== undefined) {
      this.#at += 1
      return simple
    }
    const code = this.#text.slice(this.#at + 2, this.#at + 6)
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(code)) {
      this.#fail('unknown escape in a text', 'write a backslash as `\\\\`, also in Windows paths')
    }
    this.#at += 5
    return String.fromCharCode(Number.parseInt(code, 16))
  }

  #numberOrLiteral(): NumberNode | LiteralNode {
    const start = this.#at
    const word = match(wordPattern, this.#text, start)
    const end = start + word.length
    const literal = literals.get(word)
    if (literal !== undefined) {
      this.#at = end
      return { kind: 'literal', value: literal, start, end }
    }
    if (word !== '' && match(numberPattern, this.#text, start) === word) {
      this.#at = end
      return { kind: 'number', text: word, start, end }
    }
    return this.#fail(`expected a value, found ${this.#found()}`, hintForValue(this.#text[start]))
  }

  /** Moves past white space and comments. */
  #skipBlanks(): void {
    for (;;) {
      const next = this.#text[this.#at]
      if (next === ' ' || next === '\t' || next === '\n' || next === '\r') this.#at += 1
      else if (next === '/') this.#skipComment()
      else return
    }
  }

  #skipComment(): void {
    const open = this.#at
    if (this.#text[open + 1] === '/') {
      const end = this.#text.indexOf('\n', open)
      this.#at = end === -1 ? this.#text.length : end
      return
    }
    if (this.#text[open + 1] !== '*') this.#fail('expected a value or a comment, found `/`')
    const end = this.#text.indexOf('*/', open + 2)
    if (end === -1) throw new BrokenForm(open, 'a comment is never closed')
    this.#at = end + 2
  }

  #found(): string {
    if (this.#at >= this.#text.length) return 'the end of the file'
    const word = match(wordPattern, this.#text, this.#at)
    return `\`${printable(word === '' ? String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0) : word)}\``
  }

  #fail(message: string, hint?: string): never {
    throw new BrokenForm(this.#at, message, hint)
  }
}

function match(sticky: RegExp, text: string, at: number): string {
  sticky.lastIndex = at
  return sticky.exec(text)?.[0] ?? ''
}

function hintForValue(first: string | undefined): string | undefined {
  if (first === "'") return 'texts stand in double quotes'
  if (first === '#') return 'comments start with `//`'
  return first === ',' ? 'remove the extra comma' : undefined
}
