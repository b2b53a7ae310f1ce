import { ask } from '../mcp/ask.ts'
import type { ListMethod } from '../mcp/methods.ts'
import { UriOwners } from '../mcp/uri-owners.ts'
import { readPage } from './lists.ts'
import type { ListPage } from './lists.ts'
import type { Member } from './several-servers.ts'

/** How long a server may take to list its resources when one is looked for, milliseconds. */
const maxWaitMs = 5000
/** A list that was read this recently is not read again for the next unknown URI, milliseconds. */
const relistAfterMs = 5000

/** Finds the server that a resource belongs to, from what the servers list. */
export class ResourceFinder {
  readonly #members: readonly Member[]
  readonly #owners = new UriOwners()
  readonly #log: (text: string) => void
  #listed: { readonly atMs: number; readonly done: Promise<unknown> } | undefined

  constructor(members: readonly Member[], log: (text: string) => void) {
    this.#members = members
    this.#log = log
  }

  /** Takes in a page of resources or templates. */
  learn(member: Member, method: ListMethod, page: ListPage): void {
    for (const { value } of page.items) {
      const { uri, uriTemplate } = value
      if (method === 'resources/templates/list' && typeof uriTemplate === 'string') {
        this.#owners.learnTemplate(uriTemplate, member.name)
      }
      if (method !== 'resources/list' || typeof uri !== 'string') continue
      if (!this.#owners.learnUri(uri, member.name)) {
        const shown = JSON.stringify(uri.slice(0, 200))
        this.#log(
          `resource ${shown} of \`${member.name}\` is reached at the server that listed it first`,
        )
      }
    }
  }

  known(uri: string): Member | undefined {
    const owner = this.#owners.ownerOf(uri)
    return this.#members.find((member) => member.name === owner)
  }

  /** The servers to try, in order: the owner alone when it can be told, else all that have resources. */
  async candidates(uri: string): Promise<readonly Member[]> {
    await this.#list()
    const owner = this.known(uri)
    return owner === undefined ? this.#members.filter((member) => member.has('resources')) : [owner]
  }

  async #list(): Promise<void> {
    const now = performance.now()
    if (this.#listed === undefined || now - this.#listed.atMs > relistAfterMs) {
      const members = this.#members.filter((member) => member.has('resources'))
      const done = Promise.all(
        members.flatMap((member) => [
          this.#listOne(member, 'resources/list'),
          this.#listOne(member, 'resources/templates/list'),
        ]),
      )
      this.#listed = { atMs: now, done }
    }
    await this.#listed.done
  }

  async #listOne(member: Member, method: ListMethod): Promise<void> {
    const reply = await ask(member.upstream, method, undefined, maxWaitMs).reply
    const page = reply.kind === 'response' ? readPage(reply, method) : undefined
    if (page !== undefined) this.learn(member, method, page)
  }
}
