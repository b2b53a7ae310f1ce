import { foldKey } from '../json/fold.ts'

/** What the name of an argument says about its value. */
export interface NameRole {
  readonly amount: boolean
  /** An amount only where the value may be meant as a number: `value`, `price_list` or `total_pages` often is none. */
  readonly vague: boolean
  /** The amount is in hundredths, as in `amount_cents`. */
  readonly minor: boolean
  readonly path: boolean
  /** What it holds is read by people or programs and names no file, such as `content` or `query`. */
  readonly prose: boolean
}

const noRole: NameRole = { amount: false, vague: false, minor: false, path: false, prose: false }

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
// Of names without a border inside, such as `paymentamount`, with what follows the word.
const amountInName = /^.*(?:amount|price|quantit(?:y|ies)?)s?(.*)$/
/** Said of nearly everything: the colour that is filled into a form is a value too. */
const vagueWords = new Set(['value', 'values'])
/** The last word says what a thing is: a cost centre is a centre, and the id of a price is an id. */
const thingWords = new Set(
  [
    ['id', 'ids', 'uuid', 'key', 'keys', 'code', 'codes', 'name', 'names', 'label', 'labels'],
    ['center', 'centers', 'centre', 'centres', 'currency', 'currencies', 'date', 'url'],
    ['type', 'types', 'kind', 'category', 'categories', 'status', 'format', 'description', 'note'],
  ].flat(),
)
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
  const readings = [wordsOf(name), folded.split(/[^\p{L}\p{N}]+/u)]
  const words = readings.flat()
  const joined = folded.replace(/[^\p{L}\p{N}]+/gu, '')
  const { amount, vague } = amountRole(readings, joined)
  const path = words.some((word) => pathWords.has(word)) || pathInName.test(joined)
  const minor = amount && (words.some((word) => minorWords.has(word)) || minorAtEnd.test(joined))
  const prose = !path && words.some((word) => proseWords.has(word))
  return amount || path || prose ? { amount, vague, minor, path, prose } : noRole
}

type AmountRole = Pick<NameRole, 'amount' | 'vague'>

/** What the strictest of the readings of a name says; where none has the word, what the letters without borders say. */
function amountRole(readings: readonly (readonly string[])[], joined: string): AmountRole {
  const withWord = readings.filter((words) => words.some((word) => amountWords.has(word)))
  if (withWord.length === 0) {
    const found = amountInName.exec(joined)
    return found === null ? noRole : roleOfLast(found[1] === '' ? 'amount' : found[1])
  }
  const roles = withWord.map((words) => roleOfLast(words.findLast(isHead)))
  return roles.find(({ amount, vague }) => amount && !vague) ?? roles.find(isAmount) ?? noRole
}

function isAmount({ amount }: AmountRole): boolean {
  return amount
}

/** `amount_cents` and `amount[0]` are amounts, and not cents or zeros. */
function isHead(word: string): boolean {
  return !minorWords.has(word) && !/^\d*$/.test(word)
}

/** What a name that has the word of an amount is, by its last word. */
function roleOfLast(last = ''): AmountRole {
  if (thingWords.has(last)) return noRole
  return { amount: true, vague: vagueWords.has(last) || !amountWords.has(last) }
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
