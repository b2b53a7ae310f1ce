import type { Disclosure, StoredRecord } from '../audit/record.ts'
import { Decimal } from '../json/decimal.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { clockAlone } from '../policy/state.ts'
import type { PolicyState } from '../policy/state.ts'
import { readDisclosure } from './log-arguments.ts'
import { fieldOf, isObject, listOf } from './record-fields.ts'

/**
 * What a policy was told of the store when a call was decided, as its record keeps it.
 *
 * What was not asked then, and what was erased since, is unknown.
 */
export function recordedState(
  { data }: StoredRecord,
  disclosures: readonly Disclosure[],
  nowMs: number,
): PolicyState {
  const sealed = Object.hasOwn(data, 'state') ? fieldOf(data, 'state') : null
  const digests = new Set(isObject(sealed) ? listOf(sealed, '_sd') : [])
  const kept = disclosures.find(({ digest }) => digests.has(digest))
  const account = kept === undefined ? null : readDisclosure(kept).value
  if (!isJsonObject(account)) return clockAlone(nowMs)
  const pots = objectsIn(account['pots'])
  const labels = objectsIn(account['labels'])
  return {
    nowMs,
    usage: (pot, sinceMs) => {
      const known = pots.find((one) => one['pot'] === pot && isNumber(one['since_ms'], sinceMs))
      const used = known?.['used']
      const number = typeof used === 'string' ? Decimal.parsePlain(used) : undefined
      // When there was room again is not kept: the answer was the same without.
      return number && { used: number, reachedAtMs: () => undefined }
    },
    label: (name, bind) => {
      // Values are kept as keyed digests. A decision asks for one value of a label, so that it is the one that is meant.
      const about = labels.filter(
        (one) => one['label'] === name && (one['bind'] === null) === (bind === undefined),
      )
      const [known] = about
      if (known === undefined || about.length > 1) return undefined
      return { held: known['held'] === true, proven: known['proven'] === true }
    },
  }
}

function isNumber(value: JsonValue | undefined, number: number): boolean {
  return value instanceof Decimal && value.toNumber() === number
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return value !== undefined && isJsonArray(value) ? value.filter(isJsonObject) : []
}
