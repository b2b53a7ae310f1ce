import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { cli } from '../support/dist.ts'
import { root } from '../support/root.ts'

/** A JSON-RPC message as a test reads it. */
export interface Wire {
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string }
}

export interface GateFiles {
  readonly folder: string
  readonly config: string
  readonly database: string
  readonly policy: string
  /** The record that the server of this name keeps of what reached it. */
  readonly journal: (server: string) => string
}

export interface GateOptions {
  /** Server names and the fixture each runs. */
  readonly servers: Readonly<Record<string, 'raw' | 'everything' | 'ops' | 'deaf'>>
  readonly policy?: string
  readonly config?: Readonly<Record<string, unknown>>
}

const allowAll = 'version: 1\nallow:\n  - "*"\n'

/** Lays out a configuration in a folder. */
export function layOut(folder: string, options: GateOptions): GateFiles {
  const journal = (server: string): string => join(folder, `${server}.journal`)
  const files = {
    folder,
    config: join(folder, 'capfence.mcp.json'),
    database: join(folder, 'log.db'),
    policy: join(folder, 'policy.yaml'),
    journal,
  }
  writeFileSync(files.policy, options.policy ?? allowAll)
  const servers = Object.entries(options.servers).map(([name, fixture]) => [
    name,
    {
      command: process.execPath,
      args: [join(root, 'fixtures/servers', `${fixture}.mjs`), journal(name)],
    },
  ])
  const config = {
    mcpServers: Object.fromEntries(servers) as unknown,
    policies: ['policy.yaml'],
    actor: 'tester',
    environment: 'development',
    storage: `sqlite:${files.database}`,
    audit: { durability: 'process' },
    ...options.config,
  }
  writeFileSync(files.config, JSON.stringify(config))
  return files
}

export function gateCommand(
  files: GateFiles,
  server?: string,
): { readonly command: string; readonly args: string[] } {
  const only = server === undefined ? [] : ['--server', server]
  return { command: process.execPath, args: [cli, 'run', '--config', files.config, ...only] }
}

/** The lines of a journal; none when it was never written. */
export function journalLines(path: string): readonly string[] {
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
}

/** The tool calls that a raw server's journal shows. */
export function journalCalls(files: GateFiles, server: string): readonly Wire[] {
  return journalLines(files.journal(server))
    .map((line) => JSON.parse(line) as Wire)
    .filter(({ method }) => method === 'tools/call')
}

/** A client that writes what it likes. */
export class RawClient {
  readonly process: ChildProcessWithoutNullStreams
  readonly received: Wire[] = []
  readonly lines: string[] = []
  stderr = ''
  #waiters: (() => void)[] = []
  #lastId = 0

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.process = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'], env })
    this.process.stdin.on('error', () => undefined)
    this.process.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
    })
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.lines.push(line)
      this.received.push(JSON.parse(line) as Wire)
      for (const wake of this.#waiters) wake()
    })
  }

  write(text: string): void {
    this.process.stdin.write(`${text}\n`)
  }

  send(message: unknown): void {
    this.write(JSON.stringify({ jsonrpc: '2.0', ...(message as object) }))
  }

  /** Waits until a message fits; fails after ten seconds. */
  async until(fits: (message: Wire) => boolean): Promise<Wire> {
    const deadline = Date.now() + 10_000
    for (;;) {
      const found = this.received.find(fits)
      if (found !== undefined) return found
      if (Date.now() > deadline) {
        throw new Error(`no such message; got ${this.lines.join('\n')}\n${this.stderr}`)
      }
      await new Promise<void>((resolve) => {
        this.#waiters.push(resolve)
        setTimeout(resolve, 200)
      })
      this.#waiters = []
    }
  }

  async request(
    method: string,
    params?: unknown,
    id: string | number = (this.#lastId += 1),
  ): Promise<Wire> {
    this.send({ id, method, ...(params !== undefined && { params }) })
    return this.until((message) => message.id === id && message.method === undefined)
  }

  async initialize(capabilities: unknown = {}): Promise<Wire> {
    const reply = await this.request(
      'initialize',
      {
        protocolVersion: '2025-11-25',
        capabilities,
        clientInfo: { name: 'raw-client', version: '1' },
      },
      'init',
    )
    this.send({ method: 'notifications/initialized' })
    return reply
  }

  async call(name: string, args: unknown = {}): Promise<Wire> {
    return this.request('tools/call', { name, arguments: args })
  }

  async close(): Promise<number | null> {
    const gone = this.exit()
    this.process.stdin.end()
    return gone
  }

  exit(): Promise<number | null> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) {
      return Promise.resolve(this.process.exitCode)
    }
    return new Promise((resolve) => this.process.once('exit', (code) => resolve(code)))
  }
}
