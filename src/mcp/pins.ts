import type { Definition } from './definition.ts'
import type { Launch, Lock, LockedServer } from './lock-file.ts'

/** What can be pinned. */
export type PinnedKind = 'tool' | 'prompt' | 'resource template' | 'instructions'

/** A definition as a server gives it now. */
export interface SeenDefinition {
  readonly server: string
  readonly kind: PinnedKind
  /** Empty for instructions. */
  readonly name: string
  /** Hex SHA-256 of the canonical definition. */
  readonly sha256: string
}

/** Which definitions somebody has accepted (THREATS B11). */
export interface Pins {
  /** False where there is no lock: then nothing is held. */
  readonly isActive: boolean
  /** Whether what is held is kept from the client, and not only said. */
  readonly isEnforced: boolean
  /** How old a list of the server may be that is not asked for again, milliseconds. */
  readonly relistMs: number
  /** Why a definition must not be used; undefined when it is the accepted one. */
  heldBecause(seen: SeenDefinition): string | undefined
  /** Calls `listener` whenever the lock has changed; returns how to end that. */
  onChange(listener: () => void): () => void
}

/** Where nothing is pinned. */
export const noPins: Pins = {
  isActive: false,
  isEnforced: false,
  relistMs: 0,
  heldBecause: () => undefined,
  onChange: () => () => undefined,
}

/** The digests of a lock, by what they are of. */
export class PinnedDefinitions {
  readonly #servers: ReadonlyMap<string, PinnedServer>

  /** @param launches how servers are started or reached here, by name */
  constructor(lock: Lock, launches: ReadonlyMap<string, Launch>) {
    this.#servers = new Map(
      lock.servers.map((server) => [
        server.name,
        new PinnedServer(server, launches.get(server.name)),
      ]),
    )
  }

  /** Why nothing of a server may be used; undefined when the lock is of this server. */
  serverHeldBecause(server: string): string | undefined {
    const pinned = this.#servers.get(server)
    if (pinned === undefined) return 'its server is not in the lock'
    return pinned.isOfThisLaunch
      ? undefined
      : 'the lock is for another launch command of its server'
  }

  heldBecause({ server, kind, name, sha256 }: SeenDefinition): string | undefined {
    const because = this.serverHeldBecause(server)
    if (because !== undefined) return because
    const accepted = this.#servers.get(server)?.digestOf(kind, name)
    if (accepted === undefined) return 'nobody has accepted it yet'
    return accepted === sha256 ? undefined : 'it changed since it was accepted'
  }
}

/** One server of a lock. */
class PinnedServer {
  readonly isOfThisLaunch: boolean
  readonly #digests: ReadonlyMap<PinnedKind, ReadonlyMap<string, string>>

  constructor(server: LockedServer, launch: Launch | undefined) {
    this.isOfThisLaunch = launch !== undefined && isSameLaunch(server.launch, launch)
    const { instructions, tools, prompts, resourceTemplates } = server
    this.#digests = new Map([
      ['tool', digestsOf(tools)],
      ['prompt', digestsOf(prompts)],
      ['resource template', digestsOf(resourceTemplates)],
      ['instructions', digestsOf(instructions === undefined ? [] : [instructions])],
    ])
  }

  digestOf(kind: PinnedKind, name: string): string | undefined {
    return this.#digests.get(kind)?.get(name)
  }
}

function digestsOf(definitions: readonly Definition[]): ReadonlyMap<string, string> {
  return new Map(definitions.map(({ name, sha256 }) => [name, sha256]))
}

/** Whether two servers are started or reached in the same way. */
export function isSameLaunch(one: Launch, other: Launch): boolean {
  return launchKey(one) === launchKey(other)
}

function launchKey(launch: Launch): string {
  return launch.kind === 'stdio'
    ? JSON.stringify(['stdio', launch.command, launch.args, launch.cwd, launch.env])
    : JSON.stringify(['http', launch.url, launch.headers])
}
