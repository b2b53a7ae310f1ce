import type { RecordData, RecordValue } from '../audit/record.ts'
import type { DecisionEntry, LogEntry, OutcomeEntry, RefusalEntry } from './log-entry.ts'
import { changeLine, changeRow } from './log-changes.ts'
import { argumentsText } from './log-arguments.ts'
import { fieldOf, isObject, listOf, numberOrNull, textOf, textOrNull } from './record-fields.ts'
import { jsonLine, shown, shownJson } from './shown.ts'
import type { Style } from './style.ts'
import type { Cell, Column } from './table.ts'

/** The version of what `--json` prints; fields may be added to it, none changes its meaning or goes away. */
export const schemaVersion = 1

/** The columns of `capfence logs`. */
export const logColumns: readonly Column[] = [
  { title: 'SEQ', min: 3, max: 8 },
  { title: 'TIME', min: 20, max: 20 },
  { title: 'DECISION', min: 8, max: 18 },
  { title: 'TOOL', min: 8, max: 32 },
  { title: 'ACTOR', min: 5, max: 20 },
  { title: 'WHY', min: 8, max: 32 },
  { title: 'OUTCOME', min: 8, max: 20 },
  { title: 'ARGUMENTS', min: 9, max: 9 },
]

/** An entry as a row of the table. */
export function logRow(entry: LogEntry): readonly Cell[] {
  switch (entry.kind) {
    case 'decision':
      return decisionRow(entry)
    case 'refusal':
      return refusalRow(entry)
    case 'change':
      return changeRow(entry, shownTime(entry.record.ts))
  }
}

/** An entry as a line of JSON Lines. */
export function logLine(entry: LogEntry): string {
  switch (entry.kind) {
    case 'decision':
      return decisionLine(entry)
    case 'refusal':
      return refusalLine(entry)
    case 'change':
      return changeLine(entry, schemaVersion)
  }
}

/** An outcome that came after its decision was printed, as a line of JSON Lines. */
export function outcomeLine(call: string, decisionSeq: number, outcome: OutcomeEntry): string {
  return jsonLine({ schemaVersion, type: 'outcome', call, decisionSeq, ...outcome })
}

/** The same as a row of the table, in the place of its decision. */
export function outcomeRow(decisionSeq: number, outcome: OutcomeEntry): readonly Cell[] {
  return [`${decisionSeq}`, '', '', '', '', '', outcomeText(outcome), ''].map((text) => ({ text }))
}

const decisionStyles: Readonly<Record<string, Style>> = {
  allow: 'green',
  deny: 'red',
  require_approval: 'yellow',
}

function decisionRow({ record, arguments: args, outcome }: DecisionEntry): readonly Cell[] {
  const { data } = record
  const decision = textOf(data, 'decision')
  const isObserved = textOf(data, 'mode') === 'observe' && decision !== 'allow'
  return [
    { text: String(record.seq) },
    { text: shownTime(record.ts) },
    { text: isObserved ? `${decision} (observed)` : decision, style: decisionStyles[decision] },
    { text: shown(toolName(data)) },
    { text: shown(textOf(data, 'actor')) },
    { text: shown(why(data)) },
    { text: outcome === undefined ? outcomeBefore(data) : outcomeText(outcome) },
    { text: argumentsText(args) },
  ]
}

function refusalRow({ record }: RefusalEntry): readonly Cell[] {
  const { data } = record
  const omitted = numberOrNull(data, 'omitted') ?? 0
  const size = `a message of ${numberOrNull(data, 'size') ?? 0} bytes`
  return [
    { text: String(record.seq) },
    { text: shownTime(record.ts) },
    { text: 'refused', style: 'red' },
    { text: shown(textOrNull(data, 'server') ?? '-') },
    { text: shown(textOrNull(data, 'client') ?? '-') },
    { text: shown(textOf(data, 'reason')) },
    { text: '-' },
    { text: omitted === 0 ? size : `${size}, and ${omitted} more refused before it` },
  ]
}

function toolName(data: RecordData): string {
  const tool = textOrNull(data, 'tool')
  return tool === null ? textOf(data, 'capability') : `${textOrNull(data, 'server') ?? '?'}.${tool}`
}

const answered: ReadonlySet<string> = new Set([
  'approved',
  'approval_denied',
  'granted',
  'break_glass',
])

/** The rules that decided, or the reason when there were none. */
function why(data: RecordData): string {
  const reason = textOf(data, 'reason')
  const ids = rulesOf(data).map((rule) => textOf(rule, 'id'))
  // Of a person's answer the rule is only half the reason.
  if (answered.has(reason)) ids.push(reason)
  return ids.length === 0 ? reason : ids.join(', ')
}

function rulesOf(data: RecordData): readonly RecordData[] {
  return listOf(data, 'rule').filter(isObject)
}

function outcomeBefore(data: RecordData): string {
  return fieldOf(data, 'forwarded') === true ? 'none yet' : '-'
}

function outcomeText({ status, ms }: OutcomeEntry): string {
  return ms === null ? status : `${status} ${ms}ms`
}

/** To the second; the exact time stands in the JSON. */
function shownTime(ts: string): string {
  return shown(ts.replace('T', ' ').replace(/\.\d+Z$/, 'Z'))
}

const ruleFields = ['id', 'effect', 'file', 'line', 'column', 'value', 'predicates'] as const

function decisionLine({ record, arguments: args, outcome }: DecisionEntry): string {
  const { data } = record
  const head = {
    schemaVersion,
    type: 'decision',
    seq: record.seq,
    time: record.ts,
    call: textOf(data, 'call'),
    decision: textOf(data, 'decision'),
    reason: textOf(data, 'reason'),
    rules: rulesOf(data).map((rule) => pick(rule, ruleFields)),
    rulesOmitted: numberOrNull(data, 'rules_omitted'),
    mode: textOf(data, 'mode'),
    forwarded: fieldOf(data, 'forwarded'),
    ...pick(data, ['server', 'tool', 'actor', 'client', 'session', 'role', 'tenant']),
    ...pick(data, ['capability', 'environment', 'risk', 'approval', 'grant']),
    policyHash: textOf(data, 'policy_hash'),
    toolDefinitionHash: textOrNull(data, 'tool_definition_hash'),
    outcome: outcome ?? null,
    argumentsHidden: args.hidden,
    argumentsWithheld: args.withheld,
  }
  // The arguments are text already, because a number of theirs may be more exact than a double.
  return `${shownJson(JSON.stringify(head)).slice(0, -1)},"arguments":${args.json}}\n`
}

function refusalLine({ record }: RefusalEntry): string {
  const { data } = record
  return jsonLine({
    schemaVersion,
    type: 'refusal',
    seq: record.seq,
    time: record.ts,
    ...pick(data, ['reason', 'server', 'client', 'session', 'size', 'omitted']),
  })
}

function pick(data: RecordData, names: readonly string[]): Record<string, RecordValue> {
  return Object.fromEntries(names.map((name) => [name, fieldOf(data, name)]))
}
