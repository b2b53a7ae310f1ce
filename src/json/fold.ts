import type { JsonObject } from './value.ts'

/**
 * The name under which lenient readers may find a key: two keys with one folded name are ambiguous (THREATS B2).
 *
 * Go's encoding/json ignores case, including that of U+017F and U+212A; others normalise, or stop at a NUL. This is
 * coarser than each of them: whatever one of them takes for the same name has the same folded name here.
 */
export function foldKey(key: string): string {
  if (foldsToItself(key)) return key
  const nul = key.indexOf('\0')
  const name = nul === -1 ? key : key.slice(0, nul)
  // Lower, upper, lower: any one of them alone keeps the capital sharp s, the long s or the dotless i apart.
  const folded = name.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC')
  // The lower case of the capital dotted I is an i with a dot above; some readers make it a plain i.
  return folded.replaceAll('i\u0307', 'i')
}

/** Whether a key is certainly its own folded name: ASCII without capitals and NUL. */
function foldsToItself(key: string): boolean {
  for (let k = 0; k < key.length; k++) {
    const code = key.charCodeAt(k)
    if (code === 0 || code >= 0x80 || (code >= 0x41 && code <= 0x5a)) return false
  }
  return true
}

/** Names that mean something to the gate, and so must not be meant by others (THREATS B2). */
export class KnownNames {
  readonly #byFoldedName: ReadonlyMap<string, string>

  constructor(names: readonly string[]) {
    this.#byFoldedName = new Map(names.map((name) => [foldKey(name), name]))
  }

  /** The known name that `name` is, or that a lenient reader takes it for. */
  meantBy(name: string): string | undefined {
    return this.#byFoldedName.get(foldKey(name))
  }
}

/** Watches the keys of one object while it is being built. */
export class KeyGuard {
  /** Has every accepted key by now, and no prototype. */
  readonly #object: JsonObject
  /** Folded names that are no key of the object themselves; most objects have none. */
  #folded: Set<string> | undefined

  constructor(object: JsonObject) {
    this.#object = object
  }

  /** Why `key` must not be added, or undefined when it may; then the caller adds it. */
  refusal(key: string): 'proto_key' | 'duplicate_key' | 'ambiguous_key' | undefined {
    if (key === '__proto__') return 'proto_key'
    if (key in this.#object) return 'duplicate_key'
    const folded = foldKey(key)
    if (this.#folded?.has(folded) === true) return 'ambiguous_key'
    if (folded === key) return undefined
    if (folded in this.#object) return 'ambiguous_key'
    this.#folded ??= new Set()
    this.#folded.add(folded)
    return undefined
  }
}
