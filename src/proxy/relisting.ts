import { ask } from '../mcp/ask.ts'
import type { Pins } from '../mcp/pins.ts'
import { notificationMessage } from '../mcp/rpc.ts'
import type { SessionContext } from './context.ts'
import { admitPage, readPage } from './lists.ts'

/** How long a server may take to list its tools again, milliseconds. */
const maxWaitMs = 20_000
/** Tools that were listed this recently are not listed again for the next unknown name, milliseconds. */
const relearnAfterMs = 5000
/** Pages that are read of one list, count. */
const maxPages = 200

/** A server whose tools are listed again. */
export interface RelistedServer {
  readonly name: string
  readonly prefix: string
}

/** One reading of a server's list. */
class Run {
  changes = 0
  hasBegun = false
  done: Promise<void> = Promise.resolve()

  begin(changes: number): void {
    this.changes = changes
    this.hasBegun = true
  }
}

/**
 * Lists the tools of servers again: every few minutes, and when a server says that they have changed or was started
 * again. Only where there is a lock: without one nothing is compared with anything.
 */
export class Relisting {
  /** What is said of a tool while it cannot be known whether its definition is still the accepted one. */
  readonly unsure = 'its server said that its tools have changed, and did not list them again'
  readonly #context: SessionContext
  readonly #pins: Pins
  readonly #servers: readonly RelistedServer[]
  /** How often a server has said that its tools changed, and how much of that a list has answered. */
  readonly #changes = new Map<string, number>()
  readonly #answered = new Map<string, number>()
  /** Digests of prompts, by server and name. */
  readonly #prompts = new Map<string, Map<string, string>>()
  readonly #listedAtMs = new Map<string, number>()
  /** The list that is being read of a server, or waits for the one before it. */
  readonly #running = new Map<string, Run>()
  readonly #forget: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(context: SessionContext, pins: Pins, servers: readonly RelistedServer[]) {
    this.#context = context
    this.#pins = pins
    this.#servers = servers
    this.#forget = pins.onChange(() => this.#lockChanged())
    this.#watch()
  }

  /** Whether a server may list other tools than it did. */
  isStale(server: string): boolean {
    return (this.#changes.get(server) ?? 0) > (this.#answered.get(server) ?? 0)
  }

  /** Takes in that a server may list other tools from now on. */
  changed(server: string): void {
    if (!this.#pins.isActive) return
    this.#changes.set(server, (this.#changes.get(server) ?? 0) + 1)
    void this.refresh(server)
  }

  /** Lists the tools of a server again; resolves when that is done, or when the server did not answer. */
  async refresh(server: string): Promise<void> {
    const found = this.#servers.find(({ name }) => name === server)
    if (found === undefined || !this.#pins.isActive) return
    const running = this.#running.get(server)
    const changes = this.#changes.get(server) ?? 0
    // A list that was asked for before the server said so may be of the time before.
    if (running !== undefined && (!running.hasBegun || running.changes === changes)) {
      return running.done
    }
    const run = new Run()
    this.#running.set(server, run)
    run.done = this.#run(found, run, running?.done)
    return run.done
  }

  /** The same for a name that nobody knows; a list that was read this recently would not tell more. */
  async learn(server: string): Promise<void> {
    const listedAtMs = this.#listedAtMs.get(server) ?? -Infinity
    if (performance.now() - listedAtMs > relearnAfterMs) await this.refresh(server)
  }

  /** Takes in the definition of a prompt, as its server listed it. */
  sawPrompt(server: string, name: string, sha256: string): void {
    let known = this.#prompts.get(server)
    if (known === undefined) this.#prompts.set(server, (known = new Map()))
    known.set(name, sha256)
  }

  /** Takes in that a server may have other prompts from now on. */
  promptsChanged(server: string): void {
    this.#prompts.delete(server)
  }

  /** Why a prompt must not be asked for; one that was not listed yet is listed first. */
  async promptHeldBecause(server: string, name: string): Promise<string | undefined> {
    if (!this.#pins.isActive) return undefined
    const found = this.#servers.find((one) => one.name === server)
    if (this.#prompts.get(server)?.has(name) !== true && found !== undefined) {
      await this.#listPages(found, 'prompts/list')
    }
    const sha256 = this.#prompts.get(server)?.get(name)
    if (sha256 === undefined) return 'its server does not list it'
    return this.#pins.heldBecause({ server, kind: 'prompt', name, sha256 })
  }

  /** The digest of a prompt's definition, while it was listed. */
  promptDigest(server: string, name: string): string | undefined {
    return this.#prompts.get(server)?.get(name)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#forget()
  }

  #watch(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (!this.#pins.isActive) return
    this.#timer = setInterval(() => {
      for (const { name, connection } of this.#context.upstreams) {
        // A server is not started only to be looked at, and one that nobody asked for tools may have none.
        const isKnown = this.#context.catalogue.listed(name).length > 0
        if (connection !== undefined && (isKnown || this.isStale(name))) void this.refresh(name)
      }
    }, this.#pins.relistMs).unref()
  }

  /** What was held may be accepted now, and the other way round: the client is to list everything again. */
  #lockChanged(): void {
    this.#watch()
    for (const kind of ['tools', 'prompts', 'resources']) {
      const bytes = notificationMessage(`notifications/${kind}/list_changed`)
      this.#context.downstream.send(undefined, bytes)
    }
  }

  async #run(server: RelistedServer, run: Run, before: Promise<void> | undefined): Promise<void> {
    await before
    run.begin(this.#changes.get(server.name) ?? 0)
    if (await this.#listAll(server)) this.#answered.set(server.name, run.changes)
    if (this.#running.get(server.name) === run) this.#running.delete(server.name)
  }

  /** @returns whether everything was listed */
  async #listAll(server: RelistedServer): Promise<boolean> {
    const { catalogue } = this.#context
    const before = this.#held(server.name).join('\n')
    if (!(await this.#listPages(server, 'tools/list'))) return false
    this.#listedAtMs.set(server.name, performance.now())
    const after = this.#held(server.name)
    if (after.join('\n') === before) return true
    const all = catalogue.listed(server.name).length
    this.#context.log(
      `\`${server.name}\`: ${after.length} of ${all} tools are held; see \`capfence lock diff\``,
    )
    const bytes = notificationMessage('notifications/tools/list_changed')
    this.#context.downstream.send(undefined, bytes)
    return true
  }

  #held(server: string): readonly string[] {
    return this.#context.catalogue
      .listed(server)
      .filter((tool) => this.#context.catalogue.heldBecause(server, tool) !== undefined)
  }

  /** @returns whether everything was listed */
  async #listPages(
    server: RelistedServer,
    method: 'tools/list' | 'prompts/list',
  ): Promise<boolean> {
    const upstream = this.#context.upstreams.find(({ name }) => name === server.name)
    if (upstream === undefined) return false
    let cursor: string | undefined
    for (let page = 0; page < maxPages; page += 1) {
      const params = cursor === undefined ? undefined : JSON.stringify({ cursor })
      // oxlint-disable-next-line no-await-in-loop -- the next page is not known before this one is read
      const reply = await ask(upstream, method, params, maxWaitMs).reply
      const read = reply.kind === 'response' ? readPage(reply, method) : undefined
      if (read === undefined) {
        const why = reply.kind === 'no_reply' ? reply.reason : 'answered with an error'
        this.#context.log(`\`${server.name}\` did not answer ${method}: ${why}`)
        return false
      }
      admitPage(this.#context, server, method, read, cursor)
      if (read.nextCursor === undefined) return true
      cursor = read.nextCursor
    }
    this.#context.log(`\`${server.name}\` answers ${method} without an end`)
    return false
  }
}
