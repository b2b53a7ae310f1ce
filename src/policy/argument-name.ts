import { foldKey } from '../json/fold.ts'

/** What the name of an argument says about its value. */
export interface NameRole {
  readonly amount: boolean
  /** The amount is in hundredths, as in `amount_cents`. */
  readonly minor: boolean
  readonly path: boolean
  /** What it holds is read by people or programs and names no file, such as `content` or `query`. */
  readonly prose: boolean
}

const noRole: NameRole = { amount: false, minor: false, path: false, prose: false }

const amountWords = new Set(
  [
    'amount',
    'amt',
    'total',
    'subtotal',
    'value',
    'sum',
    'quantity',
    'qty',
    'price',
    'cost',
  ].flatMap((word) => [word, `${word}s`]),
).add('quantities')
const amountInName = /amount|quantit|price/
const minorWords = new Set(['cent', 'cents', 'pence', 'minor'])
const minorAtEnd = /cents$/

const pathWords = new Set(
  [
    ['path', 'paths', 'file', 'files', 'filename', 'filenames', 'filepath', 'filepaths'],
    ['dir', 'dirs', 'directory', 'directories', 'folder', 'folders', 'root', 'roots', 'cwd', 'uri'],
    ['target', 'targets', 'source', 'sources', 'src', 'destination', 'dest', 'dst', 'from', 'to'],
    ['location', 'workspace'],
  ].flat(),
)
// `profile` ends like a file and is none; names such as `outputfile` and `workdir` have no border inside.
const pathInName = /path|folder|director|(?<!pro)files?$|dirs?$|^file/

// Texts under these names often begin like a path, `// a comment` or `/^a/`, and a server opens none of them.
const proseWords = new Set(
  [
    ['content', 'contents', 'text', 'body', 'message', 'comment', 'description', 'title', 'prompt'],
    ['query', 'sql', 'pattern', 'regex', 'code', 'command', 'cmd', 'diff', 'patch'],
    ['html', 'markdown'],
  ].flat(),
)

/** No server has a longer name for a field that it reads. */
const maxNameCharacters = 128

/**
 * Tells by its name whether an argument is an amount or a path (POLICY.md 8, 9).
 *
 * Generous on purpose: a guard looks at any candidate and a grant needs all of them, so that one candidate more can
 * only make the answer stricter. Names compare as the most lenient server reads them: case and spelling aside.
 */
function nameRole(name: string): NameRole {
  if (name.length > maxNameCharacters) return noRole
  const folded = foldKey(name)
  const words = [...wordsOf(name), ...folded.split(/[^\p{L}\p{N}]+/u)]
  const joined = folded.replace(/[^\p{L}\p{N}]+/gu, '')
  const amount = words.some((word) => amountWords.has(word)) || amountInName.test(joined)
  const path = words.some((word) => pathWords.has(word)) || pathInName.test(joined)
  const minor = amount && (words.some((word) => minorWords.has(word)) || minorAtEnd.test(joined))
  const prose = !path && words.some((word) => proseWords.has(word))
  return amount || path || prose ? { amount, minor, path, prose } : noRole
}

/** `unitPrice`, `unit_price` and `UNIT-PRICE` are the words `unit` and `price`. */
export function wordsOf(name: string): readonly string[] {
  const apart = name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
  return apart.split(/[^\p{L}\p{N}]+/u).map(foldKey)
}

/** Remembers what names say; the arguments of tools have few different names. */
export class NameRoles {
  readonly #known = new Map<string, NameRole>()

  of(name: string): NameRole {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const role = nameRole(name)
    // A caller that invents names must not fill the memory.
    if (this.#known.size >= 4096) this.#known.clear()
    this.#known.set(name, role)
    return role
  }
}
