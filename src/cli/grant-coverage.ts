import type { Grant } from '../approval/grant.ts'
import { grantFits, type GrantRule } from '../approval/grant-rule.ts'
import type { StoredRecord } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import type { LogReader } from '../runtime/store.ts'
import { argumentsText } from './log-arguments.ts'
import { recordedCall } from './recorded-call.ts'
import { textOf, textOrNull } from './record-fields.ts'
import { counted, shown } from './shown.ts'

/** A call of the log that a grant would have covered. */
interface CoveredExample {
  readonly seq: number
  readonly capability: string
  readonly decision: string
  readonly arguments: string
}

/** What a grant would have meant for the newest calls of a log. */
export interface Coverage {
  /** Calls that were looked at. */
  readonly looked: number
  readonly waited: number
  readonly allowed: number
  readonly denied: number
  /** Calls that fit as far as the log still tells, which is not all. */
  readonly unknown: number
  /** The newest few. */
  readonly examples: readonly CoveredExample[]
}

const shownExamples = 5
const atOnce = 200

/** Looks which of the newest calls a grant would have covered, whatever the rules said of them. */
export async function coverageOf(
  reader: LogReader,
  { grant, rule }: { readonly grant: Grant; readonly rule: GrantRule },
  most: number,
): Promise<Coverage> {
  const counts = { looked: 0, waited: 0, allowed: 0, denied: 0, unknown: 0 }
  const examples: CoveredExample[] = []
  for await (const record of newestDecisions(reader, most)) {
    counts.looked += 1
    const fit = await fitOf(reader, { grant, rule }, record)
    if (fit === 'no') continue
    if (fit === 'unknown') {
      counts.unknown += 1
      continue
    }
    const decision = textOf(record.data, 'decision')
    if (decision === 'allow') counts.allowed += 1
    else if (decision === 'deny') counts.denied += 1
    else counts.waited += 1
    if (examples.length < shownExamples) {
      const capability = textOf(record.data, 'capability')
      examples.push({ seq: record.seq, capability, decision, arguments: fit.arguments })
    }
  }
  return { ...counts, examples }
}

/** The same for people. */
export function coverageText(coverage: Coverage): string {
  const { looked, waited, allowed, denied, unknown, examples } = coverage
  if (looked === 0) return '  the log holds no call yet to compare it with\n'
  const fits = waited + allowed + denied
  const more =
    unknown === 0 ? '' : `, and perhaps ${counted(unknown, 'call')} that the log has erased`
  const parts = [
    ...(waited === 0 ? [] : [`${waited} that needed a person`]),
    ...(allowed === 0 ? [] : [`${allowed} allowed`]),
    ...(denied === 0 ? [] : [`${denied} denied, which it does not change`]),
  ]
  const which = fits === 0 ? 'none' : `${fits} (${parts.join(', ')})`
  const lines = [
    `of the newest ${counted(looked, 'call')} it fits ${which}${more}`,
    ...examples.map((one) => `  ${one.seq}  ${one.capability}  ${one.decision}  ${one.arguments}`),
  ]
  return lines.map((line) => `  ${shown(line)}\n`).join('')
}

async function* newestDecisions(reader: LogReader, most: number): AsyncIterable<StoredRecord> {
  let from: number | undefined
  let left = most
  while (left > 0) {
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next one begins
    const page = await reader.find({
      order: 'newest',
      types: ['decision'],
      count: Math.min(left, atOnce),
      ...(from === undefined ? {} : { from }),
    })
    yield* page.records
    left -= page.records.length
    if (page.next === null) return
    from = page.next
  }
}

async function fitOf(
  reader: LogReader,
  { grant, rule }: { readonly grant: Grant; readonly rule: GrantRule },
  { seq, data }: StoredRecord,
): Promise<'no' | 'unknown' | { readonly arguments: string }> {
  // Most calls are of another kind, which needs no arguments to be seen.
  if (textOrNull(data, 'environment') !== grant.environment) return 'no'
  let call
  try {
    call = await recordedCall(reader, seq)
  } catch (error) {
    if (error instanceof CapFenceError && error.code === 'AUDIT_CORRUPT') return 'unknown'
    throw error
  }
  const facts = {
    event: call.event,
    definitionHash: textOrNull(data, 'tool_definition_hash'),
    policyHash: textOf(data, 'policy_hash'),
  }
  const { places, mayBeNamed } = call.missing
  const isWhole = places.length === 0 && mayBeNamed === undefined
  if (isWhole || Object.keys(grant.when).length === 0) {
    return grantFits(grant, rule, facts) ? { arguments: argumentsText(call.arguments) } : 'no'
  }
  return 'unknown'
}
