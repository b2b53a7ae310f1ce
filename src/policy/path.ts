import { limits } from '../limits.ts'
import type { Truth } from './answer.ts'
import { foldText } from './fold.ts'
import { readingsOf } from './path-reading.ts'
import type { PathReading } from './path-reading.ts'

/** A path from the arguments of a call, with everything a server may take it for. */
export interface PathFacts {
  /** As it is written. */
  readonly written: PathReading
  /** All of them, `written` first. */
  readonly readings: readonly PathReading[]
  /** Whether one more reading exists that nobody can tell, such as `~` or an undecodable escape. */
  readonly unreadable: boolean
}

/** A path prefix of a rule, prepared. */
export interface PathPrefix {
  readonly written: PathReading
  readonly readings: readonly PathReading[]
}

/** Reads a path of a call; undefined when nothing about it can be told. */
export function readPath(value: unknown): PathFacts | undefined {
  if (typeof value !== 'string' || value.length > limits.maxPathCharacters) return undefined
  const { written, readings, unreadable } = readingsOf(value)
  return written === undefined ? undefined : { written, readings, unreadable }
}

/** Prepares the prefix of a rule; the loader has made sure by `prefixFault` that it can be read. */
export function readPrefix(text: string): PathPrefix | undefined {
  const { written, readings } = readingsOf(text)
  return written === undefined ? undefined : { written, readings }
}

/** What makes a text no path prefix; undefined when it is one. */
export function prefixFault(text: string): string | undefined {
  if (text.length > limits.maxPathCharacters)
    return `is longer than ${limits.maxPathCharacters} characters`
  if (/[*?]/.test(text)) return 'holds a wildcard; a prefix already stands for all that is below it'
  if (text !== text.trim()) return 'begins or ends with white space'
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text))
    return 'begins with a scheme or a drive letter, which is not read yet'
  const { written } = readingsOf(text)
  if (written === undefined)
    return 'is no path that can be read: no `~`, `$`, NUL or hidden characters'
  if (!written.absolute && written.climbs)
    return 'climbs above the folder it starts from; write an absolute path'
  return undefined
}

/** Whether any reading of a path is below any of the prefixes, case aside: what a guard asks. */
export function mayBeUnder(path: PathFacts | undefined, prefixes: readonly PathPrefix[]): Truth {
  if (path === undefined) return 'indeterminate'
  let known = !path.unreadable
  for (const reading of path.readings) {
    for (const prefix of prefixes) {
      for (const base of prefix.readings) {
        const value = touches(reading, base)
        if (value === 'true') return 'true'
        if (value === 'indeterminate') known = false
      }
    }
  }
  return known ? 'false' : 'indeterminate'
}

/** Whether a path is below one of the prefixes in each of its readings, and as it is written: what a grant asks. */
export function mustBeUnder(path: PathFacts | undefined, prefixes: readonly PathPrefix[]): Truth {
  if (path === undefined) return 'indeterminate'
  const values = path.readings.map((reading) => {
    return reading === path.written
      ? best(prefixes.map((prefix) => isUnder(reading, prefix.written)))
      : best(prefixes.flatMap((prefix) => prefix.readings.map((base) => isUnder(reading, base))))
  })
  if (path.unreadable) return 'indeterminate'
  const [first = 'indeterminate'] = values
  return values.every((value) => value === first) ? first : 'indeterminate'
}

function best(values: readonly Truth[]): Truth {
  if (values.includes('true')) return 'true'
  return values.includes('indeterminate') ? 'indeterminate' : 'false'
}

/** Lexically, component by component; a relative and an absolute path cannot be compared. */
function isUnder(path: PathReading, prefix: PathReading): Truth {
  if (path.absolute !== prefix.absolute || path.climbs) return 'indeterminate'
  return startsBelow(path.text, prefix.text) ? 'true' : 'false'
}

function touches(path: PathReading, prefix: PathReading): Truth {
  if (path.absolute !== prefix.absolute || path.climbs) return 'indeterminate'
  if (startsBelow(path.folded, prefix.folded)) return 'true'
  // `/etc/../x` is `/x` unless `/etc` is a link; whoever guards `/etc` wants to hear of it.
  return path.peaks.some((peak) => startsBelow(foldPath(peak), prefix.folded))
    ? 'indeterminate'
    : 'false'
}

function startsBelow(path: string, prefix: string): boolean {
  if (prefix === '/' || prefix === '.') return true
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
}

function foldPath(path: string): string {
  return foldText(path) ?? path
}
