import { CapFenceError } from '../errors.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import type { JsonObject } from '../json/value.ts'
import { isJsonObject } from '../json/value.ts'
import { Decimal } from '../json/decimal.ts'
import type { EntriesQuery, PageAnswer } from './source.ts'

/** Entries that one answer holds, count. */
const maxEntries = 200
/** A text that is looked for, characters. */
const maxSearchCharacters = 200
/** How far back the overview looks, hours: a month. */
const maxHours = 744

/** The code of a sign-in. @throws CapFenceError `USAGE`, `JSON_INVALID` */
export function codeFrom(body: string): string {
  const { code } = objectOf(body, ['code'])
  return typeof code === 'string' ? code : refuse('`code` is no text')
}

/** An answer to a request for an approval. @throws CapFenceError `USAGE`, `JSON_INVALID` */
export function answerFrom(body: string): PageAnswer {
  const { verdict, minutes, session } = objectOf(body, ['verdict', 'minutes', 'session'])
  if (verdict !== 'approve' && verdict !== 'deny' && verdict !== 'revoke') {
    return refuse('`verdict` is approve, deny or revoke')
  }
  const isSession = session ?? false
  if (typeof isSession !== 'boolean') return refuse('`session` is true or false')
  return { verdict, minutes: minutesFrom(minutes), session: isSession }
}

function minutesFrom(value: JsonObject[string] | undefined): number | undefined {
  if (value === undefined || value === null) return undefined
  if (value instanceof Decimal && /^[1-9]\d{0,3}$/.test(value.canonical)) {
    return Number(value.canonical)
  }
  return refuse('`minutes` is a whole number')
}

/** Which entries a query string asks for. @throws CapFenceError `USAGE` */
export function entriesFrom(query: Readonly<Record<string, string>>): EntriesQuery {
  const { before, count = '50', decision, search } = query
  if (search !== undefined && search.length > maxSearchCharacters) {
    return refuse(`\`search\` has at most ${String(maxSearchCharacters)} characters`)
  }
  const known = ['allow', 'deny', 'require_approval', 'refused']
  if (decision !== undefined && !known.includes(decision)) refuse('no such decision')
  return {
    before: before === undefined ? undefined : wholeFrom(before, 'before'),
    count: Math.min(maxEntries, wholeFrom(count, 'count')),
    decision,
    search: search === '' ? undefined : search,
  }
}

/** How many hours an overview looks back. @throws CapFenceError `USAGE` */
export function hoursFrom(text: string | undefined): number {
  const hours = wholeFrom(text ?? '24', 'hours')
  return hours >= 1 && hours <= maxHours ? hours : refuse('`hours` is 1 to 744')
}

/** Whether a query string says yes. */
export function flagFrom(text: string | undefined): boolean {
  return text === '1'
}

function wholeFrom(text: string, name: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : refuse(`\`${name}\` is a whole number`)
}

function objectOf(body: string, known: readonly string[]): JsonObject {
  const { value } = scanStrict(new TextEncoder().encode(body), wanted({}))
  if (!isJsonObject(value)) return refuse('the request is no object')
  const other = Object.keys(value).find((name) => !known.includes(name))
  return other === undefined ? value : refuse('the request holds a name that is not known')
}

function refuse(text: string): never {
  throw new CapFenceError('USAGE', text)
}
