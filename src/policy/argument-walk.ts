import type { ArgumentRoles } from '../event/event.ts'
import { Decimal } from '../json/decimal.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { limits } from '../limits.ts'
import type { NameRole, NameRoles } from './argument-name.ts'

/** A value under an amount's name. */
export interface AmountCandidate {
  readonly value: JsonValue
  readonly minor: boolean
}

/** What the arguments of one call hold, in the order of the message. */
export interface ArgumentContents {
  /** The name of every member, at any depth. */
  readonly names: readonly string[]
  /** Every text value. */
  readonly texts: readonly string[]
  /** Every value that is no object or array, as text. */
  readonly pieces: readonly string[]
  readonly amounts: readonly AmountCandidate[]
  /** Texts that are paths by their name; anything else here is a path that cannot be read. */
  readonly paths: readonly JsonValue[]
}

/**
 * Walks the arguments once and keeps what predicates look at.
 *
 * @returns undefined when the arguments are deeper or larger than a message may be: then nothing about them is known
 */
export function walkArguments(
  root: JsonObject,
  roles: ArgumentRoles,
  names: NameRoles,
): ArgumentContents | undefined {
  const walk = new Walk(names)
  walk.object(root, 0)
  for (const pointer of roles.amount ?? []) walk.declared(root, pointer, declaredAmount)
  for (const pointer of roles.path ?? []) walk.declared(root, pointer, declaredPath)
  return walk.tooLarge ? undefined : walk
}

const declaredAmount: NameRole = { amount: true, minor: false, path: false }
const declaredPath: NameRole = { amount: false, minor: false, path: true }

class Walk implements ArgumentContents {
  readonly names: string[] = []
  readonly texts: string[] = []
  readonly pieces: string[] = []
  readonly amounts: AmountCandidate[] = []
  readonly paths: JsonValue[] = []
  tooLarge = false
  readonly #roles: NameRoles
  #members = 0

  constructor(roles: NameRoles) {
    this.#roles = roles
  }

  /** @returns whether one of its names is a path's */
  object(object: JsonObject, depth: number): boolean {
    let holdsPath = false
    for (const name of Object.keys(object)) {
      if (this.#isTooLarge(depth)) return true
      this.names.push(name)
      const role = this.#roles.of(name)
      holdsPath ||= role.path
      const value = object[name]
      if (value !== undefined) this.#value(value, role, depth + 1)
    }
    return holdsPath
  }

  /** Adds the value at a pointer that the configuration declares; `*` is any element. */
  declared(root: JsonObject, pointer: string, role: NameRole): void {
    const tokens = pointer.split('/').slice(1)
    this.#find(root, tokens, role)
  }

  #value(value: JsonValue, role: NameRole, depth: number): void {
    if (isJsonArray(value)) {
      // A list of amounts has no one meaning; a list of paths is many paths.
      if (role.amount) this.amounts.push({ value, minor: role.minor })
      for (const item of value) {
        if (this.#isTooLarge(depth)) return
        this.#value(item, role, depth + 1)
      }
    } else if (isJsonObject(value)) {
      const holdsPath = this.object(value, depth)
      if (role.amount) this.amounts.push({ value, minor: role.minor })
      if (role.path && !holdsPath) this.paths.push(value)
    } else {
      this.#leaf(value, role)
    }
  }

  #leaf(value: Exclude<JsonValue, JsonObject | readonly JsonValue[]>, role: NameRole): void {
    if (typeof value === 'string') this.texts.push(value)
    this.pieces.push(typeof value === 'string' ? value : leafText(value))
    this.#candidate(value, role)
  }

  #candidate(value: JsonValue, role: NameRole): void {
    if (role.amount) this.amounts.push({ value, minor: role.minor })
    if (role.path) this.paths.push(value)
  }

  #find(value: JsonValue, tokens: readonly string[], role: NameRole): void {
    const [token, ...rest] = tokens
    if (this.#isTooLarge(0)) return
    if (token === undefined) {
      this.#declaredValue(value, role)
    } else if (isJsonArray(value)) {
      const items = token === '*' ? value : value.slice(...elementAt(token))
      for (const item of items) this.#find(item, rest, role)
    } else if (isJsonObject(value)) {
      this.#findMember(value, { token, rest, role })
    }
  }

  #findMember(
    object: JsonObject,
    path: { readonly token: string; readonly rest: readonly string[]; readonly role: NameRole },
  ): void {
    const name = path.token.replaceAll('~1', '/').replaceAll('~0', '~')
    const folded = name.toLowerCase()
    for (const key of Object.keys(object)) {
      const member = object[key]
      const same = key === name || key.toLowerCase() === folded || path.token === '*'
      if (same && member !== undefined) this.#find(member, path.rest, path.role)
    }
  }

  #declaredValue(value: JsonValue, role: NameRole): void {
    if (isJsonArray(value) && role.path) {
      for (const item of value) this.#candidate(item, role)
    } else {
      this.#candidate(value, role)
    }
  }

  #isTooLarge(depth: number): boolean {
    this.#members += 1
    this.tooLarge ||= depth > limits.maxJsonDepth || this.#members > 2 * limits.maxJsonMembers
    return this.tooLarge
  }
}

function leafText(value: Decimal | boolean | null): string {
  return value instanceof Decimal ? value.text : String(value)
}

/** The bounds of the one element that a pointer's token names; none for any other token. */
function elementAt(token: string): [number, number] {
  if (!/^(?:0|[1-9][0-9]{0,8})$/.test(token)) return [0, 0]
  return [Number(token), Number(token) + 1]
}
