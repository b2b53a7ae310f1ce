import { CapFenceError } from '../errors.ts'
import type { FindingGroup, ReplayReport } from '../replay/tally.ts'
import { amountText, lackTexts, sideText } from '../replay/report-words.ts'
import type { ReportWords } from '../replay/report-words.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { loadGoverningPolicy } from './policy-files.ts'
import type { ReportFlags } from './replay-report.ts'
import { exitCodeOf, writeReports } from './replay-report.ts'
import { callText, countLines, headLines, lastLine, replayJson } from './replay-text.ts'
import { replayTrace } from './replay-trace.ts'
import { reportError } from './report-error.ts'
import { shown } from './shown.ts'
import { styled } from './style.ts'
import type { ReadingFlags } from './trace-reading.ts'
import { traceReading } from './trace-reading.ts'

/** What `capfence policy diff --trace` takes, as it was typed. */
export interface DiffTraceFlags extends ReadingFlags, ReportFlags {
  readonly trace: string
}

/**
 * `capfence policy diff --trace`: asks two policies about the calls of a trace, and says of which they say something
 * else, by rule and capability.
 *
 * The exit codes are those of `capfence replay`.
 */
export async function policyDiffTrace(
  { before, now }: { readonly before: string; readonly now: string },
  flags: DiffTraceFlags,
  io: Io,
): Promise<ExitCode> {
  const { trace } = flags
  try {
    const reading = await traceReading(flags, io)
    const policies = {
      before: await loadGoverningPolicy([before], process.cwd()),
      now: await loadGoverningPolicy([now], process.cwd()),
    }
    const question = { kind: 'policies', ...policies } as const
    const report = await replayTrace(trace, { question, reading }, io)
    const words: ReportWords = {
      trace,
      before: 'before',
      now: 'now',
      against: `verdicts of ${before} against those of ${now}`,
      policies: [
        { name: before, hash: policies.before.hash },
        { name: now, hash: policies.now.hash },
      ],
    }
    writeReports(report, words, flags)
    await io.out.write(
      flags.json === true
        ? replayJson('policy-diff-trace', report, words)
        : textOf(report, words, io),
    )
    return exitCodeOf(report)
  } catch (error) {
    // The files are the input of this command, so that what is wrong with them is wrong input.
    if (!(error instanceof CapFenceError)) throw error
    await reportError(error, io)
    return exitCodes.usage
  }
}

/** Groups that a terminal shows; reports show more. */
const shownGroups = 20

function textOf(report: ReplayReport, words: ReportWords, io: Io): string {
  const groups = report.groups.filter(({ kind }) => kind === 'different')
  const named = groups.slice(0, shownGroups)
  const rest = groups.length - named.length
  const unknown = report.findings.find(({ compared }) => compared.kind === 'unknown')
  const lines = [
    ...headLines(report, words),
    '',
    ...countLines(report, io),
    ...named.flatMap((group) => ['', ...groupLines(group, io)]),
    ...(rest === 0 ? [] : ['', `and ${amountText(rest, 'group')} more; reports name up to 1,000`]),
    ...(unknown?.compared.kind === 'unknown'
      ? [
          '',
          styled(io.out, 'yellow', 'the first that could not be evaluated'),
          `  line ${unknown.call.line}  ${callText(unknown.call)}`,
          `    ${lackTexts[unknown.compared.lacks]}`,
        ]
      : []),
    '',
    lastLine(report, io),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function groupLines(
  { capability, count, before, now, examples }: FindingGroup,
  io: Io,
): readonly string[] {
  return [
    styled(io.out, 'bold', `${amountText(count, 'call')} of ${shown(capability)}`),
    `  before  ${shown(sideText(before))}`,
    `  now     ${shown(sideText(now))}`,
    ...examples.map((call) => `    line ${call.line}  ${callText(call)}`),
  ]
}
