import type { OpenChannel, UpstreamChannel } from '../mcp/connection.ts'
import type { ChannelEvents } from '../transport/channel.ts'

/** A server, started before there is anybody who needs it. */
export interface EarlyServer extends UpstreamChannel {
  /** True when it has gone: it is of no use to anybody. */
  readonly closed: boolean
}

/**
 * Starts a server at once and hands it to the first who asks for one; later askers get a new one each.
 *
 * Until then nothing it says is read, and nothing is said to it. If it has gone by then, it is as if it had never been:
 * the first who asks gets a new one too.
 */
export function headStart(open: (events: ChannelEvents) => EarlyServer): OpenChannel {
  let taker: ChannelEvents | undefined
  let early: EarlyServer | undefined = open({
    onMessage: (message) => taker?.onMessage(message),
    onOversize: (limitBytes) => taker?.onOversize(limitBytes),
    onOversizePart: (piece) => taker?.onOversizePart?.(piece),
    onDrain: () => taker?.onDrain(),
    onClose: (reason) => taker?.onClose(reason),
  })
  early.pause()
  return (events) => {
    const server = early
    early = undefined
    if (server === undefined) return open(events)
    if (server.closed) {
      void server.stop()
      return open(events)
    }
    taker = events
    server.resume()
    return server
  }
}
