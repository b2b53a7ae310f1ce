/**
 * The name under which lenient readers may find a key: two keys with one folded name are ambiguous (THREATS B2).
 *
 * Go's encoding/json ignores case, including that of U+017F and U+212A; others normalise, stop at a NUL, or lose the
 * backslash of an escape. This is coarser than each of them: whatever one of them takes for the same name has the same
 * folded name here. For a key outside ASCII it takes more than linear time, so there its length has to be bounded
 * first.
 */
export function foldKey(key: string): string {
  const kind = kindOfKey(key)
  if (kind === 'folded') return key
  const nul = key.indexOf('\0')
  const name = (nul === -1 ? key : key.slice(0, nul)).replaceAll(/[\b\f\n\r\t]/g, letterOfEscape)
  return kind === 'ascii' ? name.toLowerCase() : foldWide(name)
}

/** What is left of an escape without its backslash: `t` of a tab. */
function letterOfEscape(control: string): string {
  return JSON.stringify(control).charAt(2)
}

function foldWide(name: string): string {
  // Lower, upper, lower: any one of them alone keeps the capital sharp s, the long s or the dotless i apart.
  const folded = name.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKD')
  // The lower case of the capital dotted I is an i with a dot above; some readers make it a plain i.
  return folded.replaceAll(/i\p{M}+/gu, (letter) => letter.replaceAll('\u0307', ''))
}

/** Whether a key is its own folded name, as nearly all are, or else whether folding it is cheap. */
export function kindOfKey(key: string): 'folded' | 'ascii' | 'wide' {
  let isFolded = true
  for (let k = 0; k < key.length; k++) {
    const code = key.charCodeAt(k)
    if (code >= 0x80) return 'wide'
    if (code < 0x20 || (code >= 0x41 && code <= 0x5a)) isFolded = false
  }
  return isFolded ? 'folded' : 'ascii'
}

/** No known name has as many characters; nor has any form of one. */
const maxKnownNameCharacters = 64

/** Names that mean something to the gate, and so must not be meant by others (THREATS B2). */
export class KnownNames {
  readonly names: readonly string[]
  readonly #byFoldedName: ReadonlyMap<string, string>

  constructor(names: readonly string[]) {
    this.names = names
    this.#byFoldedName = new Map(names.map((name) => [foldKey(name), name]))
  }

  /** The known name that `name` is, or that a lenient reader takes it for. */
  meantBy(name: string): string | undefined {
    const nul = name.indexOf('\0')
    const length = nul === -1 ? name.length : nul
    if (length > maxKnownNameCharacters) return undefined
    return this.#byFoldedName.get(foldKey(name.slice(0, length)))
  }
}
