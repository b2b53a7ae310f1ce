import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

import { CapFenceError } from '../../errors.ts'

/** The files of one demonstration, all in one scratch folder. */
export interface Scenario {
  readonly folder: string
  readonly config: string
  readonly notes: string
  readonly outside: string
  /** Everything that reached the file server, as bytes came in. */
  readonly filesJournal: string
  /** Every call that reached the operations server, a line each. */
  readonly opsJournal: string
}

const policy = `version: 1
deny:
  - id: no-rm-rf
    capability: filesystem.delete.workspace
    contains: rm -rf
    message: deleting whole trees is left to people
require_approval:
  - id: large-payment
    capability: payment.execute.high_value
    amount_gt: 1000
    message: payments over 1000 need a person
allow:
  - id: small-payment
    capability: payment.execute.high_value
    amount_lte: 1000
  - id: read-workspace
    capability: filesystem.read.workspace
    path_prefix: WORKSPACE
  - id: write-workspace
    capability: filesystem.write.workspace
    path_prefix: WORKSPACE
`

/** Lays out a workspace, a policy and a configuration with two servers, each keeping a record of its own. */
export function layOut(folder: string): Scenario {
  const workspace = join(folder, 'workspace')
  mkdirSync(workspace)
  const scenario = {
    folder,
    config: join(folder, 'capfence.mcp.json'),
    notes: join(workspace, 'notes.txt'),
    outside: join(folder, 'outside.txt'),
    filesJournal: join(folder, 'files.journal'),
    opsJournal: join(folder, 'ops.journal'),
  }
  writeFileSync(scenario.notes, 'Opening hours: Monday to Friday, nine to five.\n')
  writeFileSync(join(folder, 'policy.yaml'), policy.replaceAll('WORKSPACE', workspace))
  const config = configuration(scenario)
  writeFileSync(scenario.config, `${JSON.stringify(config, undefined, 2)}\n`)
  return scenario
}

function configuration(scenario: Scenario): unknown {
  const node = process.execPath
  const tool = (capability: string, risk: string): unknown => ({ capability, risk })
  return {
    mcpServers: {
      files: {
        command: node,
        // The folder above the workspace, so that it is the policy that keeps the agent inside, not the server.
        args: [fixture('tee.mjs'), scenario.filesJournal, node, fileServer(), scenario.folder],
        capfence: {
          tools: {
            read_text_file: tool('filesystem.read.workspace', 'low'),
            write_file: tool('filesystem.write.workspace', 'medium'),
          },
        },
      },
      ops: {
        command: node,
        args: [fixture('ops.mjs'), scenario.opsJournal],
        capfence: {
          tools: {
            delete_path: tool('filesystem.delete.workspace', 'high'),
            execute_payment: tool('payment.execute.high_value', 'high'),
          },
        },
      },
    },
    policies: ['policy.yaml'],
    actor: 'demo-agent',
    environment: 'development',
    storage: `sqlite:${join(scenario.folder, 'capfence.db')}`,
    approvals: { approvers: 'approvers.json' },
  }
}

/** The call counts of the servers' own records: what really arrived. */
export function arrived(scenario: Scenario): {
  readonly files: readonly string[]
  readonly ops: readonly string[]
} {
  const lines = (path: string): readonly unknown[] =>
    existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line): unknown => JSON.parse(line))
      : []
  const calls = lines(scenario.filesJournal).filter(
    (line) => member(line, 'method') === 'tools/call',
  )
  return {
    files: calls.map((call) => String(member(member(call, 'params'), 'name'))),
    ops: lines(scenario.opsJournal).map(
      (call) => `${String(member(call, 'name'))} ${JSON.stringify(member(call, 'arguments'))}`,
    ),
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined
}

function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/servers/${name}`, import.meta.url))
}

function fileServer(): string {
  try {
    const require = createRequire(import.meta.url)
    return require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js')
  } catch (cause) {
    throw new CapFenceError(
      'USAGE',
      'the demo needs the official file server, which is not installed',
      {
        hint: 'npm install --no-save @modelcontextprotocol/server-filesystem @modelcontextprotocol/sdk',
        cause,
      },
    )
  }
}
