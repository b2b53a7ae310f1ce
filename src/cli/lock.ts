import { isAbsolute, relative } from 'node:path'
import type { Config } from '../config/config.ts'
import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import { didYouMean } from '../config/problems.ts'
import { serversToStart } from '../config/start.ts'
import { CapFenceError } from '../errors.ts'
import { labelOf, launchChange, serverChanges } from '../mcp/lock-diff.ts'
import type { LockChange } from '../mcp/lock-diff.ts'
import { lockedLists, parseLock } from '../mcp/lock-file.ts'
import type { Launch, Lock, LockedServer } from '../mcp/lock-file.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { launchesOf } from './launches.ts'
import { readLockBytes } from './live-lock.ts'
import { changesJson, changesText, hiddenText, lockSummary } from './lock-text.ts'
import { lockedServer } from './locked-server.ts'
import { complaint } from './report-error.ts'
import { say } from './say.ts'
import { counted, shown } from './shown.ts'
import { writeLock } from './write-lock.ts'

/** What `capfence lock` and its commands take, as it was typed. */
export interface LockFlags {
  readonly config?: string | undefined
  readonly timeout?: string | undefined
  readonly json?: boolean | undefined
  readonly sha256?: string | undefined
}

/** `capfence lock`: writes the first lock; says what has changed where there is one. */
export async function lockServers(flags: LockFlags, io: Io): Promise<ExitCode> {
  const place = new LockPlace(flags)
  if (place.lock !== undefined) return lockDiff(flags, io)
  const servers = await place.readAll()
  const lock = { servers: sorted(servers) }
  place.write(lock)
  const changes = servers.flatMap((server) => serverChanges(undefined, server))
  if (flags.json === true) await io.out.write(changesJson('lock', place.file, changes, true))
  else {
    await io.out.write(`${lockSummary(lock)}${shown(place.file)} is written\n`)
    const hidden = hiddenText(changes, io.err)
    if (hidden !== '') {
      const warning =
        'these hold characters that cannot be seen, or that look like others; look at them before you keep the lock:'
      await io.err.write(complaint(io, warning) + hidden)
    }
  }
  return exitCodes.yes
}

/** `capfence lock diff`: says what is not as it was accepted. */
export async function lockDiff(flags: LockFlags, io: Io): Promise<ExitCode> {
  const place = new LockPlace(flags)
  place.requireLock()
  const changes: LockChange[] = [...place.strayServers()]
  let unstarted = 0
  for (const name of place.names) {
    const launch = place.launchChange(name)
    if (launch.length > 0) {
      // What nobody has accepted is not started to be looked at.
      unstarted += 1
      changes.push(...launch)
      continue
    }
    // oxlint-disable-next-line no-await-in-loop -- one server after the other, so that their messages are not mixed
    changes.push(...serverChanges(place.accepted(name), await place.read(name)))
  }
  if (flags.json === true) {
    await io.out.write(changesJson('lock_diff', place.file, changes, false))
  } else {
    await io.out.write(changesText(changes, io.out))
    await io.out.write(`${shown(place.file)}: ${countedChanges(changes)}\n`)
    if (unstarted > 0) {
      await io.err.write(
        complaint(
          io,
          `${counted(unstarted, 'server')} not started: nobody has accepted the command`,
        ),
      )
    }
    if (changes.length > 0) {
      await io.err.write(
        complaint(
          io,
          'what changed is held',
          'accept it with `capfence lock accept SERVER/TOOL`, or a server at once: `capfence lock accept SERVER`',
        ),
      )
    }
  }
  return changes.length === 0 ? exitCodes.yes : exitCodes.no
}

/**
 * `capfence lock accept`: takes what servers say now into the lock.
 *
 * @param target a server, a server and one of its definitions, or everything when undefined
 */
export async function lockAccept(
  target: string | undefined,
  flags: LockFlags,
  io: Io,
): Promise<ExitCode> {
  const place = new LockPlace(flags)
  place.requireLock()
  const { changes, servers } = await accepted(place, target, flags.sha256)
  if (changes.length > 0) place.write({ servers: sorted(servers) })
  if (flags.json === true) {
    await io.out.write(changesJson('lock_accept', place.file, changes, changes.length > 0))
  } else {
    await io.out.write(changesText(changes, io.out))
    const end = changes.length === 0 ? 'nothing to accept' : `${countedChanges(changes)} accepted`
    await io.out.write(`${shown(place.file)}: ${end}\n`)
  }
  return exitCodes.yes
}

interface Accepted {
  readonly changes: readonly LockChange[]
  /** Everything that is accepted then. */
  readonly servers: readonly LockedServer[]
}

async function accepted(
  place: LockPlace,
  target: string | undefined,
  sha256: string | undefined,
): Promise<Accepted> {
  if (target === undefined) {
    refuseDigest(sha256)
    const read = await place.readAll()
    const changes = read.flatMap((server) => serverChanges(place.accepted(server.name), server))
    const servers = [...read, ...place.switchedOff()]
    return { changes: [...place.strayServers(), ...changes], servers }
  }
  const { server, label } = place.targetOf(target)
  const others = place.acceptedServers.filter(({ name }) => name !== server)
  if (label === undefined) {
    refuseDigest(sha256)
    const stray = place.strayServers().filter((change) => change.server === server)
    if (stray.length > 0) return { changes: stray, servers: others }
    const read = await place.read(server)
    return { changes: serverChanges(place.accepted(server), read), servers: [...others, read] }
  }
  const before = place.accepted(server)
  if (before === undefined) {
    throw new CapFenceError('USAGE', `nothing of the server \`${shown(server)}\` is accepted yet`, {
      hint: `accept it first: \`capfence lock accept ${shown(server)}\``,
    })
  }
  const launch = place.launchChange(server)
  if (label === 'launch:') {
    const servers = [...others, { ...before, launch: place.launch(server) }]
    return { changes: launch, servers }
  }
  if (launch.length > 0) {
    throw new CapFenceError(
      'LOCK_MISMATCH',
      `the server \`${shown(server)}\` is not started: its launch command is another than the accepted one`,
      {
        hint: `look at it with \`capfence lock diff\`; accept it with \`capfence lock accept ${shown(server)}/launch:\``,
      },
    )
  }
  const now = await place.read(server)
  const change = chosen(serverChanges(before, now), server, label, sha256)
  return { changes: [change], servers: [...others, withChange(before, now, change)] }
}

function refuseDigest(sha256: string | undefined): void {
  if (sha256 === undefined) return
  throw new CapFenceError('USAGE', '`--sha256` is for one definition', {
    hint: 'name it: `capfence lock accept SERVER/TOOL --sha256 DIGEST`',
  })
}

/** The one change that is accepted, which must be the one that was looked at, if its digest was given. */
function chosen(
  changes: readonly LockChange[],
  server: string,
  label: string,
  sha256: string | undefined,
): LockChange {
  const [change, other] = changes.filter((one) => labelOf(one) === label)
  if (change === undefined) {
    const labels = changes.map((one) => labelOf(one))
    const near = didYouMean(label, labels)
    throw new CapFenceError('USAGE', `nothing changed at \`${shown(`${server}/${label}`)}\``, {
      hint: near ?? '`capfence lock diff` says what has, and how it is named',
    })
  }
  if (other !== undefined) {
    throw new CapFenceError('USAGE', `\`${shown(`${server}/${label}`)}\` names two things`, {
      hint: `accept the server as a whole: \`capfence lock accept ${shown(server)}\``,
    })
  }
  if (sha256 !== undefined && !/^[0-9a-f]{12,64}$/.test(sha256)) {
    throw new CapFenceError('USAGE', '`--sha256` is no digest of at least 12 hex digits')
  }
  if (sha256 !== undefined && change.after?.startsWith(sha256) !== true) {
    throw new CapFenceError(
      'LOCK_MISMATCH',
      `\`${shown(`${server}/${label}`)}\` is ${change.after ?? 'gone'} by now, and not ${sha256}`,
      { hint: 'it changed again since you looked: `capfence lock diff`' },
    )
  }
  return change
}

/** The accepted server with one definition as it is now. */
function withChange(
  before: LockedServer,
  now: LockedServer,
  { kind, name }: LockChange,
): LockedServer {
  if (kind === 'instructions') return { ...before, instructions: now.instructions }
  const list = lockedLists.find(
    (one) =>
      one ===
      { tool: 'tools', prompt: 'prompts', 'resource template': 'resourceTemplates', launch: '' }[
        kind
      ],
  )
  if (list === undefined) throw new Error('bug: a launch has no list')
  const others = before[list].filter((one) => one.name !== name)
  const fresh = now[list].filter((one) => one.name === name)
  return { ...before, [list]: sorted([...others, ...fresh]) }
}

function countedChanges(changes: readonly LockChange[]): string {
  return changes.length === 0 ? 'nothing changed' : counted(changes.length, 'change')
}

function sorted<T extends { readonly name: string }>(named: readonly T[]): readonly T[] {
  return named.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** A configuration, its servers, and what was accepted of them. */
class LockPlace {
  readonly file: string
  readonly lock: Lock | undefined
  readonly #config: Config
  readonly #bytes: Uint8Array | undefined
  readonly #timeoutMs: number
  readonly #launches: ReadonlyMap<string, Launch>

  /** @throws CapFenceError `CONFIG_INVALID`, `CONFIG_NOT_FOUND`, `LOCK_INVALID`, `USAGE` */
  constructor(flags: LockFlags) {
    this.#timeoutMs = timeoutMsOf(flags.timeout)
    this.#config = readConfigFile(flags.config ?? defaultConfigPath)
    this.file = nearby(this.#config.lock.file)
    this.#bytes = readLockBytes(this.file)
    this.lock = this.#bytes && parseLock(this.#bytes, this.file)
    this.#launches = launchesOf(this.#config)
  }

  /** The servers of the configuration, in its order. */
  get names(): readonly string[] {
    return this.#config.servers.map(({ name }) => name)
  }

  get acceptedServers(): readonly LockedServer[] {
    return this.lock?.servers ?? []
  }

  /** @throws CapFenceError `LOCK_INVALID` where nothing was ever accepted */
  requireLock(): void {
    if (this.lock !== undefined) return
    throw new CapFenceError('LOCK_INVALID', `there is no lock \`${this.file}\``, {
      hint: 'the first one is written by `capfence lock`',
    })
  }

  accepted(server: string): LockedServer | undefined {
    return this.acceptedServers.find(({ name }) => name === server)
  }

  launch(server: string): Launch {
    const launch = this.#launches.get(server)
    if (launch === undefined) throw this.#unknown(server)
    return launch
  }

  launchChange(server: string): readonly LockChange[] {
    return launchChange(server, this.accepted(server)?.launch, this.launch(server))
  }

  /** Servers of the lock that the configuration does not have any more. */
  strayServers(): readonly LockChange[] {
    const known = [...this.names, ...this.#config.disabledServers]
    return this.acceptedServers
      .filter(({ name }) => !known.includes(name))
      .flatMap(({ name, launch }) => launchChange(name, launch, undefined))
  }

  /** Servers of the lock that the configuration has switched off; they stay as they are. */
  switchedOff(): readonly LockedServer[] {
    return this.acceptedServers.filter(({ name }) => this.#config.disabledServers.includes(name))
  }

  async readAll(): Promise<readonly LockedServer[]> {
    const read: LockedServer[] = []
    // oxlint-disable-next-line no-await-in-loop -- one server after the other, so that their messages are not mixed
    for (const name of this.names) read.push(await this.read(name))
    return read
  }

  /** Starts a server, and reads what it says now. */
  async read(server: string): Promise<LockedServer> {
    const launch = this.launch(server)
    const options = { only: server, variables: process.env }
    const [startable] = serversToStart(this.#config, options)
    if (startable === undefined) throw this.#unknown(server)
    return lockedServer(startable, launch, {
      variables: process.env,
      timeoutMs: this.#timeoutMs,
      maxMessageBytes: this.#config.limits.maxUpstreamMessageBytes,
      log: say,
    })
  }

  /** What `SERVER` or `SERVER/DEFINITION` names; a name with slashes in it is the longest that there is. */
  targetOf(target: string): { readonly server: string; readonly label: string | undefined } {
    const names = [...this.names, ...this.acceptedServers.map(({ name }) => name)]
    const server = names
      .filter((name) => target === name || target.startsWith(`${name}/`))
      .toSorted((a, b) => b.length - a.length)[0]
    if (server === undefined) throw this.#unknown(target.split('/')[0] ?? '')
    return { server, label: target === server ? undefined : target.slice(server.length + 1) }
  }

  /** @throws CapFenceError `LOCK_INVALID` when somebody else has written it meanwhile, or it cannot be written */
  write(lock: Lock): void {
    writeLock(this.file, lock, this.#bytes)
  }

  #unknown(server: string): CapFenceError {
    const { file } = this.#config
    return new CapFenceError('USAGE', `there is no server \`${shown(server)}\` in ${file}`, {
      hint: didYouMean(server, this.names) ?? `it has: ${this.names.join(', ')}`,
    })
  }
}

/** A path as it would be typed here. */
function nearby(path: string): string {
  const inside = relative(process.cwd(), path)
  return inside.startsWith('..') || isAbsolute(inside) ? path : inside
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
