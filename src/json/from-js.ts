import { CapFenceError } from '../errors.ts'
import type { ErrorDetails } from '../errors.ts'
import { limits } from '../limits.ts'
import { Decimal } from './decimal.ts'
import { KeyFolder, KeyGuard } from './key-guard.ts'
import { excerpt } from './json-error.ts'
import { isJsonObject } from './value.ts'
import type { JsonArray, JsonObject, JsonValue } from './value.ts'

/**
 * Takes a value of JavaScript for what it is as JSON, or refuses it; never guesses.
 *
 * Members that are undefined are left out, as `JSON.stringify` does; an undefined element is refused, because there it
 * would become null. Numbers become the shortest decimal that means them, bigints stay exact, -0 is 0. Refused are NaN,
 * infinities, functions, symbols, cycles, instances of classes (dates, maps, buffers), lone surrogates, and whatever
 * the strict scanner would refuse in a message. Each member is read once, getters included.
 *
 * @throws CapFenceError `EVENT_INVALID`, naming the place as a JSON Pointer
 *
 * @internal Exported for tests only.
 */
export function toJsonValue(value: unknown): JsonValue {
  const reading = new Reading()
  try {
    return reading.value(value)
  } catch (cause) {
    if (cause instanceof CapFenceError) throw cause
    // A getter, or a proxy, that throws.
    throw reading.refused('cannot be read', { cause })
  }
}

/**
 * As `toJsonValue`, for what has to be an object, such as a call's arguments.
 *
 * @throws CapFenceError `EVENT_INVALID`
 */
export function toJsonObject(value: unknown): JsonObject {
  const json = toJsonValue(value)
  if (isJsonObject(json)) return json
  throw new CapFenceError('EVENT_INVALID', 'not an object', {
    hint: 'pass an object with the members by name',
  })
}

class Reading {
  /** The names that lead to the value that is being read. */
  readonly #path: string[] = []
  /** The objects and arrays around it. */
  readonly #open = new Set<object>()
  readonly #folder = new KeyFolder()
  #memberCount = 0

  value(value: unknown): JsonValue {
    if (value === null || typeof value === 'boolean') return value
    if (typeof value === 'string') return this.#text(value)
    if (typeof value === 'bigint') return new Decimal(String(value))
    if (typeof value === 'number') return this.#number(value)
    if (value instanceof Decimal) return this.#decimal(value)
    if (typeof value === 'object') return this.#container(value)
    throw this.refused(typeof value === 'undefined' ? 'is undefined' : `is a ${typeof value}`)
  }

  #text(text: string): string {
    if (!loneSurrogate.test(text)) return text
    throw this.refused('has a lone surrogate')
  }

  #number(number: number): Decimal {
    if (Number.isFinite(number)) return new Decimal(String(number))
    throw this.refused(`is ${number}`)
  }

  // Who calls the library may have made it of any text.
  #decimal(decimal: Decimal): Decimal {
    if (Decimal.parse(decimal.text) !== undefined) return decimal
    throw this.refused(`is a decimal of ${excerpt(decimal.text)}`)
  }

  #container(value: object): JsonArray | JsonObject {
    if (this.#open.has(value)) throw this.refused('contains itself')
    if (this.#open.size >= limits.maxJsonDepth) {
      throw this.refused(`is nested more than ${limits.maxJsonDepth} levels deep`)
    }
    this.#open.add(value)
    const json = Array.isArray(value) ? this.#array(value) : this.#object(value)
    this.#open.delete(value)
    return json
  }

  // By index: an iterator would skip nothing, but `map` skips the holes of a sparse array.
  #array(array: readonly unknown[]): JsonArray {
    const json: JsonValue[] = []
    for (let index = 0; index < array.length; index++) {
      json.push(this.#member(String(index), array[index]))
    }
    return json
  }

  #object(object: object): JsonObject {
    this.#refuseInstance(object)
    const json: Record<string, JsonValue> = { __proto__: null }
    const guard = new KeyGuard(json, this.#folder)
    for (const [name, member] of Object.entries(object)) {
      if (member === undefined) continue
      const refusal = guard.refusal(name)
      if (refusal !== undefined) throw this.refused(`has the key ${excerpt(name)} [${refusal}]`)
      json[this.#text(name)] = this.#member(name, member)
    }
    return json
  }

  #member(name: string, value: unknown): JsonValue {
    this.#memberCount++
    if (this.#memberCount > limits.maxJsonMembers) {
      throw this.refused(`is one of more than ${limits.maxJsonMembers} members`)
    }
    this.#path.push(name)
    const json = this.value(value)
    this.#path.pop()
    return json
  }

  /** An object of a class means more than its properties, so that what is judged would not be what runs. */
  #refuseInstance(object: object): void {
    const prototype: unknown = Object.getPrototypeOf(object)
    const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
    if (!isPlain) throw this.refused(`is an instance of ${className(prototype)}`, plainHint)
    if (Object.getOwnPropertySymbols(object).length > 0) throw this.refused('has a symbol as a key')
  }

  /** What to throw about the value that is being read. */
  refused(what: string, details: ErrorDetails = {}): CapFenceError {
    return new CapFenceError('EVENT_INVALID', `${this.#place()} ${what}`, details)
  }

  /** Where the value stands, as a JSON Pointer (RFC 6901). */
  #place(): string {
    if (this.#path.length === 0) return 'the value'
    const escaped = this.#path.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1'))
    return excerpt(escaped.map((name) => `/${name}`).join(''))
  }
}

const plainHint: ErrorDetails = {
  hint: 'only plain objects, arrays, text, numbers, booleans and null can be judged; convert it first',
}

/** Only a name that is an ordinary property is asked for: a getter could do anything. */
function className(prototype: unknown): string {
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return typeof maker === 'function' && maker.name !== '' ? excerpt(maker.name) : 'a class'
}

/** In a `u` pattern a surrogate that is half of a pair matches nothing by itself. */
const loneSurrogate = /\p{Surrogate}/u
