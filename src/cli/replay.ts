import { CapFenceError } from '../errors.ts'
import type { ReplayQuestion } from '../replay/replay.ts'
import { outcomeOf } from '../replay/report-words.ts'
import type { ReplayReport } from '../replay/tally.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { loadGoverningPolicy } from './policy-files.ts'
import { replayJson, replayText } from './replay-text.ts'
import { replayTrace } from './replay-trace.ts'
import { reportError } from './report-error.ts'
import type { ReadingFlags } from './trace-reading.ts'
import { traceReading } from './trace-reading.ts'

/** What `capfence replay` takes, as it was typed. */
export interface ReplayFlags extends ReadingFlags {
  readonly policy?: readonly string[] | undefined
  readonly json?: boolean | undefined
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
    const question = await questionOf(files)
    const report = await replayTrace(trace, { question, reading }, io)
    const words = {
      trace,
      before: 'recorded',
      now: 'now',
      against:
        files.length === 0
          ? 'recorded verdicts against those of the policies that decided'
          : `recorded verdicts against those of ${files.join(', ')}`,
    }
    await io.out.write(
      flags.json === true ? replayJson(report, trace, files) : replayText(report, words, io),
    )
    return exitCodeOf(report)
  } catch (error) {
    // Trace and policy are the input of this command, so that what is wrong with them is wrong input.
    if (!(error instanceof CapFenceError)) throw error
    await reportError(error, io)
    return exitCodes.usage
  }
}

async function questionOf(files: readonly string[]): Promise<ReplayQuestion> {
  if (files.length === 0) return { kind: 'recorded' }
  return { kind: 'policy', policy: await loadGoverningPolicy(files, process.cwd()) }
}

/** What a build server goes by. */
function exitCodeOf(report: ReplayReport): ExitCode {
  switch (outcomeOf(report)) {
    case 'same':
      return exitCodes.yes
    case 'different':
      return exitCodes.no
    case 'incomplete':
      return exitCodes.unknown
  }
}
