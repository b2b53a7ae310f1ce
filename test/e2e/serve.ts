import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { cli } from '../support/dist.ts'
import type { GateFiles, Wire } from './gate.ts'

/** A gate that is served over HTTP, in a process of its own. */
export interface Served {
  readonly process: ChildProcess
  /** Of `/mcp`, or of one server. */
  url(server?: string): string
  readonly port: number
  /** Empty where none is asked for. */
  readonly token: string
  stderr(): string
  /** Ends it and says with which code it ended. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

interface Announcement {
  readonly urls: readonly string[]
  readonly port: number
  readonly tokenFile: string | null
}

export async function startServe(files: GateFiles, ...flags: readonly string[]): Promise<Served> {
  const args = [cli, 'serve', '--config', files.config, '--port', '0', '--json', ...flags]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', () => reject(new Error(`the gate ended before it listened: ${stderr}`)))
  })
  const said = JSON.parse(line) as Announcement
  const [first = ''] = said.urls
  return {
    process: child,
    port: said.port,
    url: (server) => (server === undefined ? first : `${first}/${server}`),
    token: said.tokenFile === null ? '' : readFileSync(said.tokenFile, 'utf8').trim(),
    stderr: () => stderr,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal)
      return exit
    },
  }
}

/** Sends what it likes, and says what came back. */
export class RawHttp {
  readonly url: string
  readonly headers: Record<string, string>

  constructor(url: string, token: string) {
    this.url = url
    this.headers = {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      Accept: 'application/json, text/event-stream',
    }
  }

  /** Sends a message; a text is sent as it is. Headers that are empty are left out. */
  async post(
    message: unknown,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const body =
      typeof message === 'string'
        ? message
        : JSON.stringify({ jsonrpc: '2.0', ...(message as object) })
    const options = { method: 'POST', headers: this.#with(headers), body }
    return fetch(this.url, { ...options, ...(signal && { signal }) })
  }

  async get(headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> {
    return fetch(this.url, { headers: this.#with(headers), ...(signal && { signal }) })
  }

  async delete(headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url, { method: 'DELETE', headers: this.#with(headers) })
  }

  /** Begins a session, whose id all further requests carry. */
  async initialize(capabilities: unknown = {}): Promise<Wire> {
    const response = await this.post({
      id: 'init',
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities,
        clientInfo: { name: 'raw-http', version: '1' },
      },
    })
    this.headers['Mcp-Session-Id'] = response.headers.get('mcp-session-id') ?? ''
    const reply = await lastMessage(response)
    await this.post({ method: 'notifications/initialized' })
    return reply
  }

  async call(name: string, args: unknown = {}, id: string | number = 1): Promise<Wire> {
    const params = { name, arguments: args }
    return lastMessage(await this.post({ id, method: 'tools/call', params }))
  }

  #with(headers: Record<string, string>): Record<string, string> {
    const all = Object.entries({ ...this.headers, ...headers })
    return Object.fromEntries(all.filter(([, value]) => value !== ''))
  }
}

/** The messages of an answer, be it plain or a stream. */
export async function messagesOf(response: Response): Promise<readonly Wire[]> {
  const text = await response.text()
  if (response.headers.get('content-type') !== 'text/event-stream') {
    return text === '' ? [] : [JSON.parse(text) as Wire]
  }
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line.slice(6)) as Wire)
}

export async function lastMessage(response: Response): Promise<Wire> {
  const last = (await messagesOf(response)).at(-1)
  if (last === undefined) throw new Error(`no message in an answer ${String(response.status)}`)
  return last
}
