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

  constructor(texts: readonly string[], side: Side) {
    this.#texts = texts
    this.#side = side
    for (const [index, text] of texts.entries()) {
      for (let at = 1; at < text.length; at += 1) {
        const length = side === 'head' ? at : text.length - at
        const part = side === 'head' ? at - Math.min(length, 2) : at
        const key = keyOf(text, part, Math.min(length, 2))
        const known = this.#cuts.get(key)
        if (known === undefined) this.#cuts.set(key, [index * maxTextLength + at])
        else known.push(index * maxTextLength + at)
      }
    }
  }

  /** Undefined when no text is cut at any piece. */
  find({ values, names }: Pieces): Cuts | undefined {
    const found = new Found(this.#texts)
    for (const piece of values) this.#look(piece, found)
    for (const piece of names) this.#look(piece, found)
    return found.cuts
  }

  #look(piece: string, found: Found): void {
    if (piece === '') return
    const isHead = this.#side === 'head'
    const key = keyOf(piece, isHead ? piece.length - 1 : 0, 1)
    const singles = this.#cuts.get(key)
    if (singles !== undefined) found.singles(key, singles)
    if (piece.length === 1) return
    const pairs = this.#cuts.get(keyOf(piece, isHead ? piece.length - 2 : 0, 2))
    if (pairs !== undefined) found.pairs(piece, pairs, this.#side)
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
