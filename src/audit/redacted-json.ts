import { Decimal } from '../json/decimal.ts'
import type { JsonArray, JsonObject, JsonValue } from '../json/value.ts'
import { looksSecret } from './secret-names.ts'

/** A value as JSON text, with null wherever something looked like a secret. */
export interface RedactedText {
  readonly json: string
  /** JSON Pointers (RFC 6901) to the places that were redacted. */
  readonly redacted: readonly string[]
}

/** A value as JSON text, members in their order and numbers as they were written. */
export function printJson(value: JsonValue): string {
  return print(value, '', undefined)
}

/** The same without what looks like a secret, at any depth. */
export function printRedacted(value: JsonValue): RedactedText {
  const redacted: string[] = []
  return { json: print(value, '', redacted), redacted }
}

/** With `redacted` undefined, nothing is. */
function print(value: JsonValue, at: string, redacted: string[] | undefined): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Decimal) return value.text
  if (isArray(value)) {
    return `[${value.map((element, index) => print(element, `${at}/${index}`, redacted)).join(',')}]`
  }
  return printObject(value, at, redacted)
}

function printObject(value: JsonObject, at: string, redacted: string[] | undefined): string {
  const members = Object.entries(value).map(([name, member]) => {
    const place = redacted === undefined ? '' : `${at}/${escapeToken(name)}`
    const secret = redacted !== undefined && member !== null && isSecretMember(value, name)
    if (secret) redacted.push(place)
    return `${JSON.stringify(name)}:${secret ? 'null' : print(member, place, redacted)}`
  })
  return `{${members.join(',')}}`
}

/** Lists of headers, variables and form fields name a value beside it: `{"name": "Authorization", "value": "Bearer …"}`. */
const nameMembers = ['name', 'key', 'header', 'field'] as const

function isSecretMember(owner: JsonObject, name: string): boolean {
  if (looksSecret(name)) return true
  if (name !== 'value') return false
  return nameMembers.some((nameMember) => {
    const named = owner[nameMember]
    return typeof named === 'string' && looksSecret(named)
  })
}

function escapeToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

function isArray(value: JsonArray | JsonObject): value is JsonArray {
  return Array.isArray(value)
}
