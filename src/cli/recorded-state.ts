import type { Disclosure, StoredRecord } from '../audit/record.ts'
import { Decimal } from '../json/decimal.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { LabelState, PolicyState, RealPath, Usage } from '../policy/state.ts'
import { readDisclosure } from './log-arguments.ts'
import { fieldOf, isObject, listOf } from './record-fields.ts'

/**
 * What a policy was told of the store when a call was decided, as its record keeps it.
 *
 * What was not asked then, and what was erased since, is not known; `isIncomplete` says whether somebody asked for it.
 */
export class RecordedState implements PolicyState {
  readonly nowMs: number
  readonly #pots: readonly JsonObject[]
  readonly #labels: readonly JsonObject[]
  /** Undefined where the gate shared no disk with the server: paths were compared as written. */
  readonly realPath: RealPath | undefined
  #isIncomplete = false

  constructor({ data }: StoredRecord, disclosures: readonly Disclosure[], nowMs: number) {
    const sealed = Object.hasOwn(data, 'state') ? fieldOf(data, 'state') : null
    const digests = new Set(isObject(sealed) ? listOf(sealed, '_sd') : [])
    const kept = disclosures.find(({ digest }) => digests.has(digest))
    const account = kept === undefined ? null : readDisclosure(kept).value
    this.nowMs = nowMs
    this.#pots = isJsonObject(account) ? objectsIn(account['pots']) : []
    this.#labels = isJsonObject(account) ? objectsIn(account['labels']) : []
    const paths = isJsonObject(account) ? account['paths'] : undefined
    // What was erased may have held paths.
    const isErased = digests.size > 0 && kept === undefined
    this.realPath =
      paths === undefined && !isErased ? undefined : (path) => this.#pathIn(objectsIn(paths), path)
  }

  get isIncomplete(): boolean {
    return this.#isIncomplete
  }

  usage(pot: string, sinceMs: number): Usage | undefined {
    const known = this.#pots.find((one) => one['pot'] === pot && isNumber(one['since_ms'], sinceMs))
    if (known === undefined) return this.#unknown()
    const { used } = known
    const number = typeof used === 'string' ? Decimal.parsePlain(used) : undefined
    // When there was room again is not kept: the answer was the same without.
    return number && { used: number, reachedAtMs: () => undefined }
  }

  label(name: string, bind: string | undefined): LabelState | undefined {
    // Values are kept as keyed digests. A decision asks for one value of a label, so that it is the one that is meant.
    const about = this.#labels.filter(
      (one) => one['label'] === name && (one['bind'] === null) === (bind === undefined),
    )
    const [known] = about
    if (known === undefined || about.length > 1) return this.#unknown()
    return { held: known['held'] === true, proven: known['proven'] === true }
  }

  #pathIn(paths: readonly JsonObject[], path: string): string | undefined {
    const known = paths.find((one) => one['path'] === path)
    if (known === undefined) return this.#unknown()
    const { real } = known
    return typeof real === 'string' ? real : undefined
  }

  #unknown(): undefined {
    this.#isIncomplete = true
  }
}

function isNumber(value: JsonValue | undefined, number: number): boolean {
  return value instanceof Decimal && value.toNumber() === number
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return value !== undefined && isJsonArray(value) ? value.filter(isJsonObject) : []
}
