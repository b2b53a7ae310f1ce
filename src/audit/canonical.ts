import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { RecordValue } from './record.ts'

/** With the `u` flag a pair is one character, so that only a surrogate without its other half matches. */
const loneSurrogate = /\p{Surrogate}/u

/** Printable ASCII without the quote and the backslash: most strings of a record, which JSON writes as they are. */
const plain = /^[ !#-[\]-~]*$/

/**
 * The RFC 8785 form of a value that may stand in a record.
 *
 * Where only integers occur, that is: members sorted by UTF-16 code unit, no white space, and strings and
 * numbers as ECMAScript writes them.
 *
 * @throws CapFenceError `RECORD_INVALID` for a float, an integer past 2^53-1, a lone surrogate, nesting past the bound
 */
export function canonicalJson(value: RecordValue): string {
  return canonicalAt(value, limits.maxRecordDepth)
}

function canonicalAt(value: RecordValue, levelsLeft: number): string {
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number') return canonicalInteger(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') throw invalid('a record holds JSON values only')
  if (levelsLeft === 0) throw invalid(`a record nests deeper than ${limits.maxRecordDepth} levels`)
  return isList(value)
    ? canonicalList(value, levelsLeft - 1)
    : canonicalObject(value, levelsLeft - 1)
}

function canonicalString(text: string): string {
  if (plain.test(text)) return `"${text}"`
  if (loneSurrogate.test(text)) throw invalid('a record holds no lone surrogates')
  return JSON.stringify(text)
}

function canonicalInteger(number: number): string {
  // -0 has no integer spelling of its own: it would be read back as 0.
  if (!Number.isSafeInteger(number) || Object.is(number, -0)) {
    throw invalid(`a record holds integers up to 2^53-1 only, not ${number}`)
  }
  return String(number)
}

function canonicalList(list: readonly RecordValue[], levelsLeft: number): string {
  let text = '['
  // By index, so that a hole is seen too.
  for (let index = 0; index < list.length; index += 1) {
    const element = list[index]
    if (element === undefined) throw invalid('a record has no undefined element')
    if (index > 0) text += ','
    text += canonicalAt(element, levelsLeft)
  }
  return `${text}]`
}

function canonicalObject(
  value: { readonly [name: string]: RecordValue },
  levelsLeft: number,
): string {
  let text = '{'
  for (const name of sortedNames(value)) {
    const member = value[name]
    if (member === undefined) throw invalid(`a record has no undefined member such as \`${name}\``)
    if (text.length > 1) text += ','
    text += `${canonicalName(name)}:${canonicalAt(member, levelsLeft)}`
  }
  return `${text}}`
}

/** The builders list members in order already, so that checking is cheaper than sorting. */
function sortedNames(value: { readonly [name: string]: RecordValue }): readonly string[] {
  const names = Object.keys(value)
  let before = ''
  for (const name of names) {
    // oxlint-disable-next-line typescript/require-array-sort-compare -- code unit order is what RFC 8785 wants
    if (name < before) return names.sort()
    before = name
  }
  return names
}

/** Names of record fields as JSON writes them: there are few, and each record has dozens. */
const writtenNames = new Map<string, string>()
const maxWrittenNames = 500

function canonicalName(name: string): string {
  const known = writtenNames.get(name)
  if (known !== undefined) return known
  const written = canonicalString(name)
  if (writtenNames.size < maxWrittenNames) writtenNames.set(name, written)
  return written
}

function isList(value: RecordValue): value is readonly RecordValue[] {
  return Array.isArray(value)
}

function invalid(what: string): CapFenceError {
  return new CapFenceError('RECORD_INVALID', what)
}
