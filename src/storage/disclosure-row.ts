import { disclosureEnd, sealedMembers } from '../audit/disclosed.ts'
import { isObject } from '../audit/fields.ts'
import type { Disclosure, RecordData } from '../audit/record.ts'
import { sha256Base64url } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import type { PlacedRecord } from './log-end.ts'

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
  if (disclosures.length === 0) return []
  const left = new Map(disclosures.map((disclosure) => [disclosure.digest, disclosure]))
  const isTwice = left.size < disclosures.length
  const rows = records.flatMap(({ seq, draft }) => {
    const own = digestsOf(draft.data).flatMap((digest) => take(left, digest))
    return own.length === 0 ? [] : [{ seq, encoded: printDisclosures(own) }]
  })
  if (!isTwice && left.size === 0) return rows
  throw new CapFenceError('RECORD_INVALID', 'each disclosure must be listed by one record')
}

/** Reads such a text again. */
export function parseDisclosures(encoded: string): readonly Disclosure[] {
  return encoded
    .split(disclosureEnd)
    .slice(0, -1)
    .map((one) => ({ digest: sha256Base64url(one), encoded: one }))
}

function take(left: Map<string, Disclosure>, digest: string): readonly Disclosure[] {
  const disclosure = left.get(digest)
  left.delete(digest)
  return disclosure === undefined ? [] : [disclosure]
}

/** The text that stands in a row for disclosures. */
export function printDisclosures(disclosures: readonly Disclosure[]): string {
  return disclosures.map(({ encoded }) => encoded + disclosureEnd).join('')
}

function digestsOf(data: RecordData): readonly string[] {
  return sealedMembers.flatMap((name) => {
    const sealed = data[name]
    const digests = isObject(sealed) ? sealed['_sd'] : undefined
    return Array.isArray(digests) ? digests.filter((digest) => typeof digest === 'string') : []
  })
}
