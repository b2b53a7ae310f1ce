import { foldText, hasMarkFlood } from './fold.ts'

/** One way to take a path, normalised without asking a disk. */
export class PathReading {
  /** `/` or `/a/b`; `.` or `a/b` or `../a`. */
  readonly text: string
  /** Where the path was, normalised, each time before it turned back with `..`. */
  readonly peaks: readonly string[]
  #folded: string | undefined

  constructor(text: string, peaks: readonly string[]) {
    this.text = text
    this.peaks = peaks
  }

  get absolute(): boolean {
    return this.text.startsWith('/')
  }

  /** Whether it is a relative path that leaves the folder it starts from. */
  get climbs(): boolean {
    return this.text === '..' || this.text.startsWith('../')
  }

  /** The text, case aside. */
  get folded(): string {
    this.#folded ??= foldText(this.text) ?? this.text
    return this.#folded
  }
}

/** Everything a server may take a path for. */
export interface PathReadings {
  /** Undefined when the path cannot be read even as it stands. */
  readonly written: PathReading | undefined
  readonly readings: readonly PathReading[]
  readonly unreadable: boolean
}

const plainPath = /^[A-Za-z0-9_./-]+$/
/** An absolute path that is normal already; most are. */
const normalPath = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$/
const noPeaks: readonly string[] = []
// Characters that end, hide or turn around a path somewhere, and half characters.
const unreadableCharacter = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}$]/u
const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/
const unreadable: PathReadings = { written: undefined, readings: [], unreadable: true }

/** More ways than this to take one path is an attempt to hide something. */
const maxReadings = 16
/** A path that turns back more often than this is one too. */
const maxPeaks = 64

/**
 * Reads a path in all the ways in which servers are known to: percent escapes decoded, once or again; backslashes as
 * slashes; compatibility characters as plain ones; white space at the ends of names dropped (THREATS B19).
 */
export function readingsOf(text: string): PathReadings {
  if (normalPath.test(text) && !isNoted(text)) return onlyReading(new PathReading(text, noPeaks))
  const path = withoutFileScheme(text)
  if (path === undefined || !isReadable(path)) return unreadable
  const written = normalise(path)
  if (written === undefined) return unreadable
  if (plainPath.test(path) && !isNoted(path)) return onlyReading(written)
  const { texts, complete } = waysToTake(path)
  const readings = texts.filter(isReadable).map((way) => (way === path ? written : normalise(way)))
  const known = readings.filter((reading) => reading !== undefined)
  return { written, readings: known, unreadable: !complete || known.length < texts.length }
}

function onlyReading(written: PathReading): PathReadings {
  return { written, readings: [written], unreadable: false }
}

function isReadable(path: string): boolean {
  if (path === '' || unreadableCharacter.test(path) || hasMarkFlood(path)) return false
  const start = path.trimStart()
  return !start.startsWith('~') && !scheme.test(start)
}

/** `file:///a` and `file://localhost/a` are `/a`; another host, a query or a fragment is nobody's path. */
function withoutFileScheme(text: string): string | undefined {
  if (!/^\s*file:/i.test(text)) return text
  return /^file:\/\/(?:localhost)?(?<path>\/[^?#]*)$/i.exec(text)?.groups?.['path']
}

/** Every text that the path may become, itself first; incomplete when there are too many or one is undecodable. */
function waysToTake(path: string): {
  readonly texts: readonly string[]
  readonly complete: boolean
} {
  const texts = new Set([path])
  // A set is walked in the order of insertion, also over what is added on the way.
  for (const text of texts) {
    for (const change of changes) {
      const changed = change(text)
      if (changed === undefined) return { texts: [...texts], complete: false }
      texts.add(changed)
    }
    if (texts.size > maxReadings) return { texts: [...texts], complete: false }
  }
  return { texts: [...texts], complete: true }
}

const changes: readonly ((text: string) => string | undefined)[] = [
  decodeEscapes,
  decodeNotations,
  (text) => text.replaceAll('\\', '/'),
  (text) =>
    text
      .normalize('NFKC')
      .replace(/[\u2044\u2215\u29f8]/g, '/')
      .replaceAll('\u29f9', '\\'),
  trimNames,
]

function trimNames(text: string): string {
  return text
    .split(/([/\\])/)
    .map((name) => name.trim())
    .join('')
}

/** Percent escapes decoded once; undefined when they are no UTF-8, as in overlong forms, or `%u002e`. */
function decodeEscapes(text: string): string | undefined {
  if (!text.includes('%')) return text
  if (/%u[0-9a-f]{4}/i.test(text)) return undefined
  try {
    return text.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => decodeURIComponent(escapes))
  } catch {
    // Bytes that are not UTF-8: what a server makes of them is not known, which is the answer.
    return undefined
  }
}

/** `.`, `/`, `\\`, `%` and NUL as C, JavaScript and HTML write them, which some servers decode as well. */
const notation = /(?:0x|\\x|\\u00|&#x0*)(?<hex>2e|2f|5c|25|00);?|&#0*(?<decimal>46|47|92|37|0);/gi

/** Whether a path without backslashes and ampersands may hold such a notation. */
function isNoted(path: string): boolean {
  return path.includes('0x') || path.includes('0X')
}

function decodeNotations(text: string): string {
  return text.replace(notation, (_, hex: string | undefined, decimal: string | undefined) =>
    String.fromCharCode(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)),
  )
}

/** Takes out `.`, `..` and empty names; undefined when the path turns back too often to follow. */
function normalise(path: string): PathReading | undefined {
  const absolute = path.startsWith('/')
  const names: string[] = []
  const peaks: string[] = []
  let rising = true
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') {
      names.push(name)
      rising = true
      continue
    }
    if (rising && names.length > 0) peaks.push(joined(absolute, names))
    if (peaks.length > maxPeaks) return undefined
    rising = false
    const left = names.at(-1)
    if (left !== undefined && left !== '..') names.pop()
    else if (!absolute) names.push('..')
  }
  return new PathReading(joined(absolute, names), peaks)
}

function joined(absolute: boolean, names: readonly string[]): string {
  const text = names.join('/')
  if (absolute) return `/${text}`
  return text === '' ? '.' : text
}
