import { PieceEdges, WholePieces } from './piece.ts'
import type { Cuts, Pieces } from './piece.ts'
import type { TextList } from './text-list.ts'

/** The text of a call in pieces. */
interface PiecedText {
  /** Every piece between two borders. */
  readonly marked: string
  readonly pieces: Pieces
}

/**
 * Finds texts that no piece of a call holds, but that several of them make once a tool has put them together.
 *
 * A tool joins an array with a space or with nothing, writes the arguments behind the command, and makes `a=b`,
 * `folder/file` or `scheme://host` of two members; which of them and in which order, nobody knows here. So a text is
 * found when pieces can be laid out to it in any order: the end of one, then whole ones, then the beginning of one.
 * Between two of them stands nothing, a space, or punctuation of the text that has letters or digits on both sides.
 *
 * One piece may serve twice: that finds a little more than there is, and is right for a guard.
 */
export class SeamFinder {
  readonly #list: TextList
  readonly #seams: Seams[] = []
  #heads: PieceEdges | undefined
  #tails: PieceEdges | undefined

  /** For folded texts none of which is empty, and to which none is added after the first search. */
  constructor(list: TextList) {
    this.#list = list
  }

  /** Looks at the text of one call. */
  search(forms: PiecedText): FoundSeams {
    return new FoundSeams(this, forms)
  }

  /** A text by its index. */
  textAt(index: number): string {
    return this.#list.texts[index] ?? ''
  }

  /** How a text may be cut. */
  seamsOf(index: number): Seams {
    return (this.#seams[index] ??= new Seams(this.textAt(index)))
  }

  /** The texts that begin with the end of a piece. */
  headsIn(marked: string): Cuts | undefined {
    this.#heads ??= new PieceEdges(this.#list.texts, 'head')
    return this.#heads.find(marked)
  }

  /** The texts that end with the beginning of a piece. */
  tailsIn(marked: string): Cuts | undefined {
    this.#tails ??= new PieceEdges(this.#list.texts, 'tail')
    return this.#tails.find(marked)
  }
}

/** Which of the texts of a `SeamFinder` several pieces of one call make; nothing is worked out before it is needed. */
export class FoundSeams {
  readonly #finder: SeamFinder
  readonly #forms: PiecedText
  readonly #tails: Cuts | undefined
  #heads: Cuts | undefined
  #hasHeads = false
  #whole: WholePieces | undefined

  constructor(finder: SeamFinder, forms: PiecedText) {
    this.#finder = finder
    this.#forms = forms
    this.#tails = finder.tailsIn(forms.marked)
  }

  /** Whether a piece ends with the beginning of the text and one begins with its end; where not, none runs over two. */
  isCut(index: number): boolean {
    return this.#tails?.has(index) === true && this.#headsOf(index) !== undefined
  }

  /** Whether the text is made of pieces. */
  has(index: number): boolean {
    const text = this.#finder.textAt(index)
    const tails = this.#tails?.get(index)
    // Of nearly all texts no piece holds an end, or no piece a beginning.
    if (tails === undefined && !mayClose.test(text)) return false
    const heads = this.#headsOf(index)
    if (heads === undefined && !text.startsWith(' ')) return false
    this.#whole ??= new WholePieces(this.#forms.pieces)
    return isLaidOut(this.#finder.seamsOf(index), {
      heads: heads ?? nowhere,
      tails: tails ?? nowhere,
      whole: this.#whole,
    })
  }

  #headsOf(index: number): ReadonlySet<number> | undefined {
    if (!this.#hasHeads) {
      this.#hasHeads = true
      this.#heads = this.#finder.headsIn(this.#forms.marked)
    }
    return this.#heads?.get(index)
  }
}

const nowhere: ReadonlySet<number> = new Set()
/** What a tool may write behind the last piece: a space, or what stands behind a drive, a folder or a name. */
const mayClose = /[ :/\\=]$/
/** A text with fewer letters and digits is met by chance where two pieces touch. */
const minGluedCharacters = 4
/** No tool puts more between two values that become one text. */
const maxBetween = 4

interface Layout {
  /** The places before which a piece may end. */
  readonly heads: ReadonlySet<number>
  /** The places from which a piece may begin and go on behind the text. */
  readonly tails: ReadonlySet<number>
  readonly whole: WholePieces
}

/** Whether the text can be laid out: goes through it once and keeps where pieces may end and begin. */
function isLaidOut(seams: Seams, { heads, tails, whole }: Layout): boolean {
  const { text } = seams
  const ends = new Set(heads)
  // The space that a text begins with may be the one between two pieces.
  const starts = new Set(text.startsWith(' ') ? [1] : [])
  if (isClosed(seams, whole, 0)) return true
  for (let at = 1; at < text.length; at += 1) {
    if (ends.has(at)) for (const start of seams.startsBehind(at)) starts.add(start)
    if (!starts.has(at)) continue
    if (tails.has(at) || isClosed(seams, whole, at)) return true
    for (const end of whole.endsFrom(text, at)) ends.add(end)
  }
  return text.endsWith(' ') && ends.has(text.length - 1)
}

/** Whether a whole piece from `start` is all that is left, but for what a tool writes behind it. */
function isClosed({ text, valueEnd, nameEnd }: Seams, whole: WholePieces, start: number): boolean {
  for (let end = Math.max(valueEnd, start + 1); end < text.length; end += 1) {
    if (whole.hasValue(text.slice(start, end))) return true
  }
  return start < nameEnd && nameEnd < text.length && whole.hasName(text.slice(start, nameEnd))
}

/** How one text may be cut. */
class Seams {
  readonly text: string
  /**
   * Where the `:`, `/` or `\` begins with which the text ends; its length when there is none. `://` is none, because
   * `file` is the value of very many members that are no scheme.
   */
  readonly valueEnd: number
  /** The same for `=`. */
  readonly nameEnd: number
  readonly #isGlued: boolean

  constructor(text: string) {
    this.text = text
    this.valueEnd = text.replace(/(?:[/\\]+|:)$/, '').length
    this.nameEnd = text.replace(/=$/, '').length
    this.#isGlued = (text.match(/[\p{L}\p{N}]/gu) ?? []).length >= minGluedCharacters
  }

  /** Where the next piece may begin behind one that ends at `end`. */
  startsBehind(end: number): readonly number[] {
    const { text } = this
    const starts = this.#isGlued ? [end] : []
    if (text[end] === ' ') starts.push(end + 1)
    if (!isWord(text[end - 1])) return starts
    let start = end
    while (start - end < maxBetween && start < text.length && !isWord(text[start])) start += 1
    if (start > end && isWord(text[start])) starts.push(start)
    return starts
  }
}

/** A letter or a digit, or half of a character that has two units. */
function isWord(unit: string | undefined): boolean {
  return unit !== undefined && /[\p{L}\p{N}\p{Cs}]/u.test(unit)
}
