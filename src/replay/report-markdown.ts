import { printable } from '../event/printable.ts'
import {
  amountText,
  durationText,
  effects,
  lackNames,
  lackTexts,
  sentenceOf,
  sideText,
  sourceTexts,
  timeText,
} from './report-words.ts'
import type { ReportWords } from './report-words.ts'
import type { Finding, FindingGroup, ReplayReport } from './tally.ts'
import { timelineText } from './timeline-text.ts'

/** The report of a replay as Markdown, for a pull request or a ticket; nothing of a trace is markup in it. */
export function reportMarkdown(report: ReplayReport, words: ReportWords): string {
  const { counts, header, firstMs, lastMs } = report
  const [first, last] = [timeText(firstMs), timeText(lastMs)]
  const range = first === null || last === null ? 'without a clock' : `${first} to ${last}`
  const log = header.log === null ? sourceTexts[header.source] : code(header.log)
  const lines = [
    `# Replay of ${code(words.trace)}`,
    '',
    `**${sentenceOf(report)}**`,
    '',
    `${amountText(counts.calls, 'call')} of ${log}, ${range}; ${plain(words.against)}.`,
    ...(header.hasChecksum
      ? []
      : ['', 'The trace carries no checksum: nobody can tell whether it was changed.']),
    '',
    ...countLines(report),
    ...timeLines(report, words),
    ...groupLines(report, words),
    ...findingLines(report, words),
    ...policyLines(report, words),
  ]
  return `${lines.join('\n')}\n`
}

function countLines({ counts, lacks, unrecorded }: ReplayReport): readonly string[] {
  const lacking = lackNames
    .filter((one) => lacks[one] > 0)
    .map((one) => `${amountText(lacks[one])}: ${lackTexts[one]}`)
  const now = effects.map((one) => `${amountText(unrecorded[one])} ${one}`).join(', ')
  return [
    '| | calls | |',
    '| --- | ---: | --- |',
    `| same | ${amountText(counts.same)} | |`,
    `| same, by another rule | ${amountText(counts.moved)} | |`,
    `| different | ${amountText(counts.different)} | |`,
    `| could not be evaluated | ${amountText(counts.unknown)} | ${lacking.join('; ')} |`,
    ...(counts.unrecorded === 0
      ? []
      : [`| without a recorded verdict | ${amountText(counts.unrecorded)} | now ${now} |`]),
  ]
}

function timeLines(report: ReplayReport, words: ReportWords): readonly string[] {
  const { timeline, counts } = report
  if (counts.calls === 0) return []
  const { width } = timeline
  const column = width === 'call' ? 'one call' : durationText(width)
  return [
    '',
    '## Over time',
    '',
    `Each column is ${column} or more.`,
    '',
    '```text',
    ...timelineText(report, words),
    '```',
  ]
}

function groupLines({ groups, ungrouped }: ReplayReport, words: ReportWords): readonly string[] {
  if (groups.length === 0) return []
  return [
    '',
    '## What differs, by rule',
    '',
    `| calls | capability | ${plain(words.before)} | ${plain(words.now)} | such as |`,
    '| ---: | --- | --- | --- | --- |',
    ...groups.map(groupRow),
    ...(ungrouped === 0 ? [] : ['', `${amountText(ungrouped, 'call')} in further groups.`]),
  ]
}

function groupRow({ capability, before, now, count, examples }: FindingGroup): string {
  const [example] = examples
  const call = example === undefined ? '' : `${code(example.arguments)} by ${code(example.actor)}`
  return `| ${amountText(count)} | ${code(capability)} | ${plain(sideText(before))} | ${plain(sideText(now))} | ${call} |`
}

function findingLines({ findings, omitted }: ReplayReport, words: ReportWords): readonly string[] {
  if (findings.length === 0) return []
  return [
    '',
    '## One by one',
    '',
    `| line | time | call | ${plain(words.before)} | ${plain(words.now)} |`,
    '| ---: | --- | --- | --- | --- |',
    ...findings.map(findingRow),
    ...(omitted === 0 ? [] : ['', `${amountText(omitted)} more are not named.`]),
  ]
}

function findingRow({ call, compared }: Finding): string {
  const before = compared.before === undefined ? '' : plain(sideText(compared.before))
  const now =
    compared.kind === 'unknown'
      ? `could not be evaluated: ${lackTexts[compared.lacks]}`
      : plain(sideText(compared.now))
  const what = `${code(call.capability)} ${code(call.arguments)} by ${code(call.actor)}`
  return `| ${call.line} | ${timeText(call.atMs) ?? ''} | ${what} | ${before} | ${now} |`
}

function policyLines({ header }: ReplayReport, { policies }: ReportWords): readonly string[] {
  const decided = header.policies.map((hash) => `- policy that decided: ${code(hash)}`)
  const asked = policies.map(({ name, hash }) => `- policy ${code(name)}: ${code(hash)}`)
  return ['', '## What it was made of', '', ...decided, ...asked].slice(
    0,
    decided.length + asked.length === 0 ? 0 : undefined,
  )
}

const maxCharacters = 2000

/** Text between other text and in tables: nothing in it is markup, and nothing hidden. */
function plain(text: string): string {
  const escaped = printable(text, maxCharacters).replaceAll(/[!-/:-@[-`{-~]/g, (mark) =>
    harmless.has(mark) ? mark : `\\${mark}`,
  )
  // Readers make links of bare addresses too.
  return escaped.replaceAll(':/', ':\\/').replaceAll(/www(?=\.)/gi, (word) => `${word}\\`)
}

/** Marks of words and numbers that mean nothing by themselves. */
const harmless: ReadonlySet<string> = new Set([
  ',',
  '.',
  ':',
  ';',
  '/',
  "'",
  '"',
  '(',
  ')',
  '=',
  '?',
  '%',
])

/** Text as code; what would end a table cell or the code stands as it is read, not as it is written. */
function code(text: string): string {
  const shown = printable(text, maxCharacters).replaceAll('|', '\\|')
  const ticks = Math.max(0, ...Array.from(shown.matchAll(/`+/g), ([run]) => run.length))
  const fence = '`'.repeat(ticks + 1)
  const space = shown.startsWith('`') || shown.endsWith('`') || shown === '' ? ' ' : ''
  return `${fence}${space}${shown}${space}${fence}`
}
