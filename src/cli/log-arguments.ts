import { openArguments } from '../audit/open-disclosure.ts'
import type { KeptArguments } from '../audit/open-disclosure.ts'
import { printJson } from '../audit/redacted-json.ts'
import type { Disclosure, StoredRecord } from '../audit/record.ts'
import type { JsonObject } from '../json/value.ts'
import { hideSecrets } from '../audit/hide-secrets.ts'
import { listOf, objectOf } from './record-fields.ts'
import { counted, shownJson } from './shown.ts'

/** One argument by its name, which is not made safe to show, and its value as JSON text, which is. */
export interface ShownMember {
  readonly name: string
  readonly json: string
}

/** The arguments of a call as far as they may be shown. */
export interface ShownArguments {
  /** JSON text that is safe on a terminal, with the numbers as they were written. */
  readonly json: string
  /** The same one by one, in the same order. */
  readonly members: readonly ShownMember[]
  /** JSON Pointers to what is not shown: secrets, and values too long to be kept. */
  readonly hidden: readonly string[]
  /** How many arguments are not even named, because the log keeps nothing of them that can be read. */
  readonly withheld: number
}

/**
 * Puts the arguments of a call together from what the log can disclose of them.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when a disclosure is none
 */
export function keptArguments(
  { data }: StoredRecord,
  disclosures: readonly Disclosure[],
): KeptArguments {
  return openArguments(new Set(listOf(objectOf(data, 'args'), '_sd')), disclosures)
}

/**
 * The arguments of a call without secrets (THREATS B27).
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when a disclosure is none
 */
export function shownArguments(
  record: StoredRecord,
  disclosures: readonly Disclosure[],
): ShownArguments {
  const { value: kept, missing, withheld } = keptArguments(record, disclosures)
  const { value, places } = hideSecrets<JsonObject>(kept)
  return asShown(value, [...new Set([...missing, ...places])], withheld)
}

/**
 * The same with secrets, as far as the log has them.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when a disclosure is none
 */
export function allArguments(
  record: StoredRecord,
  disclosures: readonly Disclosure[],
): ShownArguments {
  const { value, missing, withheld } = keptArguments(record, disclosures)
  return asShown(value, missing, withheld)
}

function asShown(value: JsonObject, hiddenAt: readonly string[], withheld: number): ShownArguments {
  const members = Object.entries(value).map(([name, member]) => ({
    name,
    json: shownJson(printJson(member)),
  }))
  return { json: shownJson(printJson(value)), members, hidden: hiddenAt, withheld }
}

/** The arguments as a person reads them: the JSON text, and that it is not all. */
export function argumentsText({ json, withheld }: ShownArguments): string {
  return withheld === 0 ? json : `${json} and ${counted(withheld, 'argument')} withheld`
}
