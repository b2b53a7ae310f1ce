import { isObject } from '../audit/fields.ts'
import type { Disclosure, RecordData } from '../audit/record.ts'
import { sha256Base64url } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import type { PlacedRecord } from './log-end.ts'

/** RFC 9901, section 4: what ends each disclosure in a text of several; base64url has no such character. */
const separator = '~'

/** Members of a record's data that list digests; a record has at most one of them. */
const sealedMembers = ['args', 'result', 'message', 'binding'] as const

/** What the disclosures of one record are stored as. */
export interface DisclosureRow {
  readonly seq: number
  readonly encoded: string
}

/**
 * Finds the record to which each disclosure belongs.
 *
 * @throws CapFenceError `RECORD_INVALID` when no record lists its digest
 */
export function disclosureRows(
  disclosures: readonly Disclosure[],
  records: readonly PlacedRecord[],
): readonly DisclosureRow[] {
  let found = 0
  const rows: DisclosureRow[] = []
  if (disclosures.length === 0) return rows
  for (const { seq, draft } of records) {
    const listed = digestsOf(draft.data)
    const own = disclosures.filter(({ digest }) => listed.includes(digest))
    if (own.length > 0) rows.push({ seq, encoded: printDisclosures(own) })
    found += own.length
  }
  if (found === disclosures.length) return rows
  throw new CapFenceError('RECORD_INVALID', 'each disclosure must be listed by one record')
}

/** Reads such a text again. */
export function parseDisclosures(encoded: string): readonly Disclosure[] {
  return encoded
    .split(separator)
    .slice(0, -1)
    .map((one) => ({ digest: sha256Base64url(one), encoded: one }))
}

function printDisclosures(disclosures: readonly Disclosure[]): string {
  return disclosures.map(({ encoded }) => encoded + separator).join('')
}

function digestsOf(data: RecordData): readonly unknown[] {
  for (const name of sealedMembers) {
    const sealed = data[name]
    const digests = isObject(sealed) ? sealed['_sd'] : undefined
    if (Array.isArray(digests)) return digests
  }
  return []
}
