import { inspectClientMessage } from '../../src/mcp/inspect-client.ts'
import { MessageRefusal } from '../../src/mcp/message.ts'

/** A message that calls a tool. */
export function call(params: string, id = '1'): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${params}}`
}

/** The refusal of a message that has to be refused. */
export function refusal(message: string | Uint8Array): MessageRefusal {
  try {
    inspectClientMessage(Buffer.from(message))
  } catch (error) {
    if (error instanceof MessageRefusal) return error
    throw error
  }
  throw new Error('accepted')
}
