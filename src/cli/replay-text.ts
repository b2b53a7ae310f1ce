import type { Finding, FindingGroup, NamedCall, ReplayReport } from '../replay/tally.ts'
import {
  effects,
  lackTexts,
  outcomeOf,
  sideText,
  sourceTexts,
  timeText,
} from '../replay/report-words.ts'
import type { Io } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { counted, cut, jsonLine, shown, shownJson } from './shown.ts'
import type { Style } from './style.ts'
import { styled } from './style.ts'
import { grouped } from './verify-text.ts'

/** What is compared, in words. */
export interface ReplayWords {
  /** What the trace is, for people. */
  readonly trace: string
  /** The names of both sides, such as `recorded` and `now`. */
  readonly before: string
  readonly now: string
  /** With what is compared, as the end of a sentence. */
  readonly against: string
}

/** Findings that a terminal shows; reports show more. */
const shownFindings = 20

/** The answer of a replay for a terminal. */
export function replayText(report: ReplayReport, words: ReplayWords, io: Io): string {
  const { counts, header } = report
  const lines = [
    shown(
      `${words.trace}: ${counted(counts.calls, 'call')} of ${header.log ?? sourceTexts[header.source]}${timeRange(report)}`,
    ),
    shown(`  ${words.against}`),
    ...(header.hasChecksum
      ? []
      : ['  it carries no checksum: nobody can tell whether it was changed']),
    '',
    ...countLines(report, io),
    ...findingLines(report, words, io),
    '',
    styled(io.out, styleOf(report), sentenceOf(report)),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function timeRange({ firstMs, lastMs }: ReplayReport): string {
  const [first, last] = [timeText(firstMs), timeText(lastMs)]
  return first === null || last === null ? ', without a clock' : `, ${first} to ${last}`
}

function countLines({ counts, lacks, unrecorded }: ReplayReport, io: Io): readonly string[] {
  const line = (name: string, count: number, style?: Style): string => {
    const text = `  ${name.padEnd(26)}${grouped(count).padStart(10)}`
    return style === undefined || count === 0 ? text : styled(io.out, style, text)
  }
  const lackLines = lackNames
    .filter((lack) => lacks[lack] > 0)
    .map((lack) => `    ${grouped(lacks[lack])}: ${lackTexts[lack]}`)
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
          `    now ${effects.map((one) => `${grouped(unrecorded[one])} ${one}`).join(', ')}`,
        ]),
  ]
}

const lackNames = ['policy', 'arguments', 'clock', 'state', 'approval'] as const

function findingLines(report: ReplayReport, words: ReplayWords, io: Io): readonly string[] {
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
          `  and ${grouped(rest)} more; \`--json\`, \`--html\` and \`--markdown\` name up to 1,000`,
        ]),
  ]
}

function oneFinding({ call, compared }: Finding, words: ReplayWords, io: Io): readonly string[] {
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

function callText({ capability, arguments: args, actor }: NamedCall): string {
  return `${shown(capability)} ${cut(shownJson(args), maxArgumentColumns)} by ${shown(actor)}`
}

function styleOf(report: ReplayReport): Style {
  const outcome = outcomeOf(report)
  if (outcome === 'same') return 'green'
  return outcome === 'different' ? 'red' : 'yellow'
}

function sentenceOf(report: ReplayReport): string {
  const { counts } = report
  switch (outcomeOf(report)) {
    case 'same':
      return 'same: no decision differs'
    case 'different':
      return `different: ${counted(counts.different, 'decision')} of ${grouped(counts.calls)}`
    case 'incomplete':
      return `incomplete: ${counted(counts.unknown, 'call')} could not be evaluated, which is no pass`
  }
}

/** The answer of a replay for programs: one object, whose size is bounded. */
export function replayJson(report: ReplayReport, trace: string, policy: readonly string[]): string {
  const { header, counts, changes, unrecorded, lacks, omitted, ungrouped } = report
  return jsonLine({
    schemaVersion,
    type: 'replay',
    outcome: outcomeOf(report),
    trace,
    source: header.source,
    log: header.log,
    complete: header.isComplete,
    policies: header.policies,
    policy,
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
