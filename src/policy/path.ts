import { limits } from '../limits.ts'
import type { Truth } from './answer.ts'
import { foldText } from './fold.ts'
import { PathReading, readingsOf } from './path-reading.ts'
import type { PathReadings } from './path-reading.ts'
import type { RealPath } from './state.ts'
import { anyOf as anyOfTruths } from './truth.ts'

/** A path from the arguments of a call, with everything a server may take it for. */
export interface PathFacts {
  /** As it is written. */
  readonly written: PathReading
  /** All of them, `written` first. */
  readonly readings: readonly PathReading[]
  /** Whether one more reading exists that nobody can tell, such as `~` or an undecodable escape. */
  readonly unreadable: boolean
  /** Where it leads on the disk; undefined where nobody looks. */
  readonly real?: RealFacts
}

/** What a disk says of a path. */
interface RealFacts {
  /** Where it really leads; undefined when that cannot be known. */
  readonly reading: PathReading | undefined
  readonly realPath: RealPath
}

/** A path prefix of a rule, prepared. */
export interface PathPrefix {
  readonly written: PathReading
  readonly readings: readonly PathReading[]
}

/** Reads a path of a call; undefined when nothing about it can be told. */
export function readPath(value: unknown, realPath?: RealPath): PathFacts | undefined {
  if (typeof value !== 'string' || value.length > limits.maxPathCharacters) return undefined
  const found = readingsOf(value)
  if (!isWrittenKnown(found)) return undefined
  return realPath === undefined ? found : { ...found, real: realFacts(found, realPath) }
}

function isWrittenKnown(found: PathReadings): found is PathFacts & PathReadings {
  return found.written !== undefined
}

function realFacts({ written, readings, unreadable }: PathFacts, realPath: RealPath): RealFacts {
  // Where there are several ways to take a path, or it passes by a link on its way up, nobody knows which the server opens.
  const isPlain = !unreadable && readings.length === 1 && written.peaks.length === 0
  return { reading: isPlain ? realReading(written, realPath) : undefined, realPath }
}

function realReading({ text }: PathReading, realPath: RealPath): PathReading | undefined {
  const real = realPath(text)
  return real?.startsWith('/') === true ? new PathReading(real, []) : undefined
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
  const lexical = known ? 'false' : 'indeterminate'
  return path.real === undefined
    ? lexical
    : anyOfTruths([lexical, isReallyUnder(path.real, prefixes, touches)])
}

/** Whether a path is below one of the prefixes in each of its readings, and as it is written: what a grant asks. */
export function mustBeUnder(path: PathFacts | undefined, prefixes: readonly PathPrefix[]): Truth {
  if (path === undefined) return 'indeterminate'
  const lexical = mustBeWrittenUnder(path, prefixes)
  if (path.real === undefined || lexical === 'indeterminate') return lexical
  const really = isReallyUnder(path.real, prefixes, isUnder)
  if (lexical === 'true') return really
  // A link leads into the folder: what is written is not all that there is.
  return really === 'true' ? 'indeterminate' : lexical
}

/** Whether a path really leads below one of the folders, wherever these really are: a folder may be a link as well. */
function isReallyUnder(
  { reading, realPath }: RealFacts,
  prefixes: readonly PathPrefix[],
  below: (path: PathReading, prefix: PathReading) => Truth,
): Truth {
  // All are asked for at once, so that whoever looks them up beforehand looks once.
  const folders = prefixes.map(({ written }) => realReading(written, realPath))
  if (reading === undefined) return 'indeterminate'
  return anyOf(folders, (folder) => {
    return folder === undefined ? 'indeterminate' : below(reading, folder)
  })
}

function mustBeWrittenUnder(path: PathFacts, prefixes: readonly PathPrefix[]): Truth {
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
