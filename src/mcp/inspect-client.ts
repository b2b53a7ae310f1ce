import { JsonError } from '../json/scan.ts'
import { limits } from '../limits.ts'
import { readClientMessage } from './client-reading.ts'
import { refusalFor, unreadRefusal } from './client-refusal.ts'
import { Objection } from './client-rules.ts'
import type { ClientMessage } from './message.ts'

const OPEN_BRACKET = 0x5b
const SPACE = 0x20

/**
 * Admits one message from a client, or refuses it; nothing in between (THREATS B1, B2, B4, B5).
 *
 * What is returned was read from `bytes` once: the `params` to judge, and where the parts stand that are forwarded
 * as they are.
 *
 * @throws MessageRefusal with what can be answered
 */
export function inspectClientMessage(bytes: Uint8Array): ClientMessage {
  if (bytes.length > limits.maxClientMessageBytes) {
    throw unreadRefusal(
      'too_large',
      `a message over the limit of ${limits.maxClientMessageBytes} bytes`,
    )
  }
  // Before anything else: what is inside an array is never looked at, be it sound or not.
  if (startsWithBracket(bytes)) throw unreadRefusal('batch', 'a batch; send one message at a time')
  try {
    return readClientMessage(bytes)
  } catch (error) {
    if (error instanceof JsonError || error instanceof Objection) throw refusalFor(bytes, error)
    throw error
  }
}

function startsWithBracket(bytes: Uint8Array): boolean {
  let at = 0
  while (at < bytes.length && (bytes[at] ?? 0) <= SPACE) at++
  return bytes[at] === OPEN_BRACKET
}
