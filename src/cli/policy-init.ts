import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { defaultConfigPath } from '../config/file.ts'
import type { ServerConfig } from '../config/servers.ts'
import { serversToStart } from '../config/start.ts'
import { CapFenceError } from '../errors.ts'
import { Bindings } from '../event/binding.ts'
import { escapeName } from '../event/name.ts'
import { starterOf } from '../policy/starter/starter.ts'
import type { Starter, StarterChoice } from '../policy/starter/starter.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { toolsOfFile, toolsOfServer } from './listed-tools.ts'
import { schemaVersion } from './log-lines.ts'
import { readConfig } from './places.ts'
import { say } from './say.ts'
import { counted, jsonLine, shown, shownJson } from './shown.ts'
import { styled } from './style.ts'

/** What `capfence policy init` takes, as it was typed. */
export interface PolicyInitFlags {
  readonly server?: string | undefined
  readonly tools?: string | undefined
  readonly config?: string | undefined
  readonly out?: string | undefined
  readonly root?: readonly string[] | undefined
  readonly environment?: string | undefined
  readonly timeout?: string | undefined
  readonly force?: boolean | undefined
  readonly json?: boolean | undefined
}

/**
 * `capfence policy init`: writes a first policy for one server, and its tests, from the list of its tools.
 *
 * @throws CapFenceError `USAGE` before anything is started when a file would be overwritten
 */
export async function policyInit(flags: PolicyInitFlags, io: Io): Promise<ExitCode> {
  const server = serverName(flags)
  const config = await configFor(flags, server, io)
  const { policy, tests } = filesFor(flags, server, config)
  if (flags.force !== true) refuseExisting([policy, tests])
  const known = config?.servers.find(({ name }) => name === server)
  const items =
    flags.tools === undefined ? await listed(server, config, flags) : toolsOfFile(flags.tools)
  const starter = starterOf({
    server,
    items,
    roots: flags.root ?? rootsOf(known, config),
    bindings: new Bindings(config?.servers.map(({ name, binding }) => [name, binding])),
    actor: config?.actor ?? 'agent',
    environment: config?.environment ?? flags.environment ?? 'production',
    config: config === undefined ? undefined : relativeTo(tests, config.file),
  })
  write(policy, starter.policy, flags.force === true)
  write(tests, starter.tests, flags.force === true)
  const bindings = bindingsFor(starter.tools, known)
  const governs = config?.policies.includes(resolve(policy)) === true
  const made = { server, policy, tests, starter, bindings, governs }
  await io.out.write(flags.json === true ? jsonOf(made) : textOf(made, io))
  return exitCodes.yes
}

function serverName({ server }: PolicyInitFlags): string {
  if (server !== undefined) return server
  throw new CapFenceError('USAGE', 'which server is the policy for', {
    hint: 'write `--server NAME`, by its name in the configuration',
  })
}

/** A list that was saved needs no configuration; where one has the server, it says what the tools mean. */
async function configFor(
  flags: PolicyInitFlags,
  server: string,
  io: Io,
): Promise<Config | undefined> {
  const isNeeded = flags.tools === undefined || flags.config !== undefined
  if (!isNeeded && !existsSync(defaultConfigPath)) return undefined
  const config = await readConfig(flags.config, io)
  if (!isNeeded && !config.servers.some(({ name }) => name === server)) return undefined
  if (flags.environment === undefined || flags.environment === config.environment) return config
  throw new CapFenceError(
    'USAGE',
    `the environment of ${config.file} is \`${config.environment}\``,
    {
      hint: 'leave `--environment` out',
    },
  )
}

function filesFor(
  { out }: PolicyInitFlags,
  server: string,
  config: Config | undefined,
): { readonly policy: string; readonly tests: string } {
  const policy = out ?? resolve(config?.folder ?? '.', 'policies', `${escapeName(server)}.yaml`)
  if (/(?<!\.test)\.ya?ml$/.test(policy)) {
    return { policy, tests: policy.replace(/\.(ya?ml)$/, '.test.$1') }
  }
  throw new CapFenceError(
    'USAGE',
    `\`--out\` is \`${shown(policy)}\`; expected a name that ends in \`.yaml\``,
    {
      hint: 'the tests are written beside it: `files.test.yaml` beside `files.yaml`',
    },
  )
}

function refuseExisting(paths: readonly string[]): void {
  const existing = paths.find(existsSync)
  if (existing === undefined) return
  throw new CapFenceError('USAGE', `${shown(existing)} exists`, {
    hint: 'write elsewhere with `--out FILE`, or over it with `--force`',
  })
}

async function listed(
  server: string,
  config: Config | undefined,
  { timeout }: PolicyInitFlags,
): Promise<readonly unknown[]> {
  if (config === undefined) throw new Error('bug: a server is started from a configuration')
  const [startable] = serversToStart(config, { only: server, variables: process.env })
  if (startable === undefined) throw new Error('bug: a chosen server is there')
  return toolsOfServer(startable, {
    variables: process.env,
    timeoutMs: timeoutMsOf(timeout),
    maxMessageBytes: config.limits.maxUpstreamMessageBytes,
    log: say,
  })
}

const usualTimeoutSeconds = 60

function timeoutMsOf(text: string | undefined): number {
  if (text === undefined) return usualTimeoutSeconds * 1000
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text) * 1000
  throw new CapFenceError(
    'USAGE',
    `\`--timeout\` is \`${shown(text)}\`; expected seconds from 1 to 9999`,
  )
}

/** The folders that a server is given on its command line: what it may touch, if it keeps to it. */
function rootsOf(server: ServerConfig | undefined, config: Config | undefined): readonly string[] {
  const upstream = server?.upstream
  if (upstream?.kind !== 'stdio' || config === undefined) return []
  const start = upstream.cwd ?? config.folder
  const folders = upstream.args.flatMap((arg) => {
    const path = arg.replace(/^--?[\w-]+=/, '')
    if (path === '' || path.startsWith('-') || !isFolder(resolve(start, path))) return []
    // A relative one is what a client may write too, and both are the same folder to the server.
    return isAbsolute(path) ? [path] : [path.replace(/^\.\//, ''), resolve(start, path)]
  })
  return [...new Set(folders)]
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Undefined where there is no relative way, such as to another drive. */
function relativeTo(file: string, target: string): string | undefined {
  const path = relative(dirname(resolve(file)), resolve(target)).replaceAll('\\', '/')
  return isAbsolute(path) || /\p{C}/u.test(path) ? undefined : path
}

function write(path: string, text: string, isForced: boolean): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    // Between the look and the write somebody may have made it: `wx` refuses that as well.
    writeFileSync(path, text, { flag: isForced ? 'w' : 'wx' })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `cannot write ${shown(path)}: ${reason}`, { cause })
  }
}

type Bound = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** What the configuration could say about the tools of which it says nothing yet. */
function bindingsFor(tools: readonly StarterChoice[], server: ServerConfig | undefined): Bound {
  const configured = new Map(server?.binding.tools)
  const entries = tools
    .filter(({ name }) => !configured.has(name))
    .map(({ name, risk, roles }) => {
      const roleEntries = Object.entries(roles).filter(([, pointers]) => pointers.length > 0)
      const args = roleEntries.length === 0 ? {} : { arguments: Object.fromEntries(roleEntries) }
      return [name, { risk, ...args }] as const
    })
  return Object.fromEntries(entries)
}

interface Made {
  readonly server: string
  readonly policy: string
  readonly tests: string
  readonly starter: Starter
  readonly bindings: Bound
  /** Whether the configuration names the policy. */
  readonly governs: boolean
}

function textOf({ server, policy, tests, starter, bindings, governs }: Made, io: Io): string {
  const { tools, skipped } = starter
  const count = (effect: StarterChoice['effect']): string =>
    `${tools.filter((one) => one.effect === effect).length} ${effect}`
  const left = skipped.length === 0 ? '' : `; left out: ${skipped.join(', ')}`
  const lines = [
    `${shown(policy)}: ${counted(tools.length, 'tool')} (${count('deny')}, ${count('require_approval')}, ${count('allow')})${shown(left)}`,
    `${shown(tests)}: its tests; \`capfence policy test ${shown(policy)}\` runs them`,
    ...(governs
      ? []
      : ['it governs once it has been read, and named under `policies` in the configuration']),
    ...(Object.keys(bindings).length === 0
      ? []
      : [
          '',
          styled(io.out, 'dim', `what ${shown(server)} could have in the configuration:`),
          ...blockLines(bindings),
        ]),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

/** A block to paste, a line for each tool. */
function blockLines(bindings: Bound): readonly string[] {
  const entries = Object.entries(bindings).map(
    ([name, binding]) => `    ${JSON.stringify(name)}: ${JSON.stringify(binding)}`,
  )
  const inner = entries.map((line, index) => (index < entries.length - 1 ? `${line},` : line))
  return ['"capfence": {', '  "tools": {', ...inner.map(shownJson), '  }', '}']
}

function jsonOf({ server, policy, tests, starter, bindings, governs }: Made): string {
  return jsonLine({
    schemaVersion,
    type: 'starter',
    server,
    policy,
    tests,
    tools: starter.tools,
    skipped: starter.skipped,
    bindings,
    governs,
  })
}
