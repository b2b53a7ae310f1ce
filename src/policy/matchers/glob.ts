import { limits } from '../../limits.ts'
import type { Truth } from '../answer.ts'
import type { Argument } from '../argument.ts'
import { foldText } from '../fold.ts'
import { globMatches } from '../glob.ts'
import type { MatcherKind, MatcherTest } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { readingsOf } from '../path-reading.ts'
import { readChecked } from '../read-needles.ts'
import type { WrittenFault } from '../read-needles.ts'
import { isOneLine } from '../text.ts'
import { anyOf, truthOf } from '../truth.ts'

/**
 * `glob`: the whole argument is a text that matches one of these patterns.
 *
 * `*` stands for any characters of one segment, `**` for any number of whole segments; segments end at `/`. To a guard
 * `*` goes beyond them as well, case aside, and in every way in which a server may read a path. A grant matches exactly
 * and on one line, and no wildcard of it stands for `..`.
 */
export const glob: MatcherKind<readonly string[]> = {
  read: (source, entry) =>
    readChecked(source, entry, { wanted: 'a pattern such as `src/**/*.ts`', check: faultOf }),
  compile: (patterns) => ({ may: may(patterns), must: must(patterns) }),
  cost: costs.text,
}

const maxSegments = 64

function faultOf(pattern: string): WrittenFault | undefined {
  if (pattern.length > limits.maxNeedleCharacters) {
    return { says: `is longer than ${limits.maxNeedleCharacters} characters` }
  }
  const segments = pattern.split('/')
  if (segments.length > maxSegments) return { says: `has more than ${maxSegments} segments` }
  if (/[?[\]{}]/.test(pattern)) {
    return {
      says: 'holds a wildcard of another language; `*` and `**` are the only ones',
      hint: 'use `regex` where `*` is not enough',
    }
  }
  if (segments.some((segment) => segment.includes('**') && segment !== '**')) {
    return { says: 'holds `**` beside other characters', hint: 'write `**` alone between slashes' }
  }
  if (foldText(pattern) === undefined) return { says: 'is no text that can be compared' }
  return undefined
}

function may(patterns: readonly string[]): MatcherTest['may'] {
  const folded = patterns.map((pattern) => ({
    pattern: anyDepth(foldText(pattern) ?? pattern),
    isPath: pattern.includes('/'),
  }))
  return (argument) => {
    const { text, folded: plain } = argument
    if (text === undefined || plain === undefined) return 'indeterminate'
    return anyOf(
      folded.map(({ pattern, isPath }) => {
        if (globMatches(pattern, plain) || globMatches(pattern, plain.trim())) return 'true'
        return isPath ? anyReading(argument, pattern) : 'false'
      }),
    )
  }
}

/** The pattern in which every wildcard stands for anything, also for no segment at all. */
function anyDepth(pattern: string): string {
  return pattern.replace(/(?:^|\/)\*\*(?:\/|$)/g, '*').replace(/\*{2,}/g, '*')
}

/** A path that is not as it is written may be the one that the pattern is about. */
function anyReading({ text }: Argument, pattern: string): Truth {
  if (text === undefined || text.length > limits.maxPathCharacters) return 'indeterminate'
  if (!/[/\\%]/.test(text)) return 'false'
  const { readings, unreadable } = readingsOf(text)
  if (readings.some((reading) => globMatches(pattern, reading.folded))) return 'true'
  return unreadable ? 'indeterminate' : 'false'
}

function must(patterns: readonly string[]): MatcherTest['must'] {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const open = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => pattern.split('/'))
  return ({ text }) => {
    if (text === undefined) return 'indeterminate'
    if (exact.has(text)) return 'true'
    if (text.length > limits.maxPathCharacters || !isOneLine(text)) return 'indeterminate'
    if (open.length > 0 && climbs(text)) return 'indeterminate'
    const segments = text.split('/')
    return truthOf(open.some((pattern) => segmentsMatch(pattern, segments)))
  }
}

/** Names that leave a folder, in the notations in which servers know them. */
function climbs(text: string): boolean {
  const decoded = text
    .replace(/%2e/gi, '.')
    .replace(/%(?:2f|5c)/gi, '/')
    .normalize('NFKC')
  return /(?:^|[/\\])\s*\.\.?\s*(?:[/\\]|$)|%25|\p{Cc}/u.test(decoded)
}

/**
 * Whether segments match a pattern of segments.
 *
 * No backtracking: what stands between two `**` is taken at its first place, as in `globMatches`.
 */
function segmentsMatch(pattern: readonly string[], segments: readonly string[]): boolean {
  const pieces = piecesOf(pattern)
  const [first = [], ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return first.length === segments.length && fits(first, segments, 0)
  const end = segments.length - last.length
  if (end < first.length || !fits(first, segments, 0) || !fits(last, segments, end)) return false
  let at = first.length
  for (const piece of rest) {
    while (at + piece.length <= end && !fits(piece, segments, at)) at += 1
    if (at + piece.length > end) return false
    at += piece.length
  }
  return true
}

/** The runs of segments between the `**` of a pattern. */
export function piecesOf(pattern: readonly string[]): readonly (readonly string[])[] {
  const pieces: string[][] = [[]]
  for (const segment of pattern) {
    if (segment === '**') pieces.push([])
    else pieces.at(-1)?.push(segment)
  }
  return pieces
}

function fits(piece: readonly string[], segments: readonly string[], at: number): boolean {
  return piece.every((wanted, index) => globMatches(wanted, segments[at + index] ?? ''))
}
