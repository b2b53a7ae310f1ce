import { CapFenceError } from '../errors.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import type { JsonObject } from '../json/value.ts'
import { isJsonObject } from '../json/value.ts'
import { Decimal } from '../json/decimal.ts'
import type { EntriesQuery, PageAnswer, PageAssertion } from './source.ts'
import type { PageSignature, PageStatement } from './source.ts'

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
  return answerIn(objectOf(body, ['verdict', 'minutes', 'session']))
}

/** An answer that a passkey shall sign. @throws CapFenceError `USAGE`, `JSON_INVALID` */
export function statementFrom(body: string): PageStatement {
  const members = objectOf(body, ['verdict', 'minutes', 'session', 'passkey'])
  return { ...answerIn(members), passkey: keyIdIn(members) }
}

/** An answer that a passkey has signed. @throws CapFenceError `USAGE`, `JSON_INVALID` */
export function signatureFrom(body: string): PageSignature {
  const members = objectOf(body, [...assertionMembers, 'passkey', 'payload'])
  return {
    ...assertionIn(members),
    passkey: keyIdIn(members),
    payload: bytesIn(members, 'payload'),
  }
}

/** A passkey that was just made, and what it signed to show that it works. */
export interface NewPasskey extends PageAssertion {
  /** Of the credential, base64url. */
  readonly credential: string
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array
}

/** A new passkey. @throws CapFenceError `USAGE`, `JSON_INVALID` */
export function newPasskeyFrom(body: string): NewPasskey {
  const members = objectOf(body, [...assertionMembers, 'credential', 'spki'])
  const credential = Buffer.from(bytesIn(members, 'credential')).toString('base64url')
  return { ...assertionIn(members), credential, spki: bytesIn(members, 'spki') }
}

const assertionMembers = ['authenticatorData', 'clientDataJSON', 'signature'] as const

function assertionIn(members: JsonObject): PageAssertion {
  return {
    authenticatorData: bytesIn(members, 'authenticatorData'),
    clientDataJSON: bytesIn(members, 'clientDataJSON'),
    signature: bytesIn(members, 'signature'),
  }
}

function keyIdIn({ passkey }: JsonObject): string {
  if (typeof passkey === 'string' && /^[0-9a-f]{64}$/.test(passkey)) return passkey
  return refuse('`passkey` is the id of a key')
}

function bytesIn(members: JsonObject, name: string): Uint8Array {
  const text = members[name]
  const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64url')
  if (bytes.length > 0 && bytes.toString('base64url') === text) return bytes
  return refuse(`\`${name}\` is no base64url`)
}

function answerIn({ verdict, minutes, session }: JsonObject): PageAnswer {
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
