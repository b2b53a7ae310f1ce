import { sha256Base64url } from '../crypto/sha256.ts'
import { isObject } from './fields.ts'
import type { RecordData, RecordValue } from './record.ts'

/** RFC 9901, section 4: what ends each disclosure in a text of several; base64url has no such character. */
export const disclosureEnd = '~'

/** Members of a record's data that list digests. */
export const sealedMembers: readonly string[] = ['args', 'result', 'message', 'binding', 'state']

/** Digests of a record for which no disclosure is there, or what is wrong with those that are. */
export type DisclosureCheck = { readonly missing: readonly string[] } | { readonly reason: string }

const nothingMissing: DisclosureCheck = { missing: [] }

/**
 * Compares the disclosures that are stored for a record with the digests that it lists.
 *
 * Each must be one of them, none twice, and none whose disclosure was withheld from the start.
 *
 * @param encoded as stored, each followed by `~`; empty when there are none
 */
export function checkDisclosures(data: RecordData, encoded: string): DisclosureCheck {
  const expected = keptDigests(data)
  if (expected === undefined) return { reason: '`withheld` names digests that are not listed' }
  if (encoded === '') return expected.size === 0 ? nothingMissing : { missing: [...expected] }
  const parts = encoded.split(disclosureEnd)
  if (parts.pop() !== '') return { reason: 'its disclosures are cut off' }
  for (const part of parts) {
    if (!expected.delete(sha256Base64url(part))) {
      return { reason: 'a disclosure that none of its digests stands for' }
    }
  }
  return expected.size === 0 ? nothingMissing : { missing: [...expected] }
}

/** Digests whose disclosure was stored with the record; undefined when `withheld` is not an index into them. */
function keptDigests(data: RecordData): Set<string> | undefined {
  const kept = new Set<string>()
  for (const name of sealedMembers) {
    const sealed = data[name]
    if (!isObject(sealed)) continue
    const digests = listOf(sealed['_sd'])
    const withheld = new Set(listOf(sealed['withheld']))
    for (const [index, digest] of digests.entries()) {
      if (!withheld.delete(index) && typeof digest === 'string') kept.add(digest)
    }
    if (withheld.size > 0) return undefined
  }
  return kept
}

function listOf(value: RecordValue | undefined): readonly RecordValue[] {
  return isList(value) ? value : []
}

function isList(value: RecordValue | undefined): value is readonly RecordValue[] {
  return Array.isArray(value)
}
