import { sealedMembers } from '../audit/disclosed.ts'
import type { RecordData, RecordValue } from '../audit/record.ts'
import { checkProof, parseProof } from '../audit/proof-file.ts'
import { proveRecord } from './audit-prove.ts'
import type { ExitCode, Io, Output } from './io.ts'
import { exitCodes } from './io.ts'
import { outcomeEntry } from './log-entry.ts'
import { schemaVersion } from './log-lines.ts'
import { pinFrom, type PinFlags } from './pin-flags.ts'
import type { OpenLog, PlaceFlags } from './places.ts'
import { storageOf, withLog } from './places.ts'
import { receiptOf, type Receipt } from './receipt.ts'
import { fieldOf, isObject, listOf, numberOrNull, textOf, textOrNull } from './record-fields.ts'
import { counted, shown, shownJson } from './shown.ts'
import { styled, type Style } from './style.ts'

/** What `capfence audit show` takes, as it was typed. */
export interface ShowFlags extends PlaceFlags, PinFlags {
  readonly showSecrets?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Whether the record was proved to be in the pinned log, and what that was checked against. */
interface Proved {
  readonly log: string
  readonly size: number
  readonly root: string
  readonly epochVerified: boolean
}

/**
 * `capfence audit show SEQ|CALL`: one record, as a person reads it; with a pin also whether it is in the log as signed.
 *
 * @throws CapFenceError `USAGE` when there is no such record; `AUDIT_CORRUPT` or `PROOF_INVALID` when it is not as it was
 */
export async function auditShow(
  which: string,
  flags: ShowFlags,
  io: Io,
  open: OpenLog,
): Promise<ExitCode> {
  const pin = pinFrom(flags)
  const receipt = await withLog(flags, open, (reader) =>
    receiptOf(reader, which, flags.showSecrets === true),
  )
  let proved: Proved | undefined
  if (pin !== undefined) {
    const { proof } = await proveRecord(storageOf(flags), receipt.record.seq, io)
    const { checkpoint, isEpochVerified } = checkProof(parseProof(proof), pin)
    const { origin: log, size, root } = checkpoint
    proved = { log, size, root, epochVerified: isEpochVerified }
  }
  await io.out.write(
    flags.json === true ? receiptJson(receipt, proved) : receiptText(receipt, proved, io.out),
  )
  return exitCodes.yes
}

type Row = readonly [name: string, text: string]

const decisionStyles: Readonly<Record<string, Style>> = {
  allow: 'green',
  require_approval: 'yellow',
  deny: 'red',
}

function receiptText(receipt: Receipt, proved: Proved | undefined, output: Output): string {
  const { record } = receipt
  const head = styled(output, 'bold', `record ${record.seq}  ${record.type}`)
  const { decision } = record.data
  const style = typeof decision === 'string' ? decisionStyles[decision] : undefined
  const rows = record.type === 'decision' ? decisionRows(receipt) : fieldRows(receipt)
  const lines = [...rows, ...proofRows(receipt, proved)].map(([name, text]) => {
    const safe = shown(text)
    const isStyled = name === 'decision' && style !== undefined
    return `  ${name.padEnd(10)} ${isStyled ? styled(output, style, safe) : safe}\n`
  })
  return [`${head}  ${record.ts}\n`, ...lines, ...valueLines(receipt)].join('')
}

function decisionRows({ record: { data }, other }: Receipt): readonly Row[] {
  const isObserved = textOf(data, 'mode') === 'observe'
  const tool = textOrNull(data, 'tool')
  const rows: readonly (readonly [string, string | null])[] = [
    ['decision', `${textOf(data, 'decision')}${isObserved ? ' (observed, not enforced)' : ''}`],
    ['reason', textOf(data, 'reason')],
    ...ruleRows(data),
    ['tool', tool === null ? null : `${textOrNull(data, 'server') ?? '?'}.${tool}`],
    ['capability', textOf(data, 'capability')],
    ['actor', textOf(data, 'actor')],
    ['client', textOrNull(data, 'client')],
    ['session', textOrNull(data, 'session')],
    ['where', textOrNull(data, 'environment')],
    ['risk', textOrNull(data, 'risk')],
    ['approval', textOrNull(data, 'approval')],
    ['grant', textOrNull(data, 'grant')],
    ['call', textOf(data, 'call')],
    ['policy', textOf(data, 'policy_hash')],
    ['definition', textOrNull(data, 'tool_definition_hash')],
    ['forwarded', fieldOf(data, 'forwarded') === true ? 'yes' : 'no, the server never saw it'],
    ['outcome', outcomeText(data, other)],
  ]
  return rows.flatMap(([name, text]) => (text === null ? [] : [[name, text]]))
}

function ruleRows(data: RecordData): readonly Row[] {
  const rules = listOf(data, 'rule').filter(isObject)
  const omitted = numberOrNull(data, 'rules_omitted') ?? 0
  const named = rules.map((rule): Row => {
    const value = fieldOf(rule, 'value') === 'indeterminate' ? ', could not be evaluated' : ''
    const at = `${textOf(rule, 'file')}:${numberOrNull(rule, 'line') ?? 0}`
    return ['rule', `${textOf(rule, 'id')} (${at})${value}`]
  })
  return omitted === 0 ? named : [...named, ['rule', `and ${omitted} more`]]
}

function outcomeText(data: RecordData, outcome: Receipt['other']): string | null {
  if (outcome === undefined) {
    return fieldOf(data, 'forwarded') === true ? 'none yet, or nobody knows' : null
  }
  const { seq, status, ms, bytes } = outcomeEntry(outcome)
  const time = ms === null ? '' : ` in ${ms} ms`
  const size = bytes === null ? '' : `, ${counted(bytes, 'byte')}`
  return `${status}${time}${size} (record ${seq})`
}

/** What other records say, name by name; what stands in them as digests is shown apart. */
function fieldRows({ record: { data }, other }: Receipt): readonly Row[] {
  const own = Object.entries(data).filter(([name]) => !sealedMembers.includes(name))
  const rows = own.map(([name, value]): Row => [name, plain(value)])
  return other === undefined
    ? rows
    : [...rows, ['decision', `${textOf(other.data, 'decision')} (record ${other.seq})`]]
}

function plain(value: RecordValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function proofRows({ record }: Receipt, proved: Proved | undefined): readonly Row[] {
  const leaf: Row = ['leaf', record.leaf]
  const log: Row = ['log', record.log]
  if (proved === undefined) {
    return [leaf, log, ['proved', 'not asked for: give the keys of the log with `--pin FILE`']]
  }
  const epoch = proved.epochVerified ? '' : ", by the log's own key alone"
  return [leaf, log, ['proved', `in the log as it was signed at ${proved.size} records${epoch}`]]
}

function valueLines(receipt: Receipt): readonly string[] {
  const { arguments: args, sealed, erased } = receipt
  const members = args?.members ?? []
  const values = [
    ...members.map(({ name, json }) => ({ title: 'arguments', name, json })),
    ...sealed.map(({ member, name, json }) => ({ title: member, name, json })),
  ]
  const width = Math.min(24, Math.max(0, ...values.map(({ name }) => shown(name).length)))
  const titles = [...new Set(values.map(({ title }) => title))]
  return [
    ...titles.flatMap((title) => [
      `  ${title}\n`,
      ...values
        .filter((value) => value.title === title)
        .map(({ name, json }) => `    ${shown(name).padEnd(width)}  ${json}\n`),
    ]),
    ...notes(receipt).map((note) => `  ${shown(note)}\n`),
    ...(members.length === 0 && args?.withheld === 0 && erased['args'] === undefined
      ? ['  without arguments\n']
      : []),
  ]
}

/** What is not shown, and why; nothing is left out silently. */
function notes({ arguments: args, erased }: Receipt): readonly string[] {
  const gone = Object.entries(erased).map(
    ([member, count]) => `erased: ${counted(count, 'value')} of \`${member}\`, kept as digests`,
  )
  if (args === undefined) return gone
  const withheld = args.withheld - (erased['args'] ?? 0)
  return [
    ...(args.hidden.length === 0
      ? []
      : [`not shown: ${args.hidden.join(', ')} (\`--show-secrets\`)`]),
    ...(withheld === 0 ? [] : [`never kept: ${counted(withheld, 'argument')}, only digests`]),
    ...gone,
  ]
}

function receiptJson(receipt: Receipt, proved: Proved | undefined): string {
  const { record, arguments: args, sealed, erased, other } = receipt
  const { seq, type, ts, w, wn, prev, leaf, log, data } = record
  const head = {
    schemaVersion,
    type: 'audit-show',
    record: { seq, type, time: ts, log, writer: w, writerCount: wn, prev, leaf, data },
    outcome: type === 'decision' && other !== undefined ? outcomeEntry(other) : null,
    decisionSeq: type === 'outcome' ? (other?.seq ?? null) : null,
    proved: proved ?? null,
    argumentsHidden: args?.hidden ?? [],
    argumentsWithheld: args === undefined ? 0 : args.withheld - (erased['args'] ?? 0),
    erased,
  }
  const values = sealed.map(
    ({ member, name, json }) =>
      `{"member":${JSON.stringify(member)},"name":${shownJson(JSON.stringify(name))},"value":${json}}`,
  )
  const tail = `,"sealed":[${values.join(',')}],"arguments":${args?.json ?? 'null'}}\n`
  return shownJson(JSON.stringify(head)).slice(0, -1) + tail
}
