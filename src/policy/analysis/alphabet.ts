import type { CharSet } from './char-set.ts'

/** One character that stands for all that no automaton of a question tells from it. */
export interface Letter {
  readonly codePoint: number
  readonly text: string
  /** What a guard compares instead of it; undefined where that cannot be told from the character alone. */
  readonly folded: number | undefined
  /** White space, of which a guard takes several for one. */
  readonly isSpace: boolean
  /** Whether a mark behind it may make another character of both. */
  readonly composes: boolean
}

const space = 0x20
const lineFeed = 0x0a

/** Printable ASCII, and the line feed: what folding does to them depends on nothing else. */
function isPlain(codePoint: number): boolean {
  return codePoint === lineFeed || (codePoint >= space && codePoint <= 0x7e)
}

function letterOf(codePoint: number): Letter {
  const text = String.fromCodePoint(codePoint)
  const isSpace = codePoint === space || codePoint === lineFeed
  const lower = isSpace ? space : (text.toLowerCase().codePointAt(0) ?? codePoint)
  return {
    codePoint,
    text,
    folded: isPlain(codePoint) ? lower : undefined,
    isSpace,
    composes: /[A-PR-Za-pr-z<=>]/.test(text) && isPlain(codePoint),
  }
}

/** Where characters begin to behave otherwise, whatever the automatons ask. */
const fixedBorders = [lineFeed, 0x0b, space, 0x21, 0x3c, 0x3f, 0x41, 0x51, 0x52, 0x5b]
  .concat([0x61, 0x71, 0x72, 0x7b, 0x7f, 0x80, 0x85, 0x86, 0x2028, 0x202a])
  .concat([0x30, 0x3a, 0xd800, 0xe000, 0x10000])

/**
 * The fewest characters that stand for all of them.
 *
 * @param raw sets that look at the text as it is
 * @param folded sets that look at it as guards compare it
 */
export function lettersFor(raw: readonly CharSet[], folded: readonly CharSet[]): readonly Letter[] {
  const best = new Map<string, Letter>()
  for (const point of representatives(raw, folded)) {
    const letter = letterOf(point)
    const mark = signature(letter, raw, folded)
    const known = best.get(mark)
    if (known === undefined || niceness(letter) < niceness(known)) best.set(mark, letter)
  }
  return [...best.values()].toSorted((one, other) => niceness(one) - niceness(other))
}

function representatives(raw: readonly CharSet[], folded: readonly CharSet[]): Iterable<number> {
  const points = new Set([0, ...fixedBorders])
  for (const { borders } of raw) for (const border of borders) points.add(border)
  for (const { borders } of folded) {
    for (const border of borders) {
      points.add(border)
      // What is compared as a small letter may be written as a capital one.
      if (border >= 0x61 && border <= 0x7b) points.add(border - 0x20)
    }
  }
  points.delete(0x110000)
  return points
}

function signature(letter: Letter, raw: readonly CharSet[], folded: readonly CharSet[]): string {
  const { codePoint, isSpace, composes } = letter
  // What folds by itself is compared as what it folds to, everything else as itself or as anything.
  const compared = letter.folded ?? codePoint
  const marks = [isSpace, composes, letter.folded === undefined]
  for (const set of raw) marks.push(set.has(codePoint))
  for (const set of folded) marks.push(set.has(compared))
  return marks.map(Number).join('')
}

/** Letters and digits are read more easily than signs in an example. */
function niceness({ codePoint, text }: Letter): number {
  if (/[a-z]/.test(text)) return codePoint === 0x61 ? 0 : 1
  if (/[0-9]/.test(text)) return 2
  if (/[A-Z]/.test(text)) return 3
  if (/[_-]/.test(text)) return 4
  return isPlain(codePoint) ? (codePoint === lineFeed ? 7 : 5) : 8
}
