import type { KeptArguments } from '../audit/open-disclosure.ts'
import type { RecordData, StoredRecord } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import { ActionEvent } from '../event/action-event.ts'
import { isRiskLevel } from '../event/capability.ts'
import type { ArgumentRoles, EventContext } from '../event/event.ts'
import type { MissingArguments } from '../policy/unknown.ts'
import type { JsonObject } from '../json/value.ts'
import { missingArguments } from '../replay/missing.ts'
import type { Unnamed } from '../replay/missing.ts'
import { ToldState } from '../replay/told-state.ts'
import type { LogReader } from '../runtime/store.ts'
import { keptArguments, shownArguments } from './log-arguments.ts'
import type { ShownArguments } from './log-arguments.ts'
import { toldBy } from './recorded-state.ts'
import {
  fieldOf,
  isObject,
  listOf,
  numberOrNull,
  objectOf,
  textOf,
  textOrNull,
} from './record-fields.ts'

/** A call that was decided, as far as the log keeps it. */
export interface RecordedCall {
  readonly record: StoredRecord
  readonly event: ActionEvent
  /** What a policy that asks for it was shown, or would have been; one for each policy that is asked. */
  readonly state: () => ToldState
  readonly missing: MissingArguments
  readonly arguments: ShownArguments
}

/**
 * Reads the decision at `seq`, and makes its event again.
 *
 * @throws CapFenceError `USAGE` when no decision stands there, `AUDIT_CORRUPT` when it makes no event
 */
export async function recordedCall(reader: LogReader, seq: number): Promise<RecordedCall> {
  const [record] = await reader.records(seq, 1)
  if (record?.seq !== seq) {
    throw new CapFenceError('USAGE', `the log has no record ${seq}`, {
      hint: 'the first column of `capfence logs` has the numbers of decisions',
    })
  }
  if (record.type !== 'decision') throw noDecision(record)
  const disclosures = await reader.disclosures(seq)
  const kept = keptArguments(record, disclosures)
  return {
    record,
    event: recordedEvent(record.data, kept.value),
    state: () => new ToldState(toldBy(record, disclosures), clockOf(record)),
    missing: missingOf(record.data, kept),
    arguments: shownArguments(record, disclosures),
  }
}

function noDecision({ seq, type, data }: StoredRecord): CapFenceError {
  const decision = Object.hasOwn(data, 'decision_seq') ? numberOrNull(data, 'decision_seq') : null
  return new CapFenceError('USAGE', `record ${seq} is \`${type}\`, and no decision`, {
    hint:
      decision === null
        ? 'the first column of `capfence logs` has the numbers of decisions'
        : `it belongs to the decision ${decision}: \`--seq ${decision}\``,
  })
}

/** The clock of a decision. One that did not depend on it does not have it; when the record was written is near enough then. */
export function clockOf({ data, ts }: StoredRecord): number {
  const clock = Object.hasOwn(data, 'clock_ms') ? numberOrNull(data, 'clock_ms') : null
  return clock ?? Date.parse(ts)
}

/**
 * The event that a decision was about.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when the record makes none
 */
export function recordedEvent(data: RecordData, args: JsonObject): ActionEvent {
  const environment = textOrNull(data, 'environment')
  const risk = textOrNull(data, 'risk')
  try {
    return ActionEvent.of({
      actor: textOf(data, 'actor'),
      capability: {
        resource: textOf(data, 'resource'),
        action: textOf(data, 'action'),
        scope: textOf(data, 'scope'),
      },
      ...(environment === null ? {} : { environment }),
      ...(isRiskLevel(risk) ? { risk } : {}),
      arguments: args,
      context: contextOf(data),
      argumentRoles: rolesOf(data),
    })
  } catch (cause) {
    if (!(cause instanceof CapFenceError) || cause.code === 'AUDIT_CORRUPT') throw cause
    const message = `the record of the decision makes no event: ${cause.message}`
    throw new CapFenceError('AUDIT_CORRUPT', message, { cause })
  }
}

const contextFields = ['server', 'tool', 'role', 'tenant', 'session', 'client'] as const

function contextOf(data: RecordData): EventContext {
  const fields = contextFields.flatMap((name) => {
    const value = textOrNull(data, name)
    return value === null ? [] : [[name, value] as const]
  })
  return Object.fromEntries(fields)
}

function rolesOf(data: RecordData): ArgumentRoles {
  if (!Object.hasOwn(data, 'argument_roles')) return {}
  const roles = objectOf(data, 'argument_roles')
  const pointers = (name: string): readonly string[] =>
    listOf(roles, name).filter((pointer) => typeof pointer === 'string')
  return { amount: pointers('amount'), path: pointers('path') }
}

function missingOf(data: RecordData, { missing, withheld }: KeptArguments): MissingArguments {
  return missingArguments(missing, unnamedOf(data, withheld))
}

/** Which names the arguments may have that the log does not even name. */
export function unnamedOf(data: RecordData, withheld: number): Unnamed {
  const args = fieldOf(data, 'args')
  const mode = isObject(args) ? textOf(args, 'mode') : 'none'
  // Where nothing is kept, not even a digest says how many there were.
  if (mode === 'none') return 'any'
  if (withheld === 0) return 'none'
  const neverStored = isObject(args) ? listOf(args, 'withheld').length : 0
  const isErased = withheld > neverStored
  // In the other modes an argument is withheld for its name, unless it was erased later.
  return mode === 'digest-only' || isErased ? 'any' : 'secret'
}
