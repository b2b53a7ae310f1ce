import type { Loss } from '../mcp/connection.ts'

/** A call that was never sent is as one that was taken back; a refused reply is an error to the client. */
export const outcomeOfLoss = {
  died: 'upstream_died',
  gone: 'upstream_died',
  refused: 'rpc_error',
  unread: 'cancelled',
} as const

/** No byte of such a call was written to a server, so that it does not count for limits. */
export const neverSent: ReadonlySet<Loss> = new Set(['gone', 'unread'])

/** How a call ended, by the reply that it got. */
export const outcomeOf = { result: 'ok', tool_error: 'tool_error', rpc_error: 'rpc_error' } as const
