import type { StartableServer } from '../config/start.ts'
import { definitionOf } from '../mcp/definition.ts'
import type { Definition } from '../mcp/definition.ts'
import { objectMembers } from '../mcp/list-items.ts'
import { lockedLists, nameMember } from '../mcp/lock-file.ts'
import type { Launch, LockedList, LockedServer } from '../mcp/lock-file.ts'
import { isPlainObject } from '../mcp/merge.ts'
import type { PlainObject } from '../mcp/merge.ts'
import type { ServerResponse } from '../mcp/message.ts'
import type { ListMethod } from '../mcp/methods.ts'
import { listMethods } from '../mcp/methods.ts'
import { textAt } from '../mcp/rpc-id.ts'
import type { ListItem } from '../proxy/lists.ts'
import { readServer } from './server-reader.ts'
import type { ListingOptions, ServerReader } from './server-reader.ts'
import { shown } from './shown.ts'

const methodOf: Readonly<Record<LockedList, ListMethod>> = {
  tools: 'tools/list',
  prompts: 'prompts/list',
  resourceTemplates: 'resources/templates/list',
}

/**
 * Starts a server and reads everything of it that a lock holds.
 *
 * @throws CapFenceError `UPSTREAM_UNAVAILABLE`
 */
export function lockedServer(
  server: StartableServer,
  launch: Launch,
  options: ListingOptions,
): Promise<LockedServer> {
  return readServer(server, options, async (reader) => {
    const initialized = await reader.initialize()
    const capabilities = capabilitiesOf(initialized)
    const lists = new Map<LockedList, readonly Definition[]>()
    const log = (text: string): void => options.log(`${shown(server.name)}: ${text}`)
    for (const list of lockedLists) {
      // oxlint-disable-next-line no-await-in-loop -- a server is asked one thing after the other
      lists.set(list, await definitions(reader, list, capabilities, log))
    }
    return {
      name: server.name,
      launch,
      instructions: instructionsOf(initialized),
      tools: lists.get('tools') ?? [],
      prompts: lists.get('prompts') ?? [],
      resourceTemplates: lists.get('resourceTemplates') ?? [],
    }
  })
}

function capabilitiesOf(reply: ServerResponse): PlainObject {
  const { result } = reply.spans
  const value: unknown = result && JSON.parse(textAt(reply.bytes, result))
  const capabilities = isPlainObject(value) ? value['capabilities'] : undefined
  return isPlainObject(capabilities) ? capabilities : {}
}

function instructionsOf(reply: ServerResponse): Definition | undefined {
  const { result } = reply.spans
  if (result === undefined) return undefined
  const member = objectMembers(reply.bytes, result).findLast(({ name }) => name === 'instructions')
  if (member === undefined) return undefined
  return definitionOf('', reply.bytes.subarray(member.value.start, member.value.end))
}

async function definitions(
  reader: ServerReader,
  list: LockedList,
  capabilities: PlainObject,
  log: (text: string) => void,
): Promise<readonly Definition[]> {
  const method = methodOf[list]
  if (!isPlainObject(capabilities[listMethods[method].capability])) return []
  const items =
    list === 'resourceTemplates' ? await reader.listIfOffered(method) : await reader.list(method)
  const named = new Map<string, Definition>()
  for (const item of items) {
    const name = nameOf(item, list)
    if (name === undefined || named.has(name)) {
      log(
        `left out of the lock: one of its \`${list}\` ${name === undefined ? 'has no name' : `is listed twice, ${shown(name)}`}`,
      )
      continue
    }
    // What is kept is the text: bytes that are no text have none.
    const definition = definitionOf(name, item.bytes)
    if (definition.value === undefined) {
      log(`${shown(name)} can be read in two ways; it is kept as the text that its server wrote`)
    }
    named.set(name, definition)
  }
  return [...named.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function nameOf({ value }: ListItem, list: LockedList): string | undefined {
  const name = value[nameMember[list]]
  return typeof name === 'string' && !/\p{Cs}/u.test(name) ? name : undefined
}
