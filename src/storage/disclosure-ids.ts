import { isObject } from '../audit/fields.ts'
import type { Disclosure, RecordData } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import type { PlacedRecord } from './log-end.ts'

/** More than a record can list: 64 arguments and what the rest share. */
const idsPerRecord = 256

/** Members of a record's data that list digests. */
const sealedMembers = ['args', 'result', 'message', 'binding'] as const

/** The ids of a record's disclosures, from the first to before the last. */
export function disclosureIds(seq: number): { readonly from: number; readonly to: number } {
  return { from: seq * idsPerRecord, to: (seq + 1) * idsPerRecord }
}

/**
 * The id under which each disclosure is stored: it tells which digest of which record it opens.
 *
 * @throws CapFenceError `RECORD_INVALID` when no record lists the digest
 */
export function placeDisclosures(
  disclosures: readonly Disclosure[],
  records: readonly PlacedRecord[],
): readonly { readonly id: number; readonly encoded: string }[] {
  if (disclosures.length === 0) return []
  const ids = new Map<string, number>()
  for (const { seq, draft } of records) {
    for (const [index, digest] of digestsOf(draft.data).entries())
      ids.set(digest, seq * idsPerRecord + index)
  }
  return disclosures.map(({ digest, encoded }) => {
    const id = ids.get(digest)
    if (id === undefined)
      throw new CapFenceError('RECORD_INVALID', 'a disclosure that no record lists')
    return { id, encoded }
  })
}

/** The digests that a record lists, in its order; a record has at most one such list. */
function digestsOf(data: RecordData): readonly string[] {
  for (const name of sealedMembers) {
    const sealed = data[name]
    const digests = isObject(sealed) ? sealed['_sd'] : undefined
    if (Array.isArray(digests)) return digests.filter((digest) => typeof digest === 'string')
  }
  return []
}
