import { CapFenceError } from '../errors.ts'
import { parsersReady } from '../policy/parsers.ts'
import type { ReplayQuestion } from '../replay/replay.ts'
import { Replay } from '../replay/replay.ts'
import type { ReplayReport } from '../replay/tally.ts'
import type { TraceEntry } from '../replay/trace.ts'
import type { TracePolicy } from '../replay/trace-policies.ts'
import { TracePolicies } from '../replay/trace-policies.ts'
import type { TraceReading } from '../replay/trace-reader.ts'
import type { Io } from './io.ts'
import { installParsers } from './parsers.ts'
import { traceEntries } from './trace-file.ts'
import { loadTracePolicy } from './trace-policy.ts'
import { TraceProgress } from './trace-progress.ts'

installParsers()

/**
 * Replays a trace from its file, in memory that does not grow with it.
 *
 * @throws CapFenceError `TRACE_INVALID` with the number of the line, `USAGE` when it cannot be read
 */
export async function replayTrace(
  path: string,
  { question, reading }: { readonly question: ReplayQuestion; readonly reading: TraceReading },
  io: Io,
): Promise<ReplayReport> {
  const replay = new Replay(question)
  const policies = new TracePolicies()
  const progress = new TraceProgress(io)
  await parsersReady()
  try {
    for await (const entries of traceEntries(path, reading, progress)) {
      for (const entry of entries) {
        requirePolicy(entry, question)
        replay.take(entry)
        const whole = entry.kind === 'policy' ? policies.add(entry) : undefined
        // oxlint-disable-next-line no-await-in-loop -- the next entry may be a call that this policy decides
        if (whole !== undefined && question.kind === 'recorded') await addPolicy(replay, whole)
      }
    }
  } finally {
    await progress.end()
  }
  return replay.report()
}

function requirePolicy(entry: TraceEntry, question: ReplayQuestion): void {
  if (entry.kind !== 'header' || entry.source === 'log' || question.kind !== 'recorded') return
  throw new CapFenceError('USAGE', 'the trace does not say which policy decided', {
    hint: 'name one: `--policy FILE`',
  })
}

async function addPolicy(replay: Replay, whole: TracePolicy): Promise<void> {
  const policy = loadTracePolicy(whole)
  await parsersReady()
  if (policy !== undefined) replay.addPolicy(policy)
}
