import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { foundFiles } from '../clients/locate.ts'
import { gatedServer, readClientFile } from '../clients/wrap.ts'
import { loadConfig } from '../config/config.ts'
import { CapFenceError } from '../errors.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { ownHome, type OwnHome } from './own-home.ts'
import { counted, jsonLine, shown } from './shown.ts'
import { styled } from './style.ts'
import { wrap } from './wrap.ts'

/** What `capfence init` takes, as it was typed. */
export interface InitFlags {
  readonly environment: string
  readonly actor: string
  readonly enforce?: boolean | undefined
  readonly wrap?: boolean | undefined
  readonly project?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * `capfence init`: makes a configuration and a first policy for this user, unless they are there, and lists the clients that
 * were found. Nothing of the clients is changed unless asked for.
 */
export async function init(flags: InitFlags, io: Io): Promise<ExitCode> {
  const home = ownHome(io, flags.project)
  const made = makeFiles(home, flags)
  const found = await foundClients(home)
  if (flags.json === true) {
    const { config, folder } = home
    await io.out.write(
      jsonLine({ schemaVersion, type: 'init', folder, config, made: [...made], clients: found }),
    )
  } else {
    await io.out.write(textOf(home, made, found, flags, io))
  }
  const isSomething = found.some(({ servers }) => servers.some((one) => one.state === 'raw'))
  if (flags.wrap !== true || !isSomething) return exitCodes.yes
  return wrap([], { project: flags.project, json: flags.json }, io)
}

/** @returns the paths that were made */
function makeFiles({ folder, config }: OwnHome, flags: InitFlags): readonly string[] {
  const policy = join(folder, 'policy.yaml')
  const text = configText(flags)
  // What was typed may not be what a configuration takes.
  loadConfig({ path: config, text })
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const wanted = [
      [policy, firstPolicy],
      [config, text],
    ] as const
    return wanted.flatMap(([path, content]) => {
      if (existsSync(path)) return []
      writeFileSync(path, content, { flag: 'wx', mode: 0o600 })
      return [path]
    })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `cannot make \`${shown(folder)}\`: ${why}`, {
      hint: 'name another folder with the variable CAPFENCE_HOME',
      cause,
    })
  }
}

function configText({ environment, actor, enforce }: InitFlags): string {
  const config = {
    environment,
    actor,
    mode: enforce === true ? 'enforce' : 'observe',
    policies: ['policy.yaml'],
    storage: 'sqlite:capfence.db',
    mcpServers: {},
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

const firstPolicy = `# What agents may do. What no list allows is denied.
#
# While \`mode\` in capfence.mcp.json is \`observe\`, every call goes through and the log says what this policy would have
# done: \`capfence logs\`. Write rules until that is what you want, then set \`mode\` to \`enforce\`.
#
# A tool is <server>.<tool>.<environment> unless capfence.mcp.json says otherwise. \`capfence policy init --server NAME\` writes
# rules for the tools of a server; docs/policy.md explains the language in five minutes.
version: 1

deny: []

require_approval: []

allow: []
`

/** A file of a client, and its servers. */
export interface FoundClient {
  readonly client: string | null
  readonly name: string
  readonly file: string
  readonly scope: string
  /** Why it could not be read; null when it could. */
  readonly error: string | null
  readonly servers: readonly {
    readonly name: string
    readonly state: 'gated' | 'raw' | 'skipped'
    readonly why: string | null
  }[]
}

/** Every client of this machine and project, with the state of its servers. */
export async function foundClients({ around }: OwnHome): Promise<readonly FoundClient[]> {
  return Promise.all(
    foundFiles(around).map(async (file): Promise<FoundClient> => {
      const { client = null, clientName: name, path, scope } = file
      const base = { client, name, file: path, scope }
      try {
        const { entries } = await readClientFile(file)
        const servers = entries.map((entry) => {
          const state =
            gatedServer(entry) !== undefined
              ? 'gated'
              : entry.obstacle === undefined
                ? 'raw'
                : 'skipped'
          return { name: entry.name, state, why: entry.obstacle ?? null } as const
        })
        return { ...base, error: null, servers }
      } catch (error) {
        if (!(error instanceof CapFenceError)) throw error
        return { ...base, error: error.message, servers: [] }
      }
    }),
  )
}

function textOf(
  { config }: OwnHome,
  made: readonly string[],
  found: readonly FoundClient[],
  flags: InitFlags,
  io: Io,
): string {
  const lines = [
    ...made.map((path) => `made ${shown(path)}`),
    ...(made.includes(config) ? [] : [`${shown(config)} was there, and stays as it is`]),
    '',
    ...found.flatMap(({ name, file, error, servers }) => [
      `${styled(io.out, 'bold', name)} ${shown(file)}`,
      ...(error === null ? [] : [shown(`  cannot be read: ${error}`)]),
      ...servers.map((server) => shown(`  ${server.name}  ${stateText(server)}`)),
    ]),
  ]
  const raw = found.flatMap(({ servers }) => servers).filter(({ state }) => state === 'raw').length
  if (found.length === 0) lines.push('no client with a file of servers was found')
  else if (raw > 0 && flags.wrap !== true) {
    lines.push('', `${counted(raw, 'server')} can be gated: \`capfence wrap --dry-run\` shows how`)
  }
  return `${lines.join('\n')}\n`
}

function stateText({ state, why }: FoundClient['servers'][number]): string {
  if (state === 'gated') return 'gated'
  return state === 'raw' ? 'not gated' : `not gated: ${why ?? ''}`
}
