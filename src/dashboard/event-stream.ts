import type { Context } from 'hono'
import { streamSSE, type SSEStreamingApi } from 'hono/streaming'
import { setTimeout as delay } from 'node:timers/promises'
import type { PageSource } from './source.ts'

/** How often the log is looked at, milliseconds. */
const everyMs = 250
/** How often something is sent all the same, milliseconds, so that a browser notices that the page is gone. */
const stillHereMs = 15_000

/** What a stream is made of. */
export interface StreamParts {
  readonly source: PageSource
  readonly closed: AbortSignal
  readonly onFailure: (error: unknown) => void
}

/**
 * Sends what happens as it happens (Server-Sent Events); the id of an event is the size of the log, with which a browser
 * that lost the connection goes on where it was.
 */
export function eventStream(c: Context, parts: StreamParts): Response {
  const last = c.req.header('last-event-id') ?? c.req.query('from')
  return streamSSE(c, async (stream) => {
    const stop = new AbortController()
    const end = (): void => stop.abort()
    stream.onAbort(end)
    parts.closed.addEventListener('abort', end, { once: true })
    try {
      await follow(stream, { ...parts, closed: stop.signal }, last)
    } catch (error) {
      if (!stop.signal.aborted) parts.onFailure(error)
    } finally {
      parts.closed.removeEventListener('abort', end)
    }
  })
}

async function follow(
  stream: SSEStreamingApi,
  { source, closed }: StreamParts,
  last: string | undefined,
): Promise<void> {
  let size = /^\d{1,15}$/.test(last ?? '') ? Number(last) : await source.size()
  let quietMs = stillHereMs
  while (!closed.aborted) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const now = await source.size()
    if (now !== size) {
      // Another log took its place when it has become shorter: the page then reads everything anew.
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      size = now < size ? await startAnew(stream, now) : await sendNews(stream, source, size)
      quietMs = 0
    } else if (quietMs >= stillHereMs) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await stream.writeSSE({ event: 'still', data: '{}', id: String(size) })
      quietMs = 0
    }
    quietMs += everyMs
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    await delay(everyMs, undefined, { signal: closed }).catch(() => undefined)
  }
}

async function startAnew(stream: SSEStreamingApi, size: number): Promise<number> {
  await stream.writeSSE({ event: 'anew', data: '{}', id: String(size) })
  return size
}

async function sendNews(
  stream: SSEStreamingApi,
  source: PageSource,
  from: number,
): Promise<number> {
  const { entries, outcomes, approvals, grants, size } = await source.since(from)
  const data = `{"entries":[${entries.join(',')}],"outcomes":[${outcomes.join(',')}],"approvals":${String(approvals)},"grants":${String(grants)},"size":${String(size)}}`
  await stream.writeSSE({ event: 'news', data, id: String(size) })
  return size
}
