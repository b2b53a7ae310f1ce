import { createReadStream, statSync } from 'node:fs'
import { CapFenceError } from '../errors.ts'
import type { TraceEntry } from '../replay/trace.ts'
import type { TraceReading } from '../replay/trace-reader.ts'
import { TraceReader } from '../replay/trace-reader.ts'
import type { TraceProgress } from './trace-progress.ts'

/**
 * Reads a trace from a file, or from standard input where it is `-`, in pieces of some thousand entries.
 *
 * Each piece has to be gone through before the next one is asked for. Nothing counts before the last one has come: only
 * then the whole is known to be what its checksum was made of.
 *
 * @throws CapFenceError `TRACE_INVALID` with the number of the line, `USAGE` when it cannot be read
 */
export async function* traceEntries(
  path: string,
  reading: TraceReading,
  progress?: TraceProgress,
): AsyncGenerator<Iterable<TraceEntry>, void, undefined> {
  const reader = new TraceReader(reading)
  progress?.begin(sizeOf(path))
  for await (const chunk of chunksOf(path)) {
    yield reader.push(chunk)
    progress?.note(chunk.length, reader.lines)
  }
  yield reader.end()
}

const bytesAtOnce = 1_048_576

async function* chunksOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const stream =
    path === '-' ? process.stdin : createReadStream(path, { highWaterMark: bytesAtOnce })
  try {
    for await (const chunk of stream) {
      if (chunk instanceof Uint8Array) yield chunk
    }
  } catch (cause) {
    if (cause instanceof CapFenceError || !isSystemError(cause)) throw cause
    throw new CapFenceError('USAGE', `cannot read the trace \`${path}\`: ${cause.message}`, {
      cause,
    })
  }
}

/** What the system says; everything else is thrown by whoever reads. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

/** Undefined for a pipe. */
function sizeOf(path: string): number | undefined {
  if (path === '-') return undefined
  try {
    const stat = statSync(path)
    return stat.isFile() ? stat.size : undefined
  } catch {
    // Whoever reads it says why it cannot be read.
    return undefined
  }
}
