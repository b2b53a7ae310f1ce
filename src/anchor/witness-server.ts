import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { addCheckpointPath } from './add-checkpoint.ts'
import type { Witness } from './witness.ts'

/** Where a witness listens. */
export interface WitnessPlace {
  /** An address of this machine. */
  readonly address: string
  /** 0 for any that is free. */
  readonly port: number
  /** Further values of `Host` that it answers to, with the port unless it is 80: what a proxy in front of it sends. */
  readonly hosts: readonly string[]
  /** How long a request may take to arrive, milliseconds; `maxWitnessMs` when nothing is said. */
  readonly requestMs?: number
}

/** A witness that can be reached. */
export interface ListeningWitness {
  /** Without a slash at its end. */
  readonly url: string
  /** Answers what has been asked, takes nothing more, and resolves when everybody has gone. */
  close(): Promise<void>
}

/**
 * Serves a witness over HTTP.
 *
 * @throws CapFenceError `USAGE` when it cannot listen there
 */
export async function serveWitness(
  witness: Witness,
  place: WitnessPlace,
): Promise<ListeningWitness> {
  let hosts: ReadonlySet<string> = new Set()
  const requestMs = place.requestMs ?? limits.maxWitnessMs
  const server = createServer(
    {
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      keepAliveTimeout: requestMs,
      connectionsCheckingInterval: Math.min(requestMs, 1000),
      maxHeaderSize: 8192,
    },
    (request, response) => void answer(request, response, { witness, hosts }),
  )
  server.maxConnections = limits.maxWitnessConnections
  const { address, family, port } = await listen(server, place)
  const host = family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
  hosts = new Set([host, ...loopbackNames(host, port), ...place.hosts])
  return { url: `http://${host}`, close: () => close(server) }
}

interface Serving {
  readonly witness: Witness
  readonly hosts: ReadonlySet<string>
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  serving: Serving,
): Promise<void> {
  const refused = refuse(request, serving.hosts)
  if (refused !== undefined) return end(request, response, refused)
  const body = await textOf(request)
  end(request, response, typeof body === 'string' ? serving.witness.addCheckpoint(body) : body)
}

interface Answer {
  readonly status: number
  readonly type?: string
  readonly body: string
}

/** What no witness is asked: whatever a browser sends for a page that is not ours, and other paths and methods. */
function refuse(
  { headers, method, url }: IncomingMessage,
  hosts: ReadonlySet<string>,
): Answer | undefined {
  // A page whose name was rebound to this address sends its own name here (THREATS B14).
  if (headers.host === undefined || !hosts.has(headers.host.toLowerCase())) {
    return { status: 421, body: 'this witness has another name\n' }
  }
  // Logs and their clients are no pages: they send neither of these.
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
    return { status: 403, body: 'a witness is not for browsers\n' }
  }
  if (url !== addCheckpointPath) return { status: 404, body: `only ${addCheckpointPath} is here\n` }
  if (method !== 'POST') return { status: 405, body: 'only POST\n' }
  if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
    return { status: 415, body: 'the body must not be compressed\n' }
  }
  return undefined
}

/** The body, or why there is none. */
async function textOf(request: IncomingMessage): Promise<string | Answer> {
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    // Destroying the request would take the connection with it, and the answer.
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(piece)) continue
      bytes += piece.length
      if (bytes > limits.maxWitnessRequestBytes) {
        return { status: 413, body: `more than ${limits.maxWitnessRequestBytes} bytes\n` }
      }
      pieces.push(piece)
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(pieces))
  } catch {
    // The client has gone, which needs no answer, or the bytes are no text.
    return { status: 400, body: 'the body must be UTF-8 text\n' }
  }
}

function end(
  request: IncomingMessage,
  response: ServerResponse,
  { status, type, body }: Answer,
): void {
  response.writeHead(status, {
    'content-type': type ?? 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: 'POST' } : {}),
    // What is left of a body that was not read is not read for the next request either.
    ...(request.complete ? {} : { connection: 'close' }),
  })
  response.end(body)
}

function listen(server: Server, { address, port }: WitnessPlace): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const where = `${address}:${port}`
      reject(
        new CapFenceError('USAGE', `cannot listen at \`${where}\`: ${cause.message}`, { cause }),
      )
    })
    server.listen({ host: address, port, exclusive: true }, () => {
      const bound = server.address()
      if (bound !== null && typeof bound === 'object') resolve(bound)
    })
  })
}

/** A machine calls itself by any of these names; for all other addresses the operator says the names. */
function loopbackNames(host: string, port: number): readonly string[] {
  const isLoopback = /^(?:127\.|\[::1\])/.test(host)
  return isLoopback ? [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`] : []
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
  })
}
