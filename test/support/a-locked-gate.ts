import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Captured } from '../cli/capture.ts'
import { capfence } from '../cli/capture.ts'
import { gateCommand, layOut, RawClient } from '../e2e/gate.ts'
import type { GateFiles } from '../e2e/gate.ts'
import { root } from './root.ts'

/** What a server says of itself. */
export interface ServerState {
  readonly instructions?: string
  readonly tools?: readonly unknown[]
  readonly prompts?: readonly unknown[]
  readonly templates?: readonly unknown[]
  readonly ttlMs?: number
}

/** A tool with a description. */
export const tool = (name: string, description = `Does ${name}.`): Record<string, unknown> => ({
  name,
  description,
  inputSchema: { type: 'object', properties: { path: { type: 'string' } } },
})

/** What a server says in most tests. */
export const honest: ServerState = {
  instructions: 'Be careful.',
  tools: [tool('read'), tool('write'), tool('announce')],
  prompts: [{ name: 'sum', description: 'Sums up.' }],
  templates: [{ uriTemplate: 'file:///{path}', name: 'file' }],
}

/** A configuration with servers that can change their minds. */
export class LockedGate {
  readonly files: GateFiles
  readonly folder: string

  constructor(
    names: readonly string[] = ['files'],
    config: Readonly<Record<string, unknown>> = {},
  ) {
    this.folder = mkdtempSync(join(tmpdir(), 'capfence-lock-'))
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }))
    for (const name of names) this.say(honest, name)
    const servers = Object.fromEntries(names.map((name) => [name, this.server(name)]))
    this.files = layOut(this.folder, { servers: {}, config: { mcpServers: servers, ...config } })
  }

  get lockFile(): string {
    return join(this.folder, 'capfence.lock')
  }

  server(name: string): Record<string, unknown> {
    const program = join(root, 'fixtures/servers/changing.mjs')
    const journal = join(this.folder, `${name}.journal`)
    return {
      command: process.execPath,
      args: [program, join(this.folder, `${name}.json`), journal],
      env: { TOKEN: 'secret-value' },
    }
  }

  /** What the server says from now on. */
  say(state: ServerState, name = 'files'): void {
    writeFileSync(join(this.folder, `${name}.json`), JSON.stringify(state))
  }

  /** Changes the configuration. */
  configure(change: (config: Record<string, unknown>) => void): void {
    const config = JSON.parse(readFileSync(this.files.config, 'utf8')) as Record<string, unknown>
    change(config)
    writeFileSync(this.files.config, JSON.stringify(config))
  }

  lock(...args: readonly string[]): Promise<Captured> {
    return capfence(['lock', ...args, '--config', this.files.config])
  }

  /** A client that has shaken hands with a running gate. */
  async client(server?: string): Promise<RawClient> {
    const client = this.start(server)
    await client.initialize()
    return client
  }

  start(server?: string): RawClient {
    const { command, args } = gateCommand(this.files, server)
    const client = new RawClient(command, args)
    onTestFinished(() => void client.process.kill('SIGKILL'))
    return client
  }
}

/** The names that a client is shown. */
export async function listed(
  client: RawClient,
  method = 'tools/list',
): Promise<readonly unknown[]> {
  const { result = {} } = await client.request(method)
  const [items] = Object.values(result).filter((value) => Array.isArray(value)) as unknown[][]
  return (items ?? []).map((item) => {
    const { name, uriTemplate } = item as { name?: unknown; uriTemplate?: unknown }
    return uriTemplate ?? name
  })
}
