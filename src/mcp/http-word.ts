import { limits } from '../limits.ts'
import type { HttpHead } from '../transport/http-exchange.ts'
import { Body, complaintOf, isGood } from './http-events.ts'
import type { Complaint } from './http-events.ts'
import type { HttpSite } from './http-site.ts'

/**
 * Sends a message that gets no answer: a notification, or an answer of our own.
 *
 * @param hops redirects that were followed
 * @param onOver called once: with undefined when the server has taken it
 */
export function sendWord(
  site: HttpSite,
  bytes: Uint8Array,
  onOver: (refused: Complaint | undefined) => void,
  hops = 0,
): void {
  const body = new Body(limits.maxComplaintBytes)
  let head: HttpHead | undefined
  const end = (): void => {
    const hasSession = site.sessionId !== undefined
    const isTaken = head !== undefined && isGood(head)
    onOver(head === undefined || isTaken ? undefined : complaintOf(head, body.bytes, hasSession))
  }
  const word = site.word(bytes, {
    onHead: (found) => {
      head = found
      if (!site.follows(found, hops)) return
      word.abort()
      sendWord(site, bytes, onOver, hops + 1)
    },
    onData: (chunk) => {
      // A short body is read to its end, so that the connection can be used again.
      if (body.add(chunk)) return
      word.abort()
      end()
    },
    onEnd: end,
    onFail: (reason) => {
      if (head === undefined) onOver({ reason, endsSession: false })
      else end()
    },
  })
}
