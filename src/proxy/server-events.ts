import type { Connection } from '../mcp/connection.ts'
import { objectMembers } from '../mcp/list-items.ts'
import { textAt } from '../mcp/rpc-id.ts'
import { isPlainObject } from '../mcp/merge.ts'
import type { ServerNotification, ServerRequest, ServerResponse } from '../mcp/message.ts'
import { errorMessage, notificationMessage, resultMessage, rpcCodes } from '../mcp/rpc.ts'
import { pieces } from '../mcp/splice.ts'
import type { Edit } from '../mcp/splice.ts'
import type { UpstreamEvents } from '../mcp/upstream.ts'
import type { SessionContext } from './context.ts'
import type { Origin } from './downstream.ts'

/** What the session wants to know or decide about one server's messages. */
export interface ServerEventOptions {
  /** Whether a question to the person has to name the server, since the client cannot tell which one asks. */
  readonly showServer: boolean
  onCongestion(congested: boolean): void
  onRestarted(connection: Connection): void
}

/** What one server says of its own accord, on its way to the client. */
export function serverEvents(
  context: SessionContext,
  server: string,
  options: ServerEventOptions,
): UpstreamEvents {
  return {
    onRequest: (request, connection, owner) => {
      const about = context.flights.about(owner)?.origin
      putRequest(context, { server, connection, about }, request, options.showServer)
    },
    onNotification: (notification, connection, owner) => {
      if (notification.method === 'notifications/tools/list_changed') {
        context.relisting.changed(server)
      }
      if (notification.method === 'notifications/prompts/list_changed') {
        context.relisting.promptsChanged(server)
      }
      const about = context.flights.about(owner)?.origin
      passOn(context, { server, connection, about }, notification)
    },
    // Standard output belongs to the protocol; what a server prints there by mistake is for the operator.
    onStray: (line) => context.log(`\`${server}\` printed: ${shownLine(line)}`),
    onRefused: ({ reason, message }, bytes) =>
      context.gate.refused({ reason, message: `\`${server}\`: ${message}`, bytes, server }),
    onDropped: (reason) => context.log(`\`${server}\` sent ${reason}; it was dropped`),
    onTrouble: (reason) => context.log(`\`${server}\` ${reason}`),
    onUndelivered: () =>
      context.log(
        `\`${server}\` does not read its input; messages for it are dropped until it does`,
      ),
    onCongestion: (congested) => options.onCongestion(congested),
    onClose: (text, connection) => {
      context.log(`server \`${server}\` ${text}`)
      takeBack(context, connection)
    },
    onRestarted: (connection, reply) => {
      context.log(`server \`${server}\` was started again`)
      options.onRestarted(connection)
      // Another process may be another program.
      context.relisting.changed(server)
      context.relisting.promptsChanged(server)
      announceChanges(context, reply)
    },
  }
}

/** Where a message of a server comes from, and the request of the client that it seems to belong to. */
interface Source {
  readonly server: string
  readonly connection: Connection
  readonly about: Origin | undefined
}

function putRequest(
  context: SessionContext,
  { server, connection, about }: Source,
  request: ServerRequest,
  showServer: boolean,
): void {
  if (request.method === 'ping') return connection.send(resultMessage(request.idText, '{}'))
  const edits = showServer ? namedQuestion(server, request) : []
  const question = context.asks.put(connection, request, edits)
  if (question === undefined) {
    const error = {
      code: rpcCodes.internalError,
      message: 'too many questions wait for the client',
    }
    return connection.send(errorMessage(request.idText, error))
  }
  context.downstream.send(about, ...question)
}

/** Puts the server's name before the question that a person is going to read (elicitation, "MUST show which server"). */
function namedQuestion(server: string, request: ServerRequest): readonly Edit[] {
  const { params } = request.spans
  if (request.method !== 'elicitation/create' || params === undefined) return []
  const message = objectMembers(request.bytes, params).find(({ name }) => name === 'message')
  if (message === undefined) return []
  const text: unknown = JSON.parse(textAt(request.bytes, message.value))
  if (typeof text !== 'string') return []
  return [{ span: message.value, text: JSON.stringify(`[${server}] ${text}`) }]
}

function passOn(
  context: SessionContext,
  { connection, about }: Source,
  notification: ServerNotification,
): void {
  if (notification.method !== 'notifications/cancelled') {
    // What a server says while it works on the one request there is, comes before that request's answer.
    const isOfRequest = notification.method === 'notifications/message'
    context.downstream.send(isOfRequest ? about : undefined, notification.bytes)
    return
  }
  const id = context.asks.cancelled(connection, notification)
  const { requestId } = notification.spans
  if (id === undefined || requestId === undefined) return
  context.downstream.send(
    undefined,
    ...pieces(notification.bytes, [{ span: requestId, text: String(id) }]),
  )
}

/** The questions of a server that is gone are taken back, so that no person answers them in vain. */
function takeBack(context: SessionContext, connection: Connection): void {
  for (const id of context.asks.drop(connection)) {
    const params = `{"requestId":${String(id)},"reason":"the server that asked has ended"}`
    context.downstream.send(undefined, notificationMessage('notifications/cancelled', params))
  }
}

/** A server that was started again may list other things than before. */
function announceChanges(context: SessionContext, reply: ServerResponse): void {
  const { result } = reply.spans
  if (result === undefined) return
  const value: unknown = JSON.parse(textAt(reply.bytes, result))
  const capabilities = isPlainObject(value) ? value['capabilities'] : undefined
  if (!isPlainObject(capabilities)) return
  for (const kind of ['tools', 'prompts', 'resources']) {
    const capability = capabilities[kind]
    if (!isPlainObject(capability) || capability['listChanged'] !== true) continue
    context.downstream.send(undefined, notificationMessage(`notifications/${kind}/list_changed`))
  }
}

/** At most 200 characters of a line, with everything that a terminal would act on made visible. */
function shownLine(line: Uint8Array): string {
  const text = Buffer.from(line.subarray(0, 800)).toString('utf8').slice(0, 200)
  return JSON.stringify(text).replaceAll(
    /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}
