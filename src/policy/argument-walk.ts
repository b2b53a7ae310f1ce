import type { ArgumentRoles } from '../event/event.ts'
import { Decimal } from '../json/decimal.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { limits } from '../limits.ts'
import { mayBeNumber } from './amount.ts'
import type { NameRole, NameRoles } from './argument-name.ts'

/** A value that is neither an object nor an array. */
type Leaf = Decimal | string | boolean | null

/** A value under an amount's name. */
export interface AmountCandidate {
  readonly value: JsonValue
  readonly minor: boolean
}

/** What the arguments of one call hold. */
export interface ArgumentContents {
  /** The name of every member, at any depth. */
  readonly names: readonly string[]
  readonly leaves: readonly Leaf[]
  readonly amounts: readonly AmountCandidate[]
  /** Texts that are paths by their name or their look; anything else here is a path that cannot be read. */
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
  if (roles.amount !== undefined) walk.declare(root, roles.amount, declaredAmount)
  if (roles.path !== undefined) walk.declare(root, roles.path, declaredPath)
  return walk.tooLarge ? undefined : walk
}

const declaredAmount: NameRole = {
  amount: true,
  vague: false,
  minor: false,
  path: false,
  prose: false,
}
const declaredPath: NameRole = { ...declaredAmount, amount: false, path: true }

/** Every member and element once, and once more for declared roles. */
const maxVisits = 2 * limits.maxJsonMembers

// Most calls hold no amount or no path, and a list that is never made costs nothing.
const noNames: never[] = []
const noAmounts: never[] = []
const noPaths: never[] = []

class Walk implements ArgumentContents {
  names: string[] = noNames
  readonly leaves: Leaf[] = []
  amounts: AmountCandidate[] = noAmounts
  paths: JsonValue[] = noPaths
  tooLarge = false
  readonly #roles: NameRoles
  #visits = 0
  /** How many values around this one stand under a vague name. */
  #vagueDepth = 0
  /** What was met under vague names and may be meant as a number. */
  #numbers = 0

  constructor(roles: NameRoles) {
    this.#roles = roles
  }

  /** @returns whether one of its names is a path's */
  object(object: JsonObject, depth: number): boolean {
    const names = Object.keys(object)
    const count = names.length
    if (this.#isTooLarge(count, depth)) return true
    if (this.names === noNames) this.names = names
    else for (const name of names) this.names.push(name)
    let holdsPath = false
    // The list may be the one of all names, to which objects inside this one add theirs.
    for (let index = 0; index < count; index += 1) {
      const name = names[index] ?? ''
      this.#count(name)
      const role = this.#roles.of(name)
      const value = object[name]
      if (role.path) holdsPath = true
      if (value !== undefined) this.#value(value, role, depth)
    }
    return holdsPath
  }

  /** Adds the values at pointers that the configuration declares; `*` is any element. */
  declare(root: JsonObject, pointers: readonly string[], role: NameRole): void {
    for (const pointer of pointers) this.#find(root, pointer.split('/').slice(1), role)
  }

  #value(value: JsonValue, role: NameRole, depth: number): void {
    if (typeof value === 'object' && value !== null && !(value instanceof Decimal)) {
      if (isJsonArray(value)) this.#array(value, role, depth + 1)
      else this.#inner(value, role, depth + 1)
      return
    }
    this.leaves.push(value)
    this.#count(value)
    if (role.amount || role.path) this.#candidate(value, role)
    // A tool may call its path anything, so that no list of names finds them all (THREATS B22).
    if (!role.path && !role.prose && typeof value === 'string' && isRooted(value)) {
      this.#addPath(value)
    }
  }

  #array(array: readonly JsonValue[], role: NameRole, depth: number): void {
    if (this.#isTooLarge(array.length, depth)) return
    // A list of amounts has no one meaning; a list of paths is many paths.
    this.#amountAround(array, role, () => {
      for (const item of array) this.#value(item, role, depth)
    })
  }

  #inner(object: JsonObject, role: NameRole, depth: number): void {
    const holdsPath = this.#amountAround(object, role, () => this.object(object, depth))
    // An object that names paths itself, such as `files: [{path, content}]`, only holds them.
    if (role.path && !holdsPath) this.#addPath(object)
  }

  /** An amount that is a list or an object cannot be read; under a vague name it is one if a number is in it. */
  #amountAround<Result>(value: JsonValue, role: NameRole, visit: () => Result): Result {
    const before = this.#numbers
    if (role.vague) this.#vagueDepth += 1
    const result = visit()
    if (role.vague) this.#vagueDepth -= 1
    const isAmount = role.amount && (!role.vague || this.#numbers > before)
    if (isAmount) this.#addAmount(value, role)
    return result
  }

  #count(value: Leaf): void {
    if (this.#vagueDepth > 0 && mayBeNumber(value)) this.#numbers += 1
  }

  #candidate(value: JsonValue, role: NameRole): void {
    const isAmount = role.amount && (!role.vague || mayBeNumber(value))
    if (isAmount) this.#addAmount(value, role)
    if (role.path) this.#addPath(value)
  }

  #addAmount(value: JsonValue, { minor }: NameRole): void {
    if (this.amounts === noAmounts) this.amounts = [{ value, minor }]
    else this.amounts.push({ value, minor })
  }

  #addPath(value: JsonValue): void {
    if (this.paths === noPaths) this.paths = [value]
    else this.paths.push(value)
  }

  #find(value: JsonValue, tokens: readonly string[], role: NameRole): void {
    const [token, ...rest] = tokens
    if (this.#isTooLarge(1, 0)) return
    if (token === undefined) {
      this.#declared(value, role)
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
    const name = path.token.replaceAll('~1', '/').replaceAll('~0', '~').toLowerCase()
    for (const key of Object.keys(object)) {
      const member = object[key]
      // A lenient server reads `Path` where the configuration says `path`.
      const same = path.token === '*' || key.toLowerCase() === name
      if (same && member !== undefined) this.#find(member, path.rest, path.role)
    }
  }

  #declared(value: JsonValue, role: NameRole): void {
    if (isJsonArray(value) && role.path) {
      for (const item of value) this.#candidate(item, role)
    } else {
      this.#candidate(value, role)
    }
  }

  #isTooLarge(more: number, depth: number): boolean {
    this.#visits += more
    if (depth > limits.maxJsonDepth || this.#visits > maxVisits) this.tooLarge = true
    return this.tooLarge
  }
}

/** The bounds of the one element that a pointer's token names; none for any other token. */
function elementAt(token: string): [number, number] {
  if (!/^(?:0|[1-9][0-9]{0,8})$/.test(token)) return [0, 0]
  return [Number(token), Number(token) + 1]
}

const rootedStart = /^\s*(?:[/\\]|\.{1,2}(?:[/\\]|\s*$)|~\w*(?:[/\\]|\s*$)|[A-Za-z]:[/\\]|file:)/i
const climbing = /(?:^|[/\\])\.\.(?:[/\\]|\s*$)/

/** What every text has that says where a file is; most texts have none of it. */
const ofPath = /[/\\.~:]/

/** Whether a text says where a file is, and not only how it is called: `/etc/x`, `../x`, `~/x`, `C:\\x`, `file:x`. */
function isRooted(text: string): boolean {
  return ofPath.test(text) && (rootedStart.test(text) || climbing.test(text))
}
