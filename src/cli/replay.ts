import { CapFenceError } from '../errors.ts'
import type { ReplayQuestion } from '../replay/replay.ts'
import type { ReportWords } from '../replay/report-words.ts'
import type { GoverningPolicy } from '../runtime/policy.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { loadGoverningPolicy } from './policy-files.ts'
import type { ReportFlags } from './replay-report.ts'
import { exitCodeOf, writeReports } from './replay-report.ts'
import { replayJson, replayText } from './replay-text.ts'
import { replayTrace } from './replay-trace.ts'
import { reportError } from './report-error.ts'
import type { ReadingFlags } from './trace-reading.ts'
import { traceReading } from './trace-reading.ts'

/** What `capfence replay` takes, as it was typed. */
export interface ReplayFlags extends ReadingFlags, ReportFlags {
  readonly policy?: readonly string[] | undefined
}

/**
 * `capfence replay`: decides the calls of a trace again, and says of which the verdict differs.
 *
 * Exit code 1 says that some differ, 3 that none does but some could not be evaluated, 2 that the trace or a policy is
 * not what it should be.
 */
export async function replay(trace: string, flags: ReplayFlags, io: Io): Promise<ExitCode> {
  const { policy: files = [] } = flags
  try {
    const reading = await traceReading(flags, io)
    const policy = files.length === 0 ? undefined : await loadGoverningPolicy(files, process.cwd())
    const report = await replayTrace(trace, { question: questionOf(policy), reading }, io)
    const words = wordsOf(trace, files, policy)
    writeReports(report, words, flags)
    await io.out.write(
      flags.json === true ? replayJson('replay', report, words) : replayText(report, words, io),
    )
    return exitCodeOf(report)
  } catch (error) {
    // Trace and policy are the input of this command, so that what is wrong with them is wrong input.
    if (!(error instanceof CapFenceError)) throw error
    await reportError(error, io)
    return exitCodes.usage
  }
}

function questionOf(policy: GoverningPolicy | undefined): ReplayQuestion {
  return policy === undefined ? { kind: 'recorded' } : { kind: 'policy', policy }
}

function wordsOf(
  trace: string,
  files: readonly string[],
  policy: GoverningPolicy | undefined,
): ReportWords {
  const name = files.join(', ')
  return {
    trace,
    before: 'recorded',
    now: 'now',
    against:
      policy === undefined
        ? 'recorded verdicts against those of the policies that decided'
        : `recorded verdicts against those of ${name}`,
    policies: policy === undefined ? [] : [{ name, hash: policy.hash }],
  }
}
