import { KnownNames } from '../json/fold.ts'
import { limits } from '../limits.ts'

/** What can be told of a message that was refused: whom it was for, as far as that is clear. */
export interface LooseEnvelope {
  /** `none`: no JSON-RPC at all; `unclear`: the members of a call and of an answer, or of neither. */
  readonly kind: 'call' | 'answer' | 'unclear' | 'none'
  /** The JSON text of the only id; undefined when there is none, several, or one that is no string and no number. */
  readonly idText: string | undefined
}

const envelope = new KnownNames(['jsonrpc', 'id', 'method', 'result', 'error'])

/** The longest spelling of a name of the envelope, its quotes and six bytes for each character. */
const maxKeyBytes = 64
/** The longest spelling of an id: its quotes, and six bytes for each character. */
const maxIdBytes = 2 + 6 * limits.maxIdCharacters

const quote = 0x22
const backslash = 0x5c
const colon = 0x3a
const comma = 0x2c
const openBrace = 0x7b
const openBracket = 0x5b
const closeBrace = 0x7d
const closeBracket = 0x5d
const space = 0x20

/**
 * Finds the members around a JSON-RPC message in a text that is refused, whatever is wrong inside it: too deep, too
 * long, not even JSON.
 *
 * Takes the text piece by piece, in linear time and with constant memory. What it finds is only ever used to tell a
 * peer that its own message was refused, never to pass something on.
 */
export class EnvelopeFinder {
  #depth = 0
  #inString = false
  #isEscaped = false
  #isObject: boolean | undefined
  #isAfterEnd = false
  /** Between a top-level comma or brace and the colon after it. */
  #inKey = true
  #key = new Capture(maxKeyBytes)
  #value: Capture | undefined
  /** How many members may be meant as the id, and the text of the last one. */
  #idCount = 0
  #idText: string | undefined
  readonly #found = new Set<string>()

  push(piece: Uint8Array): void {
    for (const byte of piece) {
      if (this.#inString) this.#stringByte(byte)
      else if (byte > space) this.#byte(byte)
    }
  }

  /** What the text, as far as it came, says of itself. */
  end(): LooseEnvelope {
    const isCall = this.#found.has('method')
    const isAnswer = this.#found.has('result') || this.#found.has('error')
    if (this.#found.size === 0) return { kind: 'none', idText: undefined }
    const kind = isCall === isAnswer ? 'unclear' : isCall ? 'call' : 'answer'
    return { kind, idText: this.#idCount === 1 ? this.#idText : undefined }
  }

  #stringByte(byte: number): void {
    if (this.#depth === 1) this.#capture(byte)
    if (this.#isEscaped) this.#isEscaped = false
    else if (byte === backslash) this.#isEscaped = true
    else if (byte === quote) this.#inString = false
  }

  #byte(byte: number): void {
    this.#isObject ??= byte === openBrace
    if (!this.#isObject || this.#isAfterEnd) return
    if (byte === quote) this.#inString = true
    if (this.#depth === 1 && this.#separates(byte)) return
    if (byte === openBrace || byte === openBracket) this.#enters()
    else if (byte === closeBrace || byte === closeBracket) this.#leaves()
    else if (this.#depth === 1) this.#capture(byte)
  }

  /** Between the members of the message itself. */
  #separates(byte: number): boolean {
    if (byte === colon && this.#inKey) {
      this.#inKey = false
      this.#startValue()
      return true
    }
    if (byte !== comma) return false
    this.#endMember()
    return true
  }

  #enters(): void {
    // A value that is an object or a list is no id.
    if (this.#depth === 1) this.#value?.spoil()
    this.#depth += 1
  }

  #leaves(): void {
    this.#depth -= 1
    if (this.#depth > 0) return
    this.#endMember()
    this.#isAfterEnd = true
  }

  #capture(byte: number): void {
    if (this.#inKey) this.#key.add(byte)
    else this.#value?.add(byte)
  }

  #startValue(): void {
    const key = parsed(this.#key.text)
    this.#key = new Capture(maxKeyBytes)
    if (typeof key !== 'string') return
    const meant = envelope.meantBy(key)
    if (meant === undefined) return
    this.#found.add(meant)
    if (meant !== 'id') return
    // Under another spelling it is an id for some readers only, and so for none here.
    this.#value = new Capture(key === 'id' ? maxIdBytes : 0)
  }

  #endMember(): void {
    if (this.#value !== undefined) {
      this.#idCount += 1
      this.#idText = idText(this.#value.text)
    }
    this.#value = undefined
    this.#key = new Capture(maxKeyBytes)
    this.#inKey = true
  }
}

/** Bytes up to a bound; more, and there is nothing. */
class Capture {
  readonly #maxBytes: number
  #bytes: number[] = []
  #isSpoilt = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  add(byte: number): void {
    if (this.#isSpoilt) return
    if (this.#bytes.length === this.#maxBytes) this.spoil()
    else this.#bytes.push(byte)
  }

  spoil(): void {
    this.#isSpoilt = true
    this.#bytes = []
  }

  get text(): string {
    return Buffer.from(this.#bytes).toString()
  }
}

function idText(text: string): string | undefined {
  const id = parsed(text)
  if (typeof id === 'number') return Number.isSafeInteger(id) ? text : undefined
  return typeof id === 'string' && id.length <= limits.maxIdCharacters ? text : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // What is no JSON names nothing.
    return undefined
  }
}

/** What a whole text says of itself. */
export function looseEnvelope(bytes: Uint8Array): LooseEnvelope {
  const finder = new EnvelopeFinder()
  finder.push(bytes)
  return finder.end()
}
