import type { ServerResponse } from './message.ts'
import { requestMessage } from './rpc.ts'
import type { Upstream } from './upstream.ts'

/** A request of the gate's own to one server. */
export interface Asked {
  /** The server's reply, or why there is none. */
  readonly reply: Promise<ServerResponse | NoReply>
  cancel(): void
}

/** Why a server did not answer: it is gone, slow, or was not asked any more. */
export interface NoReply {
  readonly kind: 'no_reply'
  readonly reason: string
}

/**
 * Asks one server something on the gate's own account.
 *
 * @param paramsText JSON; undefined for no params
 * @param waitMs after this long the request is cancelled, so that a slow server delays nobody
 */
export function ask(
  upstream: Upstream,
  method: string,
  paramsText: string | undefined,
  waitMs: number,
): Asked {
  let settle: (reply: ServerResponse | NoReply) => void = () => undefined
  let cancelSent = (): void => undefined
  const reply = new Promise<ServerResponse | NoReply>((resolve) => {
    settle = resolve
  })
  const giveUp = (reason: string): void => {
    clearTimeout(timer)
    settle({ kind: 'no_reply', reason })
    settle = () => undefined
  }
  const cancel = (reason: string): void => {
    cancelSent()
    giveUp(reason)
  }
  const timer = setTimeout(() => cancel(`did not answer within ${String(waitMs)} ms`), waitMs)
  let isWanted = true
  upstream.use({
    fail: giveUp,
    run: (connection) => {
      if (!isWanted) return
      const id = connection.request(
        {
          onReply: (response) => {
            clearTimeout(timer)
            settle(response)
          },
          onLost: giveUp,
        },
        requestMessage(String(connection.nextId), method, paramsText),
      )
      cancelSent = () => connection.cancel(id)
    },
  })
  return {
    reply,
    cancel: () => {
      isWanted = false
      cancel('was not asked any more')
    },
  }
}
