import { foldKey, kindOfKey } from '../json/fold.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonArray, JsonObject, JsonValue } from '../json/value.ts'
import { limits } from '../limits.ts'
import { Argument } from './argument.ts'
import type { ArgumentCall } from './argument.ts'
import type { Pointer } from './pointer.ts'

/** What stands at a pointer, or could to one server or another. */
export type Located = Found | Missing

interface Found {
  readonly kind: 'found'
  readonly argument: Argument
  /** Whether it stands under the very names of the pointer, and not under ones that a lenient server takes for them. */
  readonly exact: boolean
}

/** Nothing stands there, or nobody can tell what does. */
type Missing = { readonly kind: 'absent' } | { readonly kind: 'unreadable' }

const absent: Missing = { kind: 'absent' }
const unreadable: Missing = { kind: 'unreadable' }

/**
 * Finds everything that stands at a pointer: own members only, each element where the pointer says `*`.
 *
 * A lenient server reads `Path` where the rule says `path`, and which of the two it takes when both are there cannot be
 * told; so both are found, and the other one is not `exact` (THREATS B2).
 */
export function locate(call: ArgumentCall, pointer: Pointer): readonly Located[] {
  let level: readonly Place[] = [{ kind: 'value', value: call.arguments, exact: true }]
  for (const token of pointer.tokens) {
    const next: Place[] = []
    for (const place of level) {
      if (place.kind === 'value') follow(place, token, next)
      else next.push(place)
      if (next.length > limits.maxPointerCandidates) return [unreadable]
    }
    level = next
  }
  return argumentsAt(level, call)
}

interface Value {
  readonly kind: 'value'
  readonly value: JsonValue
  readonly exact: boolean
}

/** Where a pointer has led so far. */
type Place = Value | Missing

function follow({ value, exact }: Value, token: string | undefined, places: Place[]): void {
  if (isJsonArray(value)) {
    elements(value, token, exact, places)
  } else if (isJsonObject(value)) {
    members(value, token, exact, places)
  } else {
    // A server may take a text for the object that is written in it; nothing is inside of nothing.
    places.push(value === null ? absent : unreadable)
  }
}

function elements(
  array: JsonArray,
  token: string | undefined,
  exact: boolean,
  places: Place[],
): void {
  if (token === undefined) {
    for (const value of array) places.push({ kind: 'value', value, exact })
    return
  }
  const value = /^(?:0|[1-9][0-9]{0,8})$/.test(token) ? array[Number(token)] : undefined
  places.push(value === undefined ? absent : { kind: 'value', value, exact })
}

function members(
  object: JsonObject,
  token: string | undefined,
  exact: boolean,
  places: Place[],
): void {
  const folded = token === undefined ? undefined : foldedName(token)
  let isThere = token === undefined
  for (const name of Object.keys(object)) {
    const isSame = token === undefined || name === token
    if (!isSame && foldedName(name) !== folded) continue
    const value = object[name]
    if (value === undefined) continue
    isThere ||= isSame
    places.push({ kind: 'value', value, exact: exact && isSame })
  }
  if (!isThere) places.push(absent)
}

/** Long names outside ASCII take more than linear time to fold, and are no server's. */
function foldedName(name: string): string {
  const isCheap = name.length <= limits.maxWideKeyCharacters || kindOfKey(name) !== 'wide'
  return isCheap ? foldKey(name) : name
}

/** All texts at one pointer together are bounded, since a rule looks at each of them. */
function argumentsAt(places: readonly Place[], call: ArgumentCall): readonly Located[] {
  let characters = 0
  return places.map((place) => {
    if (place.kind !== 'value') return place
    const { value, exact } = place
    if (typeof value === 'string') characters += value.length
    const argument = new Argument(value, characters <= limits.maxTextBytes, call)
    return { kind: 'found', argument, exact }
  })
}
