import type { Finding, FindingGroup, NamedCall, ReplayReport } from '../replay/tally.ts'
import {
  amountText,
  effects,
  lackNames,
  lackTexts,
  outcomeOf,
  sentenceOf,
  sideText,
  sourceTexts,
  timeText,
} from '../replay/report-words.ts'
import type { ReportWords } from '../replay/report-words.ts'
import type { Io } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { cut, jsonLine, shown, shownJson } from './shown.ts'
import type { Style } from './style.ts'
import { styled } from './style.ts'

/** Findings that a terminal shows; reports show more. */
const shownFindings = 20

/** The answer of a replay for a terminal. */
export function replayText(report: ReplayReport, words: ReportWords, io: Io): string {
  const lines = [
    ...headLines(report, words),
    '',
    ...countLines(report, io),
    ...findingLines(report, words, io),
    '',
    lastLine(report, io),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** What was compared. */
export function headLines(report: ReplayReport, words: ReportWords): readonly string[] {
  const { counts, header } = report
  const calls = `${amountText(counts.calls, 'call')} of ${header.log ?? sourceTexts[header.source]}`
  return [
    shown(`${words.trace}: ${calls}${timeRange(report)}`),
    shown(`  ${words.against}`),
    ...(header.hasChecksum
      ? []
      : ['  it carries no checksum: nobody can tell whether it was changed']),
  ]
}

/** What came of it. */
export function lastLine(report: ReplayReport, io: Io): string {
  return styled(io.out, styleOf(report), sentenceOf(report))
}

function timeRange({ firstMs, lastMs }: ReplayReport): string {
  const [first, last] = [timeText(firstMs), timeText(lastMs)]
  return first === null || last === null ? ', without a clock' : `, ${first} to ${last}`
}

/** How many calls came to what. */
export function countLines({ counts, lacks, unrecorded }: ReplayReport, io: Io): readonly string[] {
  const line = (name: string, count: number, style?: Style): string => {
    const text = `  ${name.padEnd(26)}${amountText(count).padStart(10)}`
    return style === undefined || count === 0 ? text : styled(io.out, style, text)
  }
  const lackLines = lackNames
    .filter((lack) => lacks[lack] > 0)
    .map((lack) => `    ${amountText(lacks[lack])}: ${lackTexts[lack]}`)
  return [
    line('same', counts.same),
    ...(counts.moved === 0 ? [] : [line('same, by another rule', counts.moved)]),
    line('different', counts.different, 'red'),
    line('could not be evaluated', counts.unknown, 'yellow'),
    ...lackLines,
    ...(counts.unrecorded === 0
      ? []
      : [
          line('without a recorded verdict', counts.unrecorded),
          `    now ${effects.map((one) => `${amountText(unrecorded[one])} ${one}`).join(', ')}`,
        ]),
  ]
}

function findingLines(report: ReplayReport, words: ReportWords, io: Io): readonly string[] {
  const { findings, omitted } = report
  if (findings.length === 0) return []
  const named = findings.slice(0, shownFindings)
  const rest = findings.length - named.length + omitted
  return [
    '',
    ...named.flatMap((finding) => oneFinding(finding, words, io)),
    ...(rest === 0
      ? []
      : [
          `  and ${amountText(rest)} more; \`--json\`, \`--html\` and \`--markdown\` name up to 1,000`,
        ]),
  ]
}

function oneFinding({ call, compared }: Finding, words: ReportWords, io: Io): readonly string[] {
  const [before, now] = [words.before.padEnd(9), words.now.padEnd(9)]
  const lines = [styled(io.out, 'bold', `  line ${call.line}`) + `  ${callText(call)}`]
  if (compared.before !== undefined) lines.push(`    ${before} ${shown(sideText(compared.before))}`)
  lines.push(
    compared.kind === 'unknown'
      ? `    ${now} ${styled(io.out, 'yellow', `could not be evaluated: ${lackTexts[compared.lacks]}`)}`
      : `    ${now} ${shown(sideText(compared.now))}`,
  )
  return lines
}

const maxArgumentColumns = 120

/** A call in one line. */
export function callText({ capability, arguments: args, actor }: NamedCall): string {
  return `${shown(capability)} ${cut(shownJson(args), maxArgumentColumns)} by ${shown(actor)}`
}

function styleOf(report: ReplayReport): Style {
  const outcome = outcomeOf(report)
  if (outcome === 'same') return 'green'
  return outcome === 'different' ? 'red' : 'yellow'
}

/** The answer of a replay for programs: one object, whose size is bounded. */
export function replayJson(
  type: 'replay' | 'policy-diff-trace',
  report: ReplayReport,
  { trace, policies: asked }: ReportWords,
): string {
  const { header, counts, changes, unrecorded, lacks, omitted, ungrouped } = report
  return jsonLine({
    schemaVersion,
    type,
    outcome: outcomeOf(report),
    trace,
    source: header.source,
    log: header.log,
    complete: header.isComplete,
    policies: header.policies,
    asked,
    first: timeText(report.firstMs),
    last: timeText(report.lastMs),
    counts,
    lacks,
    changes,
    unrecorded,
    groups: report.groups.map(groupData),
    ungrouped,
    findings: report.findings.map(findingData),
    omitted,
  })
}

function groupData({ examples, ...group }: FindingGroup): Readonly<Record<string, unknown>> {
  return { ...group, examples: examples.map(callData) }
}

function findingData({ call, compared }: Finding): Readonly<Record<string, unknown>> {
  return { ...compared, before: compared.before ?? null, call: callData(call) }
}

function callData({ atMs, ...call }: NamedCall): Readonly<Record<string, unknown>> {
  return { ...call, time: timeText(atMs) }
}
