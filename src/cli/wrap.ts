import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Journal } from '../clients/journal.ts'
import { foundFiles, namedFile, type FoundFile, type Surroundings } from '../clients/locate.ts'
import { whileLocked } from '../clients/safe-write.ts'
import { clients } from '../clients/table.ts'
import { readClientFile, unwrapFile, wrapFile, type FileChange } from '../clients/wrap.ts'
import { CapFenceError } from '../errors.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { gateLaunch, mainPath, ownHome, type OwnHome } from './own-home.ts'
import { complaint } from './report-error.ts'
import { jsonLine, shown } from './shown.ts'
import { styled } from './style.ts'

/** What `capfence wrap` and `unwrap` take, as it was typed. */
export interface WrapFlags {
  readonly config?: string | undefined
  readonly server?: readonly string[] | undefined
  readonly project?: string | undefined
  readonly dryRun?: boolean | undefined
  readonly json?: boolean | undefined
}

/** `capfence wrap [CLIENT|FILE…]`: puts CapFence before servers that clients start. */
export async function wrap(names: readonly string[], flags: WrapFlags, io: Io): Promise<ExitCode> {
  const home = ownHome(io, flags.project)
  const config = resolve(flags.config ?? home.config)
  if (!existsSync(config)) {
    throw new CapFenceError(
      'CONFIG_NOT_FOUND',
      `there is no configuration at \`${shown(config)}\``,
      {
        hint: '`capfence init` makes one that only watches at first; or name yours with `--config`',
      },
    )
  }
  const options = { config, gate: gateLaunch(config), ...common(flags, home, io) }
  return changeAll(names, flags, { home, io, verb: 'wrap' }, (file) => wrapFile(file, options))
}

/** `capfence unwrap [CLIENT|FILE…]`: gives clients their own servers back. */
export async function unwrap(
  names: readonly string[],
  flags: WrapFlags,
  io: Io,
): Promise<ExitCode> {
  const home = ownHome(io, flags.project)
  const options = common(flags, home, io)
  return changeAll(names, flags, { home, io, verb: 'unwrap' }, (file) => unwrapFile(file, options))
}

function common(
  { server, dryRun = false }: WrapFlags,
  { folder }: OwnHome,
  io: Io,
): {
  readonly journal: Journal
  readonly only: ReadonlySet<string> | undefined
  readonly isDry: boolean
  readonly time: string
} {
  return {
    journal: new Journal(folder),
    only: server === undefined ? undefined : new Set(server),
    isDry: dryRun,
    time: new Date(io.nowMs()).toISOString(),
  }
}

interface Doing {
  readonly home: OwnHome
  readonly io: Io
  readonly verb: 'wrap' | 'unwrap'
}

async function changeAll(
  names: readonly string[],
  flags: WrapFlags,
  doing: Doing,
  change: (file: FoundFile) => Promise<FileChange>,
): Promise<ExitCode> {
  const { home } = doing
  const files = chosenFiles(names, home.around)
  if (files.length === 0) {
    throw new CapFenceError('USAGE', 'no client with a file of servers was found', {
      hint: `name a file, or one of ${clients.map(({ id }) => id).join(', ')}`,
    })
  }
  const changes = await whileLocked(home.folder, async () => {
    // Before anything is changed.
    await requireServers(files, flags)
    const done: Changed[] = []
    for (const file of files) {
      // oxlint-disable-next-line no-await-in-loop -- they share a configuration and a journal
      done.push(await changed(file, change))
    }
    return done
  })
  await report(changes, flags, doing)
  const isDone = changes.every(
    (one) => !('error' in one) && one.servers.every(({ state }) => state !== 'skipped'),
  )
  return isDone ? exitCodes.yes : exitCodes.no
}

/** What became of a file, or why nothing could be changed in it. */
type Changed = FileChange | { readonly file: FoundFile; readonly error: CapFenceError }

/** One file that is broken keeps no other from being changed. */
async function changed(
  file: FoundFile,
  change: (file: FoundFile) => Promise<FileChange>,
): Promise<Changed> {
  try {
    return await change(file)
  } catch (error) {
    if (error instanceof CapFenceError && error.code === 'CLIENT_FILE') return { file, error }
    throw error
  }
}

/** @throws CapFenceError `USAGE` when a name is neither a client's nor a file's */
function chosenFiles(names: readonly string[], around: Surroundings): readonly FoundFile[] {
  const all = foundFiles(around)
  if (names.length === 0) return all.filter(({ scope }) => scope !== 'system')
  return names.flatMap((name) => {
    if (clients.some(({ id }) => id === name)) return ofClient(name, all)
    const file = existsSync(name) ? namedFile(name, around) : undefined
    if (file?.scope === 'system') {
      throw new CapFenceError('USAGE', `\`${shown(name)}\` is an administrator's`, {
        hint: 'who manages it can put `capfence run` there; the README shows such an entry',
      })
    }
    if (file !== undefined) return [file]
    throw new CapFenceError('USAGE', `\`${shown(name)}\` is no client and no file of one`, {
      hint: `clients are ${clients.map(({ id }) => id).join(', ')}; files end in .json, .jsonc, .toml, .yaml or .yml`,
    })
  })
}

function ofClient(id: string, all: readonly FoundFile[]): readonly FoundFile[] {
  const own = all.filter(({ client, scope }) => client === id && scope !== 'system')
  if (own.length > 0) return own
  throw new CapFenceError('USAGE', `${id} has no file of servers here`, {
    hint: '`capfence init` lists those that were found',
  })
}

/** @throws CapFenceError `USAGE` when a server is named that no file has, `CLIENT_FILE` when that cannot be said */
async function requireServers(files: readonly FoundFile[], { server }: WrapFlags): Promise<void> {
  if (server === undefined) return
  const read = await Promise.all(files.map(readClientFile))
  const known = new Set(read.flatMap(({ entries }) => entries.map(({ name }) => name)))
  const missing = server.find((name) => !known.has(name))
  if (missing === undefined) return
  throw new CapFenceError('USAGE', `no client here has a server \`${shown(missing)}\``)
}

async function report(
  changes: readonly Changed[],
  { json, dryRun }: WrapFlags,
  { io, verb }: Doing,
): Promise<void> {
  if (json === true) {
    const clientsOf = changes.map(changeJson)
    await io.out.write(
      jsonLine({ schemaVersion, type: verb, dryRun: dryRun === true, clients: clientsOf }),
    )
    return
  }
  const lines = changes.flatMap((change) => linesOf(change, io, dryRun === true))
  await io.out.write(lines.map((line) => `${line}\n`).join(''))
  for (const one of changes)
    // oxlint-disable-next-line no-await-in-loop -- in their order
    if ('error' in one) await io.err.write(complaint(io, one.error.message, one.error.hint))
  const isChanged = changes.some((one) => !('error' in one) && one.before !== one.after)
  if (isChanged && dryRun !== true)
    await io.err.write('restart the clients: they read these files when they start\n')
  if (verb === 'wrap' && /[\\/]_npx[\\/]/.test(mainPath)) {
    const what = 'clients now start CapFence from the cache of `npx`, which may be emptied'
    await io.err.write(
      complaint(io, what, 'install it: `npm install --global capfence`, and wrap again'),
    )
  }
}

function changeJson(one: Changed): object {
  const { file } = one
  const servers = 'error' in one ? [] : one.servers
  return {
    client: file.client ?? null,
    file: file.path,
    scope: file.scope,
    error: 'error' in one ? one.error.message : null,
    servers: servers.map(({ name, state, server, why }) => ({
      name,
      state,
      server: server ?? null,
      why: why ?? null,
    })),
  }
}

function linesOf(change: Changed, io: Io, isDry: boolean): readonly string[] {
  if ('error' in change) return []
  const { file, servers, before, after } = change
  const width = Math.max(0, ...servers.map(({ name }) => name.length))
  const heading = `${styled(io.out, 'bold', file.clientName)} ${shown(file.path)}`
  if (servers.length === 0) return [heading, '  no servers']
  return [
    heading,
    ...servers.map(({ name, state, server, why }) => {
      const as = server === undefined || server === name ? '' : ` as ${server}`
      const text = {
        wrapped: isDry ? `would be gated${as}` : `gated${as}`,
        gated: `was gated already${as}`,
        unwrapped: isDry ? 'would start by itself again' : 'starts by itself again',
        raw: 'was not gated',
        skipped: `not changed: ${why ?? ''}`,
      }[state]
      return shown(`  ${name.padEnd(width)}  ${text}`)
    }),
    ...(isDry ? diff(before, after) : []),
  ]
}

/** The lines that differ, old ones first; good enough for changes of a line or two. */
function diff(before: string, after: string): readonly string[] {
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  while (old.length > 0 && fresh.length > 0 && old.at(-1) === fresh.at(-1)) {
    old.pop()
    fresh.pop()
  }
  const lines: string[] = []
  let [at, other] = [0, 0]
  while (at < old.length || other < fresh.length) {
    if (old[at] === fresh[other]) {
      at += 1
      other += 1
      continue
    }
    // Where both texts are the same again, soonest.
    const [gone, come] = nextSame(old.slice(at), fresh.slice(other))
    lines.push(`    @@ line ${at + 1} @@`)
    lines.push(...old.slice(at, at + gone).map((line) => shown(`    - ${line.trimEnd()}`)))
    lines.push(...fresh.slice(other, other + come).map((line) => shown(`    + ${line.trimEnd()}`)))
    at += gone
    other += come
  }
  return lines
}

function nextSame(old: readonly string[], fresh: readonly string[]): readonly [number, number] {
  for (let sum = 1; sum < old.length + fresh.length; sum += 1) {
    for (let gone = 0; gone <= sum; gone += 1) {
      const line = old[gone]
      if (line !== undefined && line === fresh[sum - gone]) return [gone, sum - gone]
    }
  }
  return [old.length, fresh.length]
}
