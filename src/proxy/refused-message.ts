import type { MessageRefusal } from '../mcp/message.ts'
import { errorMessage, resultMessage } from '../mcp/rpc.ts'
import type { CallGate } from './context.ts'
import type { Origin } from './downstream.ts'

/** Leaves a record of a message that goes no further, and says so to whoever sent it, unless it was an answer. */
export function refuseMessage(
  gate: CallGate,
  origin: Origin,
  refusal: MessageRefusal,
  bytes: Uint8Array,
): void {
  const { message, reason, rpcCode, idText } = refusal
  gate.refused({ reason, message, bytes })
  // A model can produce such arguments by cutting a text short, so it is the model that is told.
  if (refusal.callArguments && idText !== null) {
    return origin.answer(resultMessage(idText, gate.refusedArguments(message)))
  }
  if (refusal.answersIdText !== null) return origin.refused()
  const error = { code: rpcCode, message: `refused by the gate: ${message}` }
  origin.refused(errorMessage(idText, error))
}
