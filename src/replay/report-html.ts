import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import type { Effect } from '../policy/answer.ts'
import { pageStyle } from './report-style.ts'
import {
  amountText,
  durationText,
  effects,
  lackNames,
  lackTexts,
  outcomeOf,
  sentenceOf,
  sideText,
  sourceTexts,
  timeText,
} from './report-words.ts'
import type { ReportWords } from './report-words.ts'
import type { Finding, FindingGroup, NamedCall, ReplayReport } from './tally.ts'
import { timelineSvg } from './timeline-svg.ts'

/**
 * The report of a replay as one page: it loads nothing, runs nothing, and is the same on every machine.
 *
 * Everything that came from a trace or a policy is text in it, whatever it looks like.
 */
export function reportHtml(report: ReplayReport, words: ReportWords): string {
  const sections = [
    headline(report, words),
    countsTable(report),
    picture(report, words),
    changesTable(report, words),
    groupsTable(report, words),
    findingsTable(report, words),
    facts(report, words),
  ]
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>Replay of ${safe(words.trace)}</title>`,
    `<style>\n${pageStyle}</style>`,
    '</head>',
    '<body>',
    '<main>',
    ...sections.filter((one) => one !== ''),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

function headline(report: ReplayReport, words: ReportWords): string {
  const outcome = outcomeOf(report)
  const { firstMs, lastMs, counts, header } = report
  const [first, last] = [timeText(firstMs), timeText(lastMs)]
  const range = first === null || last === null ? 'without a clock' : `${first} to ${last}`
  return [
    `<h1>Replay of <code>${safe(words.trace)}</code></h1>`,
    `<p class="outcome ${outcome}">${safe(sentenceOf(report))}</p>`,
    `<p>${amountText(counts.calls, 'call')} of ${safe(header.log ?? sourceTexts[header.source])}, ${range}; ${safe(words.against)}.</p>`,
    ...(header.hasChecksum
      ? []
      : ['<p>The trace carries no checksum: nobody can tell whether it was changed.</p>']),
  ].join('\n')
}

function countsTable({ counts, lacks, unrecorded }: ReplayReport): string {
  const row = (name: string, count: number, what: string): string =>
    `<tr><th scope="row">${name}</th><td class="number">${amountText(count)}</td><td>${what}</td></tr>`
  const lacking = lackNames
    .filter((one) => lacks[one] > 0)
    .map((one) => `${amountText(lacks[one])}: ${lackTexts[one]}`)
  const now = effects.map((one) => `${amountText(unrecorded[one])} ${one}`).join(', ')
  return [
    '<table>',
    row('same', counts.same, 'the same decision, for the same reason'),
    row('same, by another rule', counts.moved, 'the decision does not change'),
    row('different', counts.different, 'another decision'),
    row('could not be evaluated', counts.unknown, lacking.join('<br>')),
    ...(counts.unrecorded === 0
      ? []
      : [row('without a recorded verdict', counts.unrecorded, `now ${now}`)]),
    '</table>',
  ].join('\n')
}

function picture(report: ReplayReport, { before, now }: ReportWords): string {
  if (report.counts.calls === 0) return ''
  const { width } = report.timeline
  const column =
    width === 'call' ? 'each column is one call' : `each column is ${durationText(width)}`
  return [
    '<h2>Over time</h2>',
    `<figure>${timelineSvg(report, { before: safe(before), now: safe(now) })}`,
    `<figcaption>${column}. <span class="key allow"></span>allow <span class="key require_approval"></span>require_approval <span class="key deny"></span>deny <span class="key unknown"></span>not known; between them ◆ where decisions differ, ○ where some could not be evaluated.</figcaption></figure>`,
  ].join('\n')
}

function changesTable({ changes, counts }: ReplayReport, words: ReportWords): string {
  if (counts.same + counts.moved + counts.different === 0) return ''
  const cell = (before: Effect, now: Effect): string => {
    const count = changes[before][now]
    const changed = before !== now && count > 0 ? ' changed' : ''
    return `<td class="number${changed}">${amountText(count)}</td>`
  }
  return [
    '<h2>Decisions</h2>',
    '<table>',
    `<tr><th>${safe(words.before)} ↓ ${safe(words.now)} →</th>${effects.map((one) => `<th scope="col" class="number">${one}</th>`).join('')}</tr>`,
    ...effects.map(
      (before) =>
        `<tr><th scope="row">${before}</th>${effects.map((now) => cell(before, now)).join('')}</tr>`,
    ),
    '</table>',
  ].join('\n')
}

function groupsTable({ groups, ungrouped }: ReplayReport, words: ReportWords): string {
  if (groups.length === 0) return ''
  return [
    '<h2>What differs, by rule</h2>',
    '<table>',
    `<tr><th scope="col" class="number">calls</th><th scope="col">capability</th><th scope="col">${safe(words.before)}</th><th scope="col">${safe(words.now)}</th><th scope="col">such as</th></tr>`,
    ...groups.map(groupRow),
    '</table>',
    ...(ungrouped === 0 ? [] : [`<p>${amountText(ungrouped, 'call')} in further groups.</p>`]),
  ].join('\n')
}

function groupRow({ kind, capability, before, now, count, examples }: FindingGroup): string {
  const [example] = examples
  return `<tr class="${kind}"><td class="number">${amountText(count)}</td><td><code>${safe(capability)}</code></td><td>${safe(sideText(before))}</td><td>${safe(sideText(now))}</td><td>${example === undefined ? '' : callHtml(example)}</td></tr>`
}

function findingsTable({ findings, omitted }: ReplayReport, words: ReportWords): string {
  if (findings.length === 0) return ''
  return [
    '<h2>One by one</h2>',
    '<table>',
    `<tr><th scope="col" class="number">line</th><th scope="col">time</th><th scope="col">call</th><th scope="col">${safe(words.before)}</th><th scope="col">${safe(words.now)}</th></tr>`,
    ...findings.map(findingRow),
    '</table>',
    ...(omitted === 0
      ? []
      : [
          `<p>${amountText(omitted)} more are not named: a report names ${amountText(limits.maxReplayExamples)}.</p>`,
        ]),
  ].join('\n')
}

function findingRow({ call, compared }: Finding): string {
  const before = compared.before === undefined ? '' : safe(sideText(compared.before))
  const now =
    compared.kind === 'unknown'
      ? `could not be evaluated: ${lackTexts[compared.lacks]}`
      : safe(sideText(compared.now))
  return `<tr class="${compared.kind}"><td class="number">${call.line}</td><td>${timeText(call.atMs) ?? ''}</td><td><code>${safe(call.capability)}</code> ${callHtml(call)}</td><td>${before}</td><td>${now}</td></tr>`
}

function callHtml({ arguments: args, actor }: NamedCall): string {
  return `<code>${safe(args)}</code> by ${safe(actor)}`
}

function facts({ header }: ReplayReport, words: ReportWords): string {
  const row = (name: string, text: string): string =>
    `<tr><th scope="row">${name}</th><td><code>${safe(text)}</code></td></tr>`
  return [
    '<h2>What it was made of</h2>',
    '<table>',
    row('trace', words.trace),
    row('source', sourceTexts[header.source]),
    ...(header.log === null ? [] : [row('log', header.log)]),
    ...header.policies.map((hash) => row('policy that decided', hash)),
    ...words.policies.map(({ name, hash }) => row(`policy ${safe(name)}`, hash)),
    row(
      'what was before',
      header.isComplete
        ? 'nothing: the trace begins with its history'
        : 'not known: limits and labels may stand at anything where it begins',
    ),
    '</table>',
  ].join('\n')
}

const maxCharacters = 2000

/** Text in HTML, in an element or between quotes, on one line and with nothing hidden in it. */
function safe(text: string): string {
  return printable(text, maxCharacters)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
