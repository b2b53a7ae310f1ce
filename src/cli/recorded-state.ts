import { readDisclosure } from '../audit/open-disclosure.ts'
import type { Disclosure, StoredRecord } from '../audit/record.ts'
import { isJsonObject } from '../json/value.ts'
import type { Told } from '../replay/told-state.ts'
import { fieldOf, isObject, listOf } from './record-fields.ts'

/** What a policy was told of the store when a call was decided, as far as its record and what it discloses keep it. */
export function toldBy({ data }: StoredRecord, disclosures: readonly Disclosure[]): Told {
  const sealed = Object.hasOwn(data, 'state') ? fieldOf(data, 'state') : null
  const digests = new Set(isObject(sealed) ? listOf(sealed, '_sd') : [])
  const kept = disclosures.find(({ digest }) => digests.has(digest))
  const account = kept === undefined ? undefined : readDisclosure(kept).value
  if (isJsonObject(account)) return account
  return digests.size > 0 ? 'erased' : undefined
}
