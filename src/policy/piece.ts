/** Stands between the pieces of a call's text; no needle holds it. */
export const border = '\0'

/** The values and the names of one call, folded and without white space around them. */
export interface Pieces {
  readonly values: readonly string[]
  readonly names: readonly string[]
}

/** For each text that is cut at an edge of a piece, by its index, the places of the cuts. */
export type Cuts = ReadonlyMap<number, ReadonlySet<number>>

/** Texts are at most 1,024 characters, and folding makes at most 18 of one. */
const maxTextLength = 32_768

type Side = 'head' | 'tail'

/**
 * All beginnings (`head`) or all ends (`tail`) of some texts, found by the pieces that end or begin with them.
 *
 * They are kept by the one or two characters at the cut, so that a piece is compared with few of them.
 */
export class PieceEdges {
  readonly #texts: readonly string[]
  readonly #side: Side
  /** Each cut is the index of a text times `maxTextLength` and a place in it. */
  readonly #cuts = new Map<number, number[]>()
  /** The characters that stand at the cuts. */
  readonly #characters = new CharacterSet()

  constructor(texts: readonly string[], side: Side) {
    this.#texts = texts
    this.#side = side
    for (const [index, text] of texts.entries()) {
      for (let at = 1; at < text.length; at += 1) {
        const length = side === 'head' ? at : text.length - at
        const part = side === 'head' ? at - Math.min(length, 2) : at
        this.#characters.add(text.charCodeAt(side === 'head' ? at - 1 : at))
        const key = keyOf(text, part, Math.min(length, 2))
        const known = this.#cuts.get(key)
        if (known === undefined) this.#cuts.set(key, [index * maxTextLength + at])
        else known.push(index * maxTextLength + at)
      }
    }
  }

  /**
   * Undefined when no text is cut at any piece.
   *
   * @param marked every piece between two borders
   */
  find(marked: string): Cuts | undefined {
    const found = new Found(this.#texts)
    const isHead = this.#side === 'head'
    let start = border.length
    let end = marked.indexOf(border, start)
    while (end !== -1) {
      // Nearly nowhere does a text have this character at a cut, and then nothing else has to be looked at.
      const edge = isHead ? end - 1 : start
      const isPiece = end > start
      if (isPiece && this.#characters.mayHave(marked.charCodeAt(edge))) {
        this.#look(marked.slice(start, end), found)
      }
      start = end + border.length
      end = marked.indexOf(border, start)
    }
    return found.cuts
  }

  #look(piece: string, found: Found): void {
    const isHead = this.#side === 'head'
    const key = keyOf(piece, isHead ? piece.length - 1 : 0, 1)
    const singles = this.#cuts.get(key)
    if (singles !== undefined) found.singles(key, singles)
    if (piece.length === 1) return
    const pairs = this.#cuts.get(keyOf(piece, isHead ? piece.length - 2 : 0, 2))
    if (pairs !== undefined) found.pairs(piece, pairs, this.#side)
  }
}

/** A set of characters in two numbers, which takes some for members that are none, and no member for none. */
class CharacterSet {
  /** Of marks and digits, and of everything else, by what is left of a character's number modulo 32. */
  #marks = 0
  #others = 0

  add(code: number): void {
    if (code < 64) this.#marks |= 1 << code
    else this.#others |= 1 << code
  }

  mayHave(code: number): boolean {
    return ((code < 64 ? this.#marks : this.#others) & (1 << code)) !== 0
  }
}

/** Gathers cuts; for most calls there are none. */
class Found {
  cuts: Map<number, Set<number>> | undefined
  readonly #texts: readonly string[]
  #seen: Set<number> | undefined

  constructor(texts: readonly string[]) {
    this.#texts = texts
  }

  singles(key: number, cuts: readonly number[]): void {
    this.#seen ??= new Set()
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    for (const cut of cuts) this.#add(cut)
  }

  pairs(piece: string, cuts: readonly number[], side: Side): void {
    for (const cut of cuts) {
      const text = this.#texts[indexOf(cut)] ?? ''
      const fits =
        side === 'head'
          ? piece.endsWith(text.slice(0, placeOf(cut)))
          : piece.startsWith(text.slice(placeOf(cut)))
      if (fits) this.#add(cut)
    }
  }

  #add(cut: number): void {
    this.cuts ??= new Map()
    const places = this.cuts.get(indexOf(cut))
    if (places === undefined) this.cuts.set(indexOf(cut), new Set([placeOf(cut)]))
    else places.add(placeOf(cut))
  }
}

function keyOf(text: string, at: number, length: number): number {
  const first = text.charCodeAt(at)
  return length === 1 ? first : (first + 1) * 65_536 + text.charCodeAt(at + 1)
}

function indexOf(cut: number): number {
  return Math.floor(cut / maxTextLength)
}

function placeOf(cut: number): number {
  return cut % maxTextLength
}

/** Pieces as a whole, looked up by what they are. */
export class WholePieces {
  readonly #pieces: Pieces
  #values: ReadonlySet<string> | undefined
  #names: ReadonlySet<string> | undefined
  #lengths: ReadonlySet<number> | undefined

  constructor(pieces: Pieces) {
    this.#pieces = pieces
  }

  hasValue(text: string): boolean {
    this.#values ??= new Set(this.#pieces.values)
    return this.#values.has(text)
  }

  hasName(text: string): boolean {
    this.#names ??= new Set(this.#pieces.names)
    return this.#names.has(text)
  }

  /** Where in `text` a piece ends that begins at `start`. */
  endsFrom(text: string, start: number): readonly number[] {
    const { values, names } = this.#pieces
    this.#lengths ??= new Set([...values, ...names].map((piece) => piece.length))
    const ends: number[] = []
    for (const length of this.#lengths) {
      const end = start + length
      if (length === 0 || end >= text.length) continue
      const part = text.slice(start, end)
      if (this.hasValue(part) || this.hasName(part)) ends.push(end)
    }
    return ends
  }
}
