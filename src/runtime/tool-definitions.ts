import { toolDefRecord } from '../audit/drafts.ts'
import type { ToolDefFacts } from '../audit/drafts.ts'
import { limits } from '../limits.ts'
import type { Effects, Store, StoreView } from './store.ts'

/** The tools of one server as a client was just shown them. */
export interface ToolListing {
  readonly server: string
  /** Whether these are all of its tools: then those that are not among them are gone. */
  readonly isComplete: boolean
  /** The tools of every page so far. */
  names(): readonly string[]
  /** Hex SHA-256 of the canonical definition; undefined when another listing has begun since. */
  hashOf(tool: string): string | undefined
}

/** What a log of tool definitions needs. */
export interface ToolDefinitionParts {
  readonly store: Pick<Store, 'commit'>
  /** Milliseconds, never going back. */
  readonly now: () => number
  readonly onFailure: (error: unknown) => void
}

/** Tools that one transaction looks up, and tools that are hashed before others get their turn. */
const chunkSize = 100
const hourMs = 3_600_000

/**
 * Records the definition of a tool when it is first seen, when it has changed and when it is gone, behind the list that
 * showed it: neither the list nor a call waits for this.
 *
 * A server gets at most `limits.maxToolRecordsPerHour` of these records; the rest are counted in the next one, and
 * recorded when they are listed again in a better hour.
 */
export class ToolDefinitionLog {
  readonly #parts: ToolDefinitionParts
  /** At most one for each server: what is listed later says more. */
  readonly #waiting = new Map<string, ToolListing>()
  readonly #servers = new Map<string, ServerTools>()
  #running: Promise<void> | undefined

  constructor(parts: ToolDefinitionParts) {
    this.#parts = parts
  }

  /** Takes in a listing; never throws, for nothing is held back until it is recorded. */
  note(listing: ToolListing): void {
    this.#waiting.set(listing.server, listing)
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Resolves when everything noted so far is recorded, or was refused. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    for (;;) {
      // The list itself is written first.
      // oxlint-disable-next-line no-await-in-loop -- one listing after the other
      await nextTurn()
      const [listing] = this.#waiting.values()
      if (listing === undefined) return
      this.#waiting.delete(listing.server)
      try {
        // oxlint-disable-next-line no-await-in-loop -- one listing after the other
        await this.#serverOf(listing.server).record(listing)
      } catch (error) {
        // Without this record the next listing tries again.
        this.#servers.delete(listing.server)
        this.#parts.onFailure(error)
      }
    }
  }

  #serverOf(server: string): ServerTools {
    let tools = this.#servers.get(server)
    if (tools === undefined) {
      tools = new ServerTools(server, this.#parts)
      this.#servers.set(server, tools)
    }
    return tools
  }
}

/** What is known to be recorded of one server. */
class ServerTools {
  readonly #server: string
  readonly #parts: ToolDefinitionParts
  /** Hashes that the log has, of the tools of the last listing. */
  #known: ReadonlyMap<string, string> = new Map()
  #wasComplete = false
  #hourSinceMs = -Infinity
  #left = 0
  #omitted = 0

  constructor(server: string, parts: ToolDefinitionParts) {
    this.#server = server
    this.#parts = parts
  }

  async record(listing: ToolListing): Promise<void> {
    const names = listing.names().filter(isRecordable)
    const known = new Map<string, string>()
    for (let at = 0; at < names.length; at += chunkSize) {
      // oxlint-disable-next-line no-await-in-loop -- chunk by chunk, so that calls get their turn
      await nextTurn()
      const tools = this.#hashed(listing, names.slice(at, at + chunkSize))
      if (tools === undefined) return
      // oxlint-disable-next-line no-await-in-loop -- chunk by chunk
      await this.#recordChunk(tools, known)
    }
    if (listing.isComplete && !this.#holdsAll(known)) await this.#recordRemoved(new Set(names))
    this.#known = known
    this.#wasComplete = listing.isComplete
  }

  #hashed(listing: ToolListing, names: readonly string[]): readonly ToolHash[] | undefined {
    const tools: ToolHash[] = []
    for (const tool of names) {
      const sha256 = listing.hashOf(tool)
      if (sha256 === undefined) return undefined
      tools.push({ tool, sha256 })
    }
    return tools
  }

  /** Puts the tools that the log has now into `known`. */
  async #recordChunk(tools: readonly ToolHash[], known: Map<string, string>): Promise<void> {
    const other = tools.filter(({ tool, sha256 }) => this.#known.get(tool) !== sha256)
    const omitted = other.length === 0 ? new Set() : await this.#commitListed(other)
    for (const { tool, sha256 } of tools) if (!omitted.has(tool)) known.set(tool, sha256)
  }

  /** Whether the last listing was complete too and had no tool that is missing now. */
  #holdsAll(known: ReadonlyMap<string, string>): boolean {
    return this.#wasComplete && Array.from(this.#known.keys()).every((tool) => known.has(tool))
  }

  /** @returns the tools that found no room */
  #commitListed(tools: readonly ToolHash[]): Promise<ReadonlySet<string>> {
    return this.#commit((view) => ({
      changes: tools.flatMap((tool) => changeOf(view, this.#server, tool)),
      result: (omitted) => new Set(omitted.map(({ tool }) => tool)),
    }))
  }

  async #recordRemoved(names: ReadonlySet<string>): Promise<void> {
    let after: string | undefined = ''
    while (after !== undefined) {
      const from: string = after
      // oxlint-disable-next-line no-await-in-loop -- chunk by chunk
      after = await this.#commit((view) => {
        const listed = view.recorded.listedTools(this.#server, from, chunkSize)
        return {
          changes: listed
            .filter(({ tool }) => !names.has(tool))
            .map(({ tool, sha256 }) => removed(tool, sha256)),
          result: () => (listed.length < chunkSize ? undefined : listed.at(-1)?.tool),
        }
      })
    }
  }

  /** Stores as many of the changes as there is room for this hour, and counts the others. */
  async #commit<T>(find: (view: StoreView) => Found<T>): Promise<T> {
    const room = this.#room()
    const before = this.#omitted
    const { written, omitted, result } = await this.#parts.store.commit((view) => {
      const { changes, result: resultOf } = find(view)
      const chosen = changes.slice(0, room)
      const rest = changes.slice(room)
      const records = chosen.map((change, at) =>
        toolDefRecord({ ...change, server: this.#server, omitted: at === 0 ? before : 0 }),
      )
      const stored = { written: chosen.length, omitted: rest.length, result: resultOf(rest) }
      return { records, result: stored } satisfies Effects<unknown>
    }, 'lazy')
    this.#left -= written
    this.#omitted = (written === 0 ? before : 0) + omitted
    return result
  }

  #room(): number {
    const now = this.#parts.now()
    if (now - this.#hourSinceMs >= hourMs) {
      this.#hourSinceMs = now
      this.#left = limits.maxToolRecordsPerHour
    }
    return this.#left
  }
}

interface ToolHash {
  readonly tool: string
  readonly sha256: string
}

type Change = Omit<ToolDefFacts, 'server' | 'omitted'>

interface Found<T> {
  readonly changes: readonly Change[]
  /** What the caller wants to know, given the changes that found no room. */
  readonly result: (omitted: readonly Change[]) => T
}

/** One change, or none when the log says so already. */
function changeOf({ recorded }: StoreView, server: string, listed: ToolHash): readonly Change[] {
  const before = recorded.toolDefinition(server, listed.tool)
  if (before === undefined) return [{ ...listed, change: 'first_seen', previous: null }]
  if (before.isListed && before.sha256 === listed.sha256) return []
  // A tool that was gone and is back may be another one.
  return [{ ...listed, change: 'changed', previous: before.sha256 }]
}

function removed(tool: string, previous: string): Change {
  return { tool, change: 'removed', sha256: null, previous }
}

/** A tool with any other name cannot be called, and its name may not stand in a record. */
function isRecordable(tool: string): boolean {
  return tool.length <= limits.maxNameCharacters && !/\p{Cs}/u.test(tool)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
