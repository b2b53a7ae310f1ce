import { existsSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { assert, CapFenceError } from '../errors.ts'
import { isLaunch, restore, rewrite } from './edits.ts'
import type { Launch } from './edits.ts'
import { entriesOf, readTree } from './entries.ts'
import type { Entry } from './entries.ts'
import { gateArguments } from './gate-words.ts'
import type { Journal, WrapRecord } from './journal.ts'
import type { FoundFile } from './locate.ts'
import { readText, replaceFile } from './safe-write.ts'
import { addServers } from './servers-file.ts'
import { applyEdits, UnreadableFile } from './tree.ts'

/** What became of one server of a client, or would. */
export interface ServerChange {
  readonly name: string
  readonly at: readonly string[]
  /** `wrapped` and `unwrapped` were changed, `gated` and `raw` were so before, `skipped` stays as it is. */
  readonly state: 'wrapped' | 'unwrapped' | 'gated' | 'raw' | 'skipped'
  /** Its name in CapFence's configuration. */
  readonly server: string | undefined
  /** Why it was skipped; undefined otherwise. */
  readonly why: string | undefined
}

/** What became of a file. */
export interface FileChange {
  readonly file: FoundFile
  readonly servers: readonly ServerChange[]
  readonly before: string
  readonly after: string
}

/** How CapFence is started in a server's place. */
export type GateLaunch = (server: string) => Launch

/** What wrapping needs. */
export interface WrapOptions {
  /** CapFence's configuration, absolute; it must be there. */
  readonly config: string
  readonly gate: GateLaunch
  readonly journal: Journal
  /** Only these servers; all when undefined. */
  readonly only: ReadonlySet<string> | undefined
  readonly isDry: boolean
  /** RFC 3339. */
  readonly time: string
}

/** A file's servers, as they are. */
export interface ReadFile {
  readonly text: string
  readonly bytes: Buffer
  readonly entries: readonly Entry[]
}

/**
 * Reads a client's file.
 *
 * @throws CapFenceError `CLIENT_FILE` when it cannot be read without doubt
 */
export async function readClientFile(file: FoundFile): Promise<ReadFile> {
  const { text, bytes } = readText(file.path)
  if (text.trim() === '') return { text, bytes, entries: [] }
  return { text, bytes, entries: await entriesIn(file, text) }
}

async function entriesIn(file: FoundFile, text: string): Promise<readonly Entry[]> {
  try {
    return entriesOf(await readTree(file.format, text), file)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    throw new CapFenceError('CLIENT_FILE', `\`${file.path}\`: ${error.message}`, { cause: error })
  }
}

/**
 * The server that an entry starts CapFence for, empty for all of its configuration; undefined when it starts something else.
 *
 * A program that only looks like it must not be taken for it: its servers would be said to be gated.
 */
export function gatedServer({ launch }: Entry): string | undefined {
  if (launch === undefined) return undefined
  const args = gateArguments([launch.command, ...launch.args])
  if (args === undefined) return undefined
  const at = args.findIndex((word) => /^--server(?:=|$)/.test(word))
  const option = args[at] ?? ''
  if (at === -1) return ''
  return option.includes('=') ? option.slice(option.indexOf('=') + 1) : (args[at + 1] ?? '')
}

/**
 * Puts CapFence before the servers of a client's file: first into CapFence's configuration, then into the journal, then into the
 * file, so that a crash in between leaves the client as it was.
 *
 * @throws CapFenceError `CLIENT_FILE`, `CONFIG_INVALID`; nothing is changed in the client's file then
 */
export async function wrapFile(file: FoundFile, options: WrapOptions): Promise<FileChange> {
  const { text, bytes, entries } = await readClientFile(file)
  const chosen = entries.filter(({ name }) => options.only === undefined || options.only.has(name))
  const plans = chosen.map((entry) => planOf(entry, file))
  const wanted = plans.flatMap(({ entry, target }) =>
    entry.launch === undefined || target === undefined
      ? []
      : [{ entry, target, before: launchIn(entry.launch) }],
  )
  const config = readText(options.config)
  const added = addServers(
    options.config,
    config.text,
    wanted.map(({ entry, target }) => ({
      name: entry.name,
      owner: file.client ?? 'file',
      launch: target,
    })),
  )
  const rewrites = wanted.map(({ entry, before }, index) => {
    const server = added.names[index] ?? entry.name
    const after = options.gate(server)
    return { entry, server, before, after, rewritten: rewrite(text, entry, after) }
  })
  const possible = rewrites.flatMap((one) =>
    one.rewritten === undefined ? [] : [{ ...one, rewritten: one.rewritten }],
  )
  const after = applyEdits(
    text,
    possible.flatMap(({ rewritten }) => rewritten.edits),
  )
  await requireLaunches(file, after, possible)
  if (!options.isDry && possible.length > 0) {
    if (added.text !== config.text) replaceFile(options.config, added.text, config.bytes)
    options.journal.wrap(
      possible.map(({ entry, server, before, after: launch, rewritten }) => ({
        time: options.time,
        file: realpathSync(file.path),
        at: entry.at,
        server,
        config: options.config,
        before,
        after: launch,
        changes: rewritten.changes,
      })),
    )
    replaceFile(file.path, after, bytes)
  }
  const done = new Map(possible.map(({ entry, server }) => [entry, server]))
  return {
    file,
    before: text,
    after,
    servers: plans.map((plan) => changeOf(plan, done.get(plan.entry))),
  }
}

function launchIn({ command, args }: Launch): Launch {
  return { command, args }
}

interface Plan {
  readonly entry: Entry
  /** How CapFence starts it; undefined when it is not to be changed. */
  readonly target: Launch | undefined
  readonly gated: string | undefined
  readonly why: string | undefined
}

function planOf(entry: Entry, file: FoundFile): Plan {
  const gated = gatedServer(entry)
  const { launch, obstacle } = entry
  if (gated !== undefined) return { entry, target: undefined, gated, why: undefined }
  if (launch === undefined || obstacle !== undefined) {
    return { entry, target: undefined, gated, why: obstacle }
  }
  const command = commandOf(launch.command, file)
  return command === undefined
    ? {
        entry,
        target: undefined,
        gated,
        why: `where \`${launch.command}\` is depends on the client`,
      }
    : { entry, target: { command, args: launch.args }, gated, why: undefined }
}

/** In CapFence's configuration a path is relative to that. */
function commandOf(command: string, file: FoundFile): string | undefined {
  const isPath = /[\\/]/.test(command)
  if (!isPath || isAbsolute(command) || /^[A-Za-z]:[\\/]/.test(command)) return command
  if (file.scope !== 'project') return undefined
  const path = resolve(projectOf(file.path), command)
  return existsSync(path) ? path : undefined
}

/** Files of projects stand in the project, or in a folder of the client's in it. */
function projectOf(path: string): string {
  const folder = dirname(path)
  return /[\\/]\.[^\\/]+$/.test(folder) ? dirname(folder) : folder
}

function changeOf({ entry, gated, why }: Plan, server: string | undefined): ServerChange {
  const { name, at } = entry
  if (server !== undefined) return { name, at, state: 'wrapped', server, why: undefined }
  if (gated !== undefined) return { name, at, state: 'gated', server: gated, why: undefined }
  const unclear = 'it is written in a way that cannot be changed in one place'
  return { name, at, state: 'skipped', server: undefined, why: why ?? unclear }
}

/** What is about to be written means what it is meant to: read again before anybody else does. */
async function requireLaunches(
  file: FoundFile,
  text: string,
  rewrites: readonly { readonly entry: Entry; readonly after: Launch }[],
): Promise<void> {
  if (rewrites.length === 0) return
  const entries = await entriesIn(file, text)
  for (const { entry, after } of rewrites) {
    const now = entries.find((one) => sameWay(one.at, entry.at))?.launch
    assert(now !== undefined && isLaunch(now, after), `\`${entry.name}\` reads as it was written`)
  }
}

function sameWay(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index])
}

/** What unwrapping needs. */
export type UnwrapOptions = Pick<WrapOptions, 'journal' | 'only' | 'isDry' | 'time'>

/**
 * Gives a client's file its own servers back; what was changed in it meanwhile stays.
 *
 * @throws CapFenceError `CLIENT_FILE`; nothing is changed then
 */
export async function unwrapFile(file: FoundFile, options: UnwrapOptions): Promise<FileChange> {
  const { text, bytes, entries } = await readClientFile(file)
  const real = realpathSync(file.path)
  const records = options.journal.wrapped().filter((record) => record.file === real)
  const chosen = entries.filter(({ name }) => options.only === undefined || options.only.has(name))
  const plans = chosen.map((entry) => {
    const record = records.find(({ at }) => sameWay(at, entry.at))
    const edits =
      record && restore(text, entry, record.changes, { before: record.before, after: record.after })
    return { entry, record, edits, gated: gatedServer(entry) }
  })
  const possible = plans.flatMap(({ entry, record, edits }) =>
    record === undefined || edits === undefined ? [] : [{ entry, record, edits }],
  )
  const after = applyEdits(
    text,
    possible.flatMap(({ edits }) => edits),
  )
  await requireLaunches(
    file,
    after,
    possible.map(({ entry, record }) => ({ entry, after: record.before })),
  )
  if (!options.isDry && possible.length > 0) {
    replaceFile(file.path, after, bytes)
    options.journal.unwrap(
      possible.map(({ record }) => record),
      options.time,
    )
  }
  const done = new Set(possible.map(({ entry }) => entry))
  return {
    file,
    before: text,
    after,
    servers: plans.map(({ entry, gated, record }) => ({
      name: entry.name,
      at: entry.at,
      server: gated,
      ...(done.has(entry)
        ? { state: 'unwrapped' as const, why: undefined }
        : gated === undefined
          ? { state: 'raw' as const, why: undefined }
          : { state: 'skipped' as const, why: whyNot(record) }),
    })),
  }
}

function whyNot(record: WrapRecord | undefined): string {
  return record === undefined
    ? 'CapFence does not know what stood there before: somebody else has wrapped it'
    : 'it was changed since: put `command` and `args` back by hand'
}
