import { writeFileSync } from 'node:fs'
import { CapFenceError } from '../errors.ts'
import { reportHtml } from '../replay/report-html.ts'
import { reportMarkdown } from '../replay/report-markdown.ts'
import { outcomeOf } from '../replay/report-words.ts'
import type { ReportWords } from '../replay/report-words.ts'
import type { ReplayReport } from '../replay/tally.ts'
import type { ExitCode } from './io.ts'
import { exitCodes } from './io.ts'

/** In which forms an answer is wanted, as it was typed. */
export interface ReportFlags {
  readonly json?: boolean | undefined
  readonly html?: string | undefined
  readonly markdown?: string | undefined
}

/**
 * Writes the reports that are wanted beside the answer.
 *
 * @throws CapFenceError `USAGE` when one cannot be written
 */
export function writeReports(report: ReplayReport, words: ReportWords, flags: ReportFlags): void {
  if (flags.html !== undefined) write(flags.html, reportHtml(report, words))
  if (flags.markdown !== undefined) write(flags.markdown, reportMarkdown(report, words))
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `cannot write the report \`${path}\`: ${reason}`, { cause })
  }
}

/** What a build server goes by. */
export function exitCodeOf(report: ReplayReport): ExitCode {
  switch (outcomeOf(report)) {
    case 'same':
      return exitCodes.yes
    case 'different':
      return exitCodes.no
    case 'incomplete':
      return exitCodes.unknown
  }
}
