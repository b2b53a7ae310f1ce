import { serve, type ServerType } from '@hono/node-server'
import { createServer } from 'node:http'
import { createServer as createProbe } from 'node:net'
import { CapFenceError } from '../errors.ts'
import type { Hono } from 'hono'
import { pageApp, type PageParts, type PagePlace } from './app.ts'

/** The page while it is served. */
export interface ServedPage {
  /** Such as `http://localhost:4173/`. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** How many ports are tried when any will do, count. */
const tries = 20

/**
 * Serves the operator's page on the loopback addresses of this machine, under its name and its IPv4 address.
 *
 * @param port 0 for any that is free
 * @throws CapFenceError `USAGE` when the port is taken on either address
 */
export function servePage(parts: PageParts, port: number): Promise<ServedPage> {
  return serveApp((place) => pageApp(parts, place), port)
}

/** What is served, once it is known where. */
export type MakeApp = (place: PagePlace) => Hono

/**
 * Serves a page on the loopback addresses of this machine.
 *
 * Both addresses of `localhost` are taken where the machine has both: a browser may try either, and whoever else had the
 * other would be shown the code.
 *
 * @param port 0 for any that is free
 * @throws CapFenceError `USAGE` when the port is taken on either address
 */
export async function serveApp(make: MakeApp, port: number): Promise<ServedPage> {
  for (let attempt = 1; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- the next port only when this one is taken
    const chosen = port === 0 ? await freePort() : port
    try {
      // oxlint-disable-next-line no-await-in-loop -- the next port only when this one is taken
      return await serveOn(make, chosen)
    } catch (error) {
      if (!isTaken(error)) throw error
      if (port === 0 && attempt < tries) continue
      throw new CapFenceError('USAGE', `port ${String(chosen)} is taken`, {
        hint: 'name another with `--port`, or none and any that is free is taken',
        cause: error,
      })
    }
  }
}

async function serveOn(make: MakeApp, port: number): Promise<ServedPage> {
  const end = new AbortController()
  const hosts = [`localhost:${String(port)}`, `127.0.0.1:${String(port)}`]
  const app = make({ hosts, port, closed: end.signal })
  const servers = [await listening(app.fetch, '127.0.0.1', port)]
  try {
    servers.push(await listening(app.fetch, '::1', port))
  } catch (error) {
    if (!isNoAddress(error)) {
      await Promise.all(servers.map(closed))
      throw error
    }
  }
  return {
    url: `http://localhost:${String(port)}/`,
    port,
    close: async () => {
      end.abort()
      await Promise.all(servers.map(closed))
    },
  }
}

function listening(
  fetch: ReturnType<typeof pageApp>['fetch'],
  hostname: string,
  port: number,
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const serverOptions = { requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16_384 }
    const server = serve(
      { fetch, hostname, port, createServer, serverOptions, overrideGlobalObjects: false },
      () => resolve(server),
    )
    server.on('error', reject)
  })
}

function closed(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    // A browser keeps its connections, and would keep the program.
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createProbe()
    probe.on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}

function isNoAddress(error: unknown): boolean {
  const codes = ['EADDRNOTAVAIL', 'EAFNOSUPPORT']
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
