import { hasInvisible, isAscii, skeleton } from './confusables.ts'
import { noPins } from './pins.ts'
import type { Pins } from './pins.ts'
import { exposedName, mayBeShortened } from './tool-names.ts'

/** What a server may say about a tool's effects; hints, which only ever raise risk. */
export interface ToolAnnotations {
  readonly readOnlyHint?: boolean
  readonly destructiveHint?: boolean
}

/** A tool as a server listed it. */
export interface ListedTool {
  readonly name: string
  readonly annotations: ToolAnnotations
  /** The definition's own bytes. */
  readonly bytes: Uint8Array
}

/** What the gate knows of a tool whose definition it has seen. */
export interface ToolDefinition {
  /** Hex SHA-256 of the canonical definition. */
  readonly hash: string
  readonly annotations: ToolAnnotations
}

/** Whether a tool may be shown and called, and under which name. */
export type Admission =
  | { readonly kind: 'admitted'; readonly exposed: string }
  | { readonly kind: 'withheld'; readonly reason: string }
  /** Its definition is not the accepted one; where that is only said, it is shown under `exposed`. */
  | { readonly kind: 'held'; readonly exposed: string; readonly reason: string }

/** Which tool a name means; `held` says why its definition is not the accepted one. */
export type Resolution =
  | {
      readonly kind: 'tool'
      readonly server: string
      readonly tool: string
      readonly held?: string | undefined
    }
  | { readonly kind: 'withheld'; readonly reason: string }
  | { readonly kind: 'unknown' }

/** A server whose tools are catalogued. */
export interface CatalogueServer {
  readonly name: string
  /** Empty when the server's names are passed on unchanged. */
  readonly prefix: string
}

/** What a catalogue needs from outside. */
export interface CatalogueOptions {
  readonly servers: readonly CatalogueServer[]
  /** How long an exposed name may be, characters. */
  readonly nameBudget: number
  /** Hex SHA-256 of a text. */
  readonly hash: (text: string) => string
  /** Hex SHA-256 of the canonical form of a definition, a JSON text. */
  readonly hashDefinition: (bytes: Uint8Array) => string
  /** Which definitions somebody has accepted; nothing is pinned when left out. */
  readonly pins?: Pins | undefined
}

interface Shelf {
  readonly server: CatalogueServer
  readonly tools: Map<string, ListedTool>
  readonly withheld: Map<string, string>
  /** The name that claimed a look; others with the same look are withheld. */
  readonly looks: Map<string, string>
  readonly hashes: Map<string, string>
}

/**
 * The tools of all servers by what they are, (server, name), and by the name the client sees (THREATS B10).
 *
 * A name that looks like another, or that holds characters nobody can see, is neither shown nor called.
 */
export class ToolCatalogue {
  readonly #shelves: ReadonlyMap<string, Shelf>
  readonly #exposed = new Map<string, { readonly server: string; readonly tool: string }>()
  readonly #options: CatalogueOptions
  readonly #pins: Pins

  constructor(options: CatalogueOptions) {
    this.#options = options
    this.#pins = options.pins ?? noPins
    this.#shelves = new Map(options.servers.map((server) => [server.name, emptyShelf(server)]))
  }

  /**
   * Takes in one page of a server's list; `isFirstPage` forgets what was listed before.
   *
   * @returns one admission for each tool, in order
   */
  learn(
    serverName: string,
    tools: readonly ListedTool[],
    isFirstPage: boolean,
  ): readonly Admission[] {
    const shelf = this.#shelves.get(serverName)
    if (shelf === undefined)
      return tools.map(() => ({ kind: 'withheld', reason: 'unknown server' }))
    if (isFirstPage) clearShelf(shelf)
    // A name in plain ASCII claims its look before any that imitates it, wherever they stand in the page.
    for (const { name } of tools) {
      const look = skeleton(name)
      if (isAscii(name) && !shelf.looks.has(look)) shelf.looks.set(look, name)
    }
    return tools.map((tool) => this.#admit(shelf, tool))
  }

  resolve(name: string): Resolution {
    const known = this.#exposed.get(name)
    if (known !== undefined) return this.#pinned(known.server, known.tool)
    for (const shelf of this.#shelves.values()) {
      const resolution = this.#resolveUnlisted(shelf, name)
      if (resolution !== undefined) return resolution
    }
    return { kind: 'unknown' }
  }

  /** The names of a server's tools that were listed and are admitted, or held until somebody accepts them. */
  listed(serverName: string): readonly string[] {
    return [...(this.#shelves.get(serverName)?.tools.keys() ?? [])]
  }

  definition(serverName: string, toolName: string): ToolDefinition | undefined {
    const shelf = this.#shelves.get(serverName)
    const tool = shelf?.tools.get(toolName)
    if (shelf === undefined || tool === undefined) return undefined
    let hash = shelf.hashes.get(toolName)
    if (hash === undefined) {
      hash = this.#options.hashDefinition(tool.bytes)
      shelf.hashes.set(toolName, hash)
    }
    return { hash, annotations: tool.annotations }
  }

  #admit(shelf: Shelf, tool: ListedTool): Admission {
    const reason = whyWithheld(shelf, tool.name)
    if (reason !== undefined) {
      if (!shelf.tools.has(tool.name)) shelf.withheld.set(tool.name, reason)
      return { kind: 'withheld', reason }
    }
    shelf.looks.set(skeleton(tool.name), tool.name)
    shelf.tools.set(tool.name, tool)
    const exposed = this.#expose(shelf, tool.name)
    // Of a tool that is held too: whoever calls it is told why.
    this.#exposed.set(exposed, { server: shelf.server.name, tool: tool.name })
    const held = this.heldBecause(shelf.server.name, tool.name)
    if (held === undefined) return { kind: 'admitted', exposed }
    return { kind: 'held', exposed, reason: held }
  }

  /** Why the definition of a tool that was listed is not the accepted one. */
  heldBecause(server: string, tool: string): string | undefined {
    if (!this.#pins.isActive) return undefined
    const sha256 = this.definition(server, tool)?.hash
    if (sha256 === undefined) return undefined
    return this.#pins.heldBecause({ server, kind: 'tool', name: tool, sha256 })
  }

  /** With a lock, a tool whose definition nobody has seen now is no tool: it has to be listed first. */
  #pinned(server: string, tool: string): Resolution {
    if (!this.#pins.isActive) return { kind: 'tool', server, tool }
    if (this.definition(server, tool) === undefined) return { kind: 'unknown' }
    return { kind: 'tool', server, tool, held: this.heldBecause(server, tool) }
  }

  #expose(shelf: Shelf, tool: string): string {
    const { name, prefix } = shelf.server
    return exposedName({ server: name, tool, prefix }, this.#options.nameBudget, this.#options.hash)
  }

  /** A tool that was not listed yet may be called by a name that could only be its own. */
  #resolveUnlisted(shelf: Shelf, name: string): Resolution | undefined {
    const { prefix } = shelf.server
    if (!name.startsWith(prefix)) return undefined
    const tool = name.slice(prefix.length)
    const reason = shelf.withheld.get(tool)
    if (reason !== undefined) return { kind: 'withheld', reason }
    if (this.#expose(shelf, tool) !== name || mayBeShortened(name, prefix)) return undefined
    return this.#pinned(shelf.server.name, tool)
  }
}

function emptyShelf(server: CatalogueServer): Shelf {
  return {
    server,
    tools: new Map(),
    withheld: new Map(),
    looks: new Map(),
    hashes: new Map(),
  }
}

function clearShelf(shelf: Shelf): void {
  shelf.tools.clear()
  shelf.withheld.clear()
  shelf.looks.clear()
  shelf.hashes.clear()
}

function whyWithheld(shelf: Shelf, name: string): string | undefined {
  if (hasInvisible(name)) return 'its name holds characters that cannot be seen'
  if (shelf.tools.has(name)) return 'its name is listed twice'
  const claimed = shelf.looks.get(skeleton(name))
  if (claimed !== undefined && claimed !== name) return `its name looks like \`${claimed}\``
  return undefined
}
