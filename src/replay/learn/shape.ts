import { Decimal } from '../../json/decimal.ts'
import type { JsonValue } from '../../json/value.ts'

/**
 * What an argument looks like; what is learned about it depends on that and on nothing that anybody named it.
 *
 * `word` is everything that is no other: a name, an id, an address, a short text. `date` and `time` have a format, `path`
 * and `site` (a URL, with or without its scheme) a place, `code` (a few digits) is made anew each time.
 */
export type Shape =
  | { readonly kind: 'null' | 'empty' | 'boolean' | 'number' | 'text' | 'word' | 'other' }
  | { readonly kind: 'date' | 'time' | 'code'; readonly format: string }
  | { readonly kind: 'path'; readonly folder: string }
  | { readonly kind: 'site'; readonly host: string; readonly hasScheme: boolean }

/** Formats of dates and times (ISO 8601, and the clock of twelve hours), each as an expression of RE2. */
const formats: readonly (readonly ['date' | 'time', RegExp, string])[] = [
  ['date', /^\d{4}-\d\d-\d\d$/, '\\d{4}-\\d{2}-\\d{2}'],
  ['date', /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d$/, '\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}'],
  [
    'date',
    /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/,
    '\\d{4}-\\d{2}-\\d{2}[T ]\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})?',
  ],
  ['time', /^\d{1,2}:\d\d(?::\d\d)?$/, '\\d{1,2}:\\d{2}(:\\d{2})?'],
  ['time', /^\d{1,2}(?::\d\d)? ?[AaPp][Mm]$/, '\\d{1,2}(:\\d{2})? ?[AaPp][Mm]'],
]

const site =
  /^(?<scheme>https?:\/\/)?(?<host>(?:[a-z0-9_-]{1,63}\.){1,8}[a-z]{2,24}|localhost)(?::\d{1,5})?(?:[/?#][^\s\\]*)?$/i
/** Words of a text that somebody has worded; less is a name or a title. */
const leastWords = 6

/** What a value that is no list and no object looks like. */
export function shapeOf(value: JsonValue): Shape {
  if (value === null) return { kind: 'null' }
  if (typeof value === 'boolean') return { kind: 'boolean' }
  if (value instanceof Decimal) return { kind: 'number' }
  if (typeof value !== 'string') return { kind: 'other' }
  if (value === '') return { kind: 'empty' }
  return shapeOfText(value)
}

function shapeOfText(text: string): Shape {
  const known = formats.find(([, pattern]) => pattern.test(text))
  if (known !== undefined) return { kind: known[0], format: known[2] }
  if (/^\d{4,8}$/.test(text)) return { kind: 'code', format: `\\d{${String(text.length)}}` }
  if (/^\/[^\s\\]*$/.test(text)) return { kind: 'path', folder: folderOf(text) }
  const found = site.exec(text)?.groups
  if (found !== undefined && isSite(text, found['scheme'])) {
    const host = (found['host'] ?? '').toLowerCase().replace(/^www\./, '')
    return { kind: 'site', host, hasScheme: found['scheme'] !== undefined }
  }
  return { kind: text.split(/\s+/).length >= leastWords ? 'text' : 'word' }
}

/** A name with a dot in it may be a file; with a path, a scheme or `www.` it is a place. */
function isSite(text: string, scheme: string | undefined): boolean {
  return scheme !== undefined || text.includes('/') || /^www\./i.test(text)
}

/**
 * The folder that a path is taken to be of: of three names at most, the one that it is in if it looks like a file.
 *
 * A path with `..` is of the folder that it names only; `/` alone is of none that anything else could be below.
 */
function folderOf(path: string): string {
  const names = path.split('/').filter((name) => name !== '' && name !== '.')
  if (names.includes('..')) return path
  const isFile = /\.\w{1,8}$/.test(names.at(-1) ?? '')
  const folders = isFile ? names.slice(0, -1) : names
  return folders.length === 0 ? path : `/${folders.slice(0, 3).join('/')}`
}

/** What values of other tools have in common with this one: an address of mail, `a/b`, letters and a number. */
export function familyOf(text: string): string | undefined {
  if (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)) return 'mail'
  if (/^[\w.-]+\/[\w.-]+$/.test(text)) return 'pair'
  const id = /^([A-Za-z]{1,8})[-_]?\d{2,}$/.exec(text)
  return id === null ? undefined : `id ${id[1] ?? ''}`
}
