import { Decimal } from '../json/decimal.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { LabelState, PolicyState, RealPath, Usage } from '../policy/state.ts'

/**
 * What a policy was told of the store when a call was decided, as the record of the decision keeps it: an account, or
 * that it was erased since; undefined where the policy had asked for nothing.
 */
export type Told = JsonObject | 'erased' | undefined

/**
 * Tells a policy of the store what was told when the call was decided.
 *
 * What was not asked then, and what was erased since, is not known; `isIncomplete` says whether somebody asked for it.
 */
export class ToldState implements PolicyState {
  readonly nowMs: number
  readonly #pots: readonly JsonObject[]
  readonly #labels: readonly JsonObject[]
  /** Undefined where the gate shared no disk with the server: paths were compared as written. */
  readonly realPath: RealPath | undefined
  #isIncomplete = false

  constructor(told: Told, nowMs: number) {
    const account = told === 'erased' ? undefined : told
    const paths = account?.['paths']
    this.nowMs = nowMs
    this.#pots = objectsIn(account?.['pots'])
    this.#labels = objectsIn(account?.['labels'])
    // What was erased may have held paths.
    this.realPath =
      paths === undefined && told !== 'erased'
        ? undefined
        : (path) => this.#pathIn(objectsIn(paths), path)
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
