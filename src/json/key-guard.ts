import { limits } from '../limits.ts'
import { foldKey, kindOfKey } from './fold.ts'
import type { JsonObject } from './value.ts'

/** Folds the keys of one message, and keeps within bounds what that costs. */
export class KeyFolder {
  /** Of keys outside ASCII, for they are dear and mostly come again. */
  readonly #folded = new Map<string, string>()
  #charactersLeft: number = limits.maxWideKeysCharacters

  /** The folded name of a key; undefined when it is too long, alone or with those before it. */
  fold(key: string): string | undefined {
    if (kindOfKey(key) !== 'wide') return foldKey(key)
    const known = this.#folded.get(key)
    if (known !== undefined) return known
    this.#charactersLeft -= key.length
    if (key.length > limits.maxWideKeyCharacters || this.#charactersLeft < 0) return undefined
    const folded = foldKey(key)
    this.#folded.set(key, folded)
    return folded
  }
}

/** Why a key cannot be added to an object. */
export type KeyRefusal = 'proto_key' | 'duplicate_key' | 'ambiguous_key' | 'key_too_long'

/** Watches the keys of one object while it is being built. */
export class KeyGuard {
  /** Has every accepted key by now, and no prototype. */
  readonly #object: JsonObject
  readonly #folder: KeyFolder
  /** Folded names that are no key of the object themselves; most objects have none. */
  #folded: Set<string> | undefined

  constructor(object: JsonObject, folder: KeyFolder) {
    this.#object = object
    this.#folder = folder
  }

  /** Why `key` must not be added, or undefined when it may; then the caller adds it. */
  refusal(key: string): KeyRefusal | undefined {
    if (key === '__proto__') return 'proto_key'
    if (key in this.#object) return 'duplicate_key'
    const folded = this.#folder.fold(key)
    if (folded === undefined) return 'key_too_long'
    if (this.#folded?.has(folded) === true) return 'ambiguous_key'
    if (folded === key) return undefined
    if (folded in this.#object) return 'ambiguous_key'
    this.#folded ??= new Set()
    this.#folded.add(folded)
    return undefined
  }
}
