import { limits } from '../limits.ts'
import { isPlainObject } from '../mcp/merge.ts'
import { repeatedArguments } from '../mcp/modern-headers.ts'
import type { RepeatedArgument } from '../mcp/modern-headers.ts'
import type { GateAsks } from './gate-asks.ts'

/** What headers have to repeat of the arguments of each tool, as the servers list them. */
export class ModernTools {
  readonly #asks: GateAsks
  #known: Promise<ReadonlyMap<string, readonly RepeatedArgument[]>> | undefined

  constructor(asks: GateAsks) {
    this.#asks = asks
  }

  /** Of a tool by the name that clients use; of an unknown one nothing. */
  async repeatedBy(name: string): Promise<readonly RepeatedArgument[]> {
    this.#known ??= this.#list()
    return (await this.#known).get(name) ?? []
  }

  /** The servers list others now. */
  forget(): void {
    this.#known = undefined
  }

  async #list(): Promise<ReadonlyMap<string, readonly RepeatedArgument[]>> {
    const known = new Map<string, readonly RepeatedArgument[]>()
    let params = {}
    for (let page = 0; page < limits.maxListPages; page += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each page says where the next one is
      const reply = await this.#asks.ask('tools/list', params)
      if ('error' in reply) break
      const { tools, nextCursor } = reply.result
      for (const tool of Array.isArray(tools) ? tools : []) {
        if (!isPlainObject(tool)) continue
        known.set(String(tool['name']), repeatedArguments(tool['inputSchema']))
      }
      if (typeof nextCursor !== 'string') break
      params = { cursor: nextCursor }
    }
    return known
  }
}
