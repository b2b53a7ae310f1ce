import { CapFenceError } from '../errors.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { Disclosure } from './record.ts'

/** What stands where a value stood that is not shown or not kept. */
export const hidden = '[hidden]'

/** The arguments that share a disclosure stand under this name (RFC 9901, section 4.2.1 keeps it free). */
const sharedName = '...'

/** The arguments of a call as far as the log keeps them, with secrets that stand inside of texts. */
export interface KeptArguments {
  readonly value: JsonObject
  /** JSON Pointers to the values that the log does not hold; `[hidden]` stands there. */
  readonly missing: readonly string[]
  /** How many arguments are not even named. */
  readonly withheld: number
}

/**
 * Puts the arguments of a call together from what is disclosed of them.
 *
 * @param digests what its record lists under `args`
 * @throws CapFenceError `AUDIT_CORRUPT` when a disclosure is none
 */
export function openArguments(
  digests: ReadonlySet<unknown>,
  disclosures: readonly Disclosure[],
): KeptArguments {
  const members: Record<string, JsonValue> = { __proto__: null }
  const places: string[] = []
  // A record may disclose more than arguments: what the policy was told of the store, for one.
  const own = disclosures.filter(({ digest }) => digests.has(digest))
  for (const { name, value, missing } of own.map(readDisclosure)) {
    const at = name === sharedName ? '' : `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    places.push(...missing.map((place) => at + place))
    const filled = missing.reduce((filling, place) => put(filling, place), value)
    if (name !== sharedName) members[name] = filled
    else if (isJsonObject(filled)) Object.assign(members, filled)
  }
  return {
    value: byName(members),
    missing: places,
    withheld: digests.size - own.length,
  }
}

/** The log keeps no order of the arguments; here they always stand in the same one. */
function byName(members: JsonObject): JsonObject {
  const sorted: Record<string, JsonValue> = { __proto__: null }
  for (const name of Object.keys(members).toSorted(byCodeUnit)) sorted[name] = members[name] ?? null
  return sorted
}

function byCodeUnit(one: string, other: string): number {
  return one < other ? -1 : 1
}

/** A disclosure, taken apart. */
export interface OpenDisclosure {
  readonly name: string
  readonly value: JsonValue
  /** JSON Pointers inside the value to what the log itself does not hold. */
  readonly missing: readonly string[]
}

/** `[salt, name, value]`, with a fourth element that says what is missing from the value. */
export function readDisclosure({ encoded }: Disclosure): OpenDisclosure {
  const { value: parts } = scanStrict(Buffer.from(encoded, 'base64url'), wanted({}))
  const [, name, value, note] = isJsonArray(parts) ? parts : []
  if (typeof name !== 'string' || value === undefined) {
    throw new CapFenceError('AUDIT_CORRUPT', 'a disclosure of the log is not one')
  }
  const redacted = isJsonObject(note) ? note['redacted'] : undefined
  const places = isJsonArray(redacted) ? redacted.filter((place) => typeof place === 'string') : []
  const isTooLong = isJsonObject(note) && note['hmac_sha256'] !== undefined
  return { name, value, missing: isTooLong ? [''] : places }
}

/** The value with `[hidden]` at a JSON Pointer, where the log has null. */
function put(value: JsonValue, pointer: string): JsonValue {
  if (pointer === '') return hidden
  const [, token = '', ...rest] = pointer.split('/')
  const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
  const inner = rest.length === 0 ? '' : `/${rest.join('/')}`
  if (isJsonArray(value)) {
    return value.map((element, index) => (String(index) === key ? put(element, inner) : element))
  }
  if (!isJsonObject(value) || !Object.hasOwn(value, key)) return value
  const copy: Record<string, JsonValue> = { __proto__: null }
  return Object.assign(copy, value, { [key]: put(value[key] ?? null, inner) })
}
