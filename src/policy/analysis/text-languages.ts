import { foldText } from '../fold.ts'
import { piecesOf } from '../matchers/glob.ts'
import { inLine, only, except } from './char-set.ts'
import { anything, char, either, literal, many, optional, sequence } from './language.ts'
import type { Expression } from './language.ts'

/** Any text of one line. */
export const oneLine: Expression = many(char(inLine))

/** A pattern in which `*` stands for what `inside` is many of. */
export function starPattern(pattern: string, inside: Expression = anything): Expression {
  const pieces = pattern.split('*').map(literal)
  const [first = literal(''), ...rest] = pieces
  return sequence(first, ...rest.flatMap((piece) => [inside, piece]))
}

const slash = only(0x2f)
const inSegment = many(char(except(inLine, slash)))

/** A glob in which `*` stays in a segment and `**` stands for whole ones, on one line: what a grant means by it. */
export function segmentPattern(pattern: string): Expression {
  const pieces = piecesOf(pattern.split('/'))
  const [first = [], ...rest] = pieces
  if (rest.length === 0) return segments(first)
  const last = rest.at(-1) ?? []
  const middle = rest.slice(0, -1).filter((piece) => piece.length > 0)
  // Segments that may stand between two pieces, each with the slash behind it, or before it at the end.
  const between = many(sequence(inSegment, char(slash)))
  const body = middle.flatMap((piece) => [segments(piece), char(slash), between])
  const head = first.length === 0 ? [] : [segments(first), char(slash)]
  if (last.length > 0) return sequence(...head, between, ...body, segments(last))
  // Nothing, or more segments, behind the last piece.
  return closing(first, middle, between)
}

function closing(
  first: readonly string[],
  middle: readonly (readonly string[])[],
  between: Expression,
): Expression {
  const more = many(sequence(char(slash), inSegment))
  const final = middle.at(-1)
  if (final === undefined) {
    return first.length === 0 ? oneLine : sequence(segments(first), more)
  }
  const head = first.length === 0 ? [] : [segments(first), char(slash)]
  const body = middle.slice(0, -1).flatMap((piece) => [segments(piece), char(slash), between])
  return sequence(...head, between, ...body, segments(final), more)
}

function segments(names: readonly string[]): Expression {
  return sequence(
    ...names.flatMap((name, index) => [
      ...(index === 0 ? [] : [char(slash)]),
      starPattern(name, inSegment),
    ]),
  )
}

/** A text below a folder, as it is written. */
export function below(folder: string): Expression {
  const rest = optional(sequence(char(slash), anything))
  return folder === '/' ? sequence(literal('/'), anything) : sequence(literal(folder), rest)
}

/** As guards compare it. */
export function folded(text: string): string {
  return foldText(text) ?? text
}

/** One of several texts. */
export function oneOfTexts(texts: readonly string[]): Expression {
  return either(texts.map(literal))
}

const digit = char({
  key: '0-9',
  has: (point) => point >= 0x30 && point <= 0x39,
  borders: [0x30, 0x3a],
})

/** Numbers with a fraction, and with the whole part of a number. */
export function fractionsNear(number: string): Expression {
  const [whole = '0'] = number.split('.')
  return sequence(literal(`${whole}.`), digit, many(digit))
}

/** The numbers that every reader takes for the same ones. */
export const plainNumber: Expression = (() => {
  const positive = char({
    key: '1-9',
    has: (point) => point >= 0x31 && point <= 0x39,
    borders: [0x31, 0x3a],
  })
  const whole = either([literal('0'), sequence(positive, many(digit))])
  const fraction = sequence(literal('.'), digit, many(digit))
  return sequence(optional(literal('-')), whole, optional(fraction))
})()

/** Where a path leaves a folder, in the notations that `glob` knows; true of ASCII only. */
export const climbing: Expression = (() => {
  const point = either([literal('.'), literal('%2e'), literal('%2E')])
  const border = either(['/', '\\', '%2f', '%2F', '%5c', '%5C'].map(literal))
  const white = many(char({ key: 'white', has: isWhite, borders: [0x09, 0x0e, 0x20, 0x21] }))
  const control = char({
    key: 'control',
    has: (code) => code < 0x20 || (code >= 0x7f && code < 0xa0),
    borders: [0, 0x20, 0x7f, 0xa0],
  })
  const climb = sequence(white, point, optional(point), white)
  return either([
    sequence(optional(sequence(anything, border)), climb, optional(sequence(border, anything))),
    sequence(anything, either([literal('%25'), control]), anything),
  ])
})()

function isWhite(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}
