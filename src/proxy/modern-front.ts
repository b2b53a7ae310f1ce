import type { ClientNotification, ClientRequest } from '../mcp/message.ts'
import {
  clientKey,
  hasEnvelope,
  modernCodes,
  modernRevision,
  namedRevision,
  readEnvelope,
} from '../mcp/modern.ts'
import type { Envelope } from '../mcp/modern.ts'
import { headerComplaint } from '../mcp/modern-headers.ts'
import type { HeaderOf } from '../mcp/modern-headers.ts'
import { rpcCodes } from '../mcp/rpc.ts'
import type { RpcError } from '../mcp/rpc.ts'

/** Why a request is not served, as its status and its error say it. */
export interface ModernRefusal {
  readonly status: number
  readonly error: RpcError
  /** For the record of the refusal; undefined where none is kept, because the client did nothing odd. */
  readonly reason: string | undefined
}

/** A request that may be served, and whose it is. */
export interface AdmittedRequest {
  readonly envelope: Envelope
  /** The same for clients that say the same of themselves. */
  readonly key: string
}

/** What a client may say of itself, characters. */
const maxKeyCharacters = 65_536

/** Methods that this revision does not have any more. */
const gone: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/list',
  'tasks/result',
])

/** Whether a message is of the revision without sessions: it says so itself, or its header does. */
export function isModern(message: ClientRequest | ClientNotification, header: HeaderOf): boolean {
  if (header('mcp-protocol-version') === modernRevision) return true
  const isGreeting = message.method === 'initialize' && namedRevision(message) !== modernRevision
  return hasEnvelope(message) && !isGreeting
}

/** Checks what has to be right before anything of a request is used, in the order that the protocol says. */
export function admitModern(
  request: ClientRequest,
  header: HeaderOf,
): AdmittedRequest | ModernRefusal {
  const envelope = readEnvelope(request)
  if ('code' in envelope) return refused(envelope, 'envelope')
  const revision = namedRevision(request)
  const given = header('mcp-protocol-version')
  if (given === revision && revision !== modernRevision) {
    const data = { supported: [modernRevision], requested: revision }
    const message = `Unsupported protocol version: the gate speaks ${modernRevision} without a session`
    return refused({ code: modernCodes.unsupportedRevision, message, data }, undefined)
  }
  const mismatch = headerComplaint(request, header)
  if (mismatch !== undefined) return refused(mismatch, 'header_mismatch')
  if (gone.has(request.method)) {
    const message = `Method not found: ${request.method} (revision ${modernRevision} does not have it)`
    return { ...refused({ code: rpcCodes.methodNotFound, message }, undefined), status: 404 }
  }
  const key = clientKey(envelope)
  if (key.length > maxKeyCharacters) {
    const message = 'Invalid params: the client says too much of itself'
    return refused({ code: rpcCodes.invalidParams, message }, 'envelope')
  }
  return { envelope, key }
}

function refused(error: RpcError, reason: string | undefined): ModernRefusal {
  return { status: 400, error, reason }
}
