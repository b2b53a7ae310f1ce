import { sha256 } from '@noble/hashes/sha2.js'
import { base64urlOf, fromBase64url, textOf, utf8 } from './bytes.ts'
import {
  isCount,
  isList,
  isObject,
  isTexts,
  parseJson,
  type Json,
  type JsonObject,
} from './record.ts'
import { insist } from './refused.ts'

/** A value that a record has only a digest of, opened. */
export interface OpenedDisclosure {
  /** As the record lists it. */
  readonly digest: string
  /** The name of the argument, `result`, or `...` for several arguments. */
  readonly name: string
  /** The JSON text `[salt, name, value]`, as it is hashed. */
  readonly json: string
}

/** Members of a record's data that list digests. */
const sealedMembers = ['args', 'result', 'message', 'binding', 'state']

/**
 * Opens the disclosures that are shown with a record (RFC 9901).
 *
 * @param encoded base64url texts
 * @throws Refused when one of them is none of this record, or is shown twice
 */
export function openDisclosures(
  data: JsonObject,
  encoded: readonly string[],
): readonly OpenedDisclosure[] {
  const expected = new Set(shownDigests(data))
  return encoded.map((text) => {
    const digest = base64urlOf(sha256(utf8(text)))
    insist(expected.delete(digest), 'a disclosure that none of its digests stands for')
    return opened(digest, text)
  })
}

/**
 * The digests of a record whose disclosures were kept, unless they have been erased since.
 *
 * @throws Refused when what was withheld is not among them
 */
export function shownDigests(data: JsonObject): readonly string[] {
  return sealedMembers.flatMap((member) => {
    const sealed = data[member]
    if (!isObject(sealed)) return []
    const { _sd: digests, withheld } = sealed
    insist(isTexts(digests) && isIndexes(withheld), 'digests that cannot be read')
    insist(new Set(withheld).size === withheld.length, 'a digest is withheld twice')
    insist(
      withheld.every((index) => index < digests.length),
      'a digest is withheld that is not there',
    )
    return digests.filter((_, index) => !withheld.includes(index))
  })
}

function opened(digest: string, encoded: string): OpenedDisclosure {
  const json = textOf(fromBase64url(encoded))
  const parts = parseJson(json)
  insist(isList(parts) && parts.length >= 3, 'a disclosure has a salt, a name and a value')
  const [salt, name] = parts
  insist(typeof salt === 'string' && typeof name === 'string', 'a disclosure has a name')
  return { digest, name, json }
}

function isIndexes(value: Json | undefined): value is readonly number[] {
  return isList(value) && value.every(isCount)
}
