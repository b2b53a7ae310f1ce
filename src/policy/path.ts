import { limits } from '../limits.ts'
import type { Truth } from './answer.ts'
import { foldText } from './fold.ts'
import { readingsOf } from './path-reading.ts'
import type { PathReading, PathReadings } from './path-reading.ts'

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
  const found = readingsOf(value)
  return isWrittenKnown(found) ? found : undefined
}

function isWrittenKnown(found: PathReadings): found is PathFacts & PathReadings {
  return found.written !== undefined
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
  const asWritten = anyUnder(path.written, prefixes, isWritten)
  if (path.unreadable) return 'indeterminate'
  for (const reading of path.readings) {
    if (reading === path.written) continue
    // Readings that disagree leave open what the server will do.
    if (anyUnder(reading, prefixes, isReading) !== asWritten) return 'indeterminate'
  }
  return asWritten
}

type Below = (path: PathReading, prefix: PathPrefix) => Truth

const isWritten: Below = (path, prefix) => isUnder(path, prefix.written)
const isReading: Below = (path, prefix) => anyOf(prefix.readings, (base) => isUnder(path, base))

function anyUnder(path: PathReading, prefixes: readonly PathPrefix[], below: Below): Truth {
  return anyOf(prefixes, (prefix) => below(path, prefix))
}

function anyOf<Item>(items: readonly Item[], test: (item: Item) => Truth): Truth {
  let truth: Truth = 'false'
  for (const item of items) {
    const value = test(item)
    if (value === 'true') return 'true'
    if (value === 'indeterminate') truth = 'indeterminate'
  }
  return truth
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
