import { arrayItems, objectMembers } from '../mcp/list-items.ts'
import { textAt } from '../mcp/rpc-id.ts'
import { isPlainObject } from '../mcp/merge.ts'
import type { PlainObject } from '../mcp/merge.ts'
import type { ServerResponse, Span } from '../mcp/message.ts'
import { listMethods } from '../mcp/methods.ts'
import type { ListMethod } from '../mcp/methods.ts'
import type { ListedTool, ToolAnnotations } from '../mcp/tool-catalogue.ts'
import type { SessionContext } from './context.ts'
import type { Flight } from './flights.ts'

/** One item of a list, as the server wrote it. */
interface ListItem {
  readonly span: Span
  readonly bytes: Uint8Array
  readonly value: PlainObject
  /** Where its name stands, counted from the item's start; undefined when it has none or several. */
  readonly name: Span | undefined
}

/** One server's page of a list. */
export interface ListPage {
  readonly array: Span
  readonly items: readonly ListItem[]
  readonly nextCursor: string | undefined
}

/** Reads a reply to a list request; undefined when it is an error or no list. */
export function readPage(reply: ServerResponse, method: ListMethod): ListPage | undefined {
  const { result } = reply.spans
  if (result === undefined || textAt(reply.bytes, result)[0] !== '{') return undefined
  const members = objectMembers(reply.bytes, result)
  const array = members.findLast(({ name }) => name === listMethods[method].member)?.value
  if (array === undefined || reply.bytes[array.start] !== 0x5b) return undefined
  const cursor = members.findLast(({ name }) => name === 'nextCursor')?.value
  const nextCursor: unknown = cursor && JSON.parse(textAt(reply.bytes, cursor))
  return {
    array,
    items: arrayItems(reply.bytes, array).map((span) => readItem(reply.bytes, span)),
    nextCursor: typeof nextCursor === 'string' ? nextCursor : undefined,
  }
}

function readItem(message: Uint8Array, span: Span): ListItem {
  const bytes = message.subarray(span.start, span.end)
  const value: unknown = JSON.parse(textAt(message, span))
  const names = isPlainObject(value)
    ? objectMembers(bytes, { start: 0, end: bytes.length }).filter(({ name }) => name === 'name')
    : []
  return {
    span,
    bytes,
    value: isPlainObject(value) ? value : {},
    name: names.length === 1 ? names[0]?.value : undefined,
  }
}

/** The tools of a page; one without a readable name is called by a name nobody can see, and so withheld. */
function listedTools(page: ListPage): readonly ListedTool[] {
  return page.items.map((item) => ({
    name: item.name === undefined ? '\0' : String(item.value['name']),
    annotations: annotationsOf(item.value['annotations']),
    // A copy: the message it stands in may be large and is not kept.
    bytes: item.bytes.slice(),
  }))
}

function annotationsOf(value: unknown): ToolAnnotations {
  if (!isPlainObject(value)) return {}
  const { readOnlyHint, destructiveHint } = value
  return {
    ...(typeof readOnlyHint === 'boolean' && { readOnlyHint }),
    ...(typeof destructiveHint === 'boolean' && { destructiveHint }),
  }
}

/** The item with its name replaced, every other byte as the server wrote it. */
function renamed(item: ListItem, name: string): string {
  const whole = { start: 0, end: item.bytes.length }
  if (item.name === undefined || item.value['name'] === name) return textAt(item.bytes, whole)
  const before = textAt(item.bytes, { start: 0, end: item.name.start })
  const after = textAt(item.bytes, { start: item.name.end, end: item.bytes.length })
  return before + JSON.stringify(name) + after
}

/**
 * Takes in one server's page and says which items the client may see, as JSON texts under the names it will use.
 *
 * `cursor` is what led to the page, undefined for the first. `isUnchanged` is true when the page can be passed on byte for byte.
 */
export function admitPage(
  context: SessionContext,
  server: { readonly name: string; readonly prefix: string },
  method: ListMethod,
  page: ListPage,
  cursor: unknown,
): { readonly items: readonly string[]; readonly isUnchanged: boolean } {
  if (method !== 'tools/list') {
    const rename = method === 'prompts/list' && server.prefix !== ''
    const items = page.items.map((item) =>
      renamed(
        item,
        rename ? server.prefix + String(item.value['name']) : String(item.value['name']),
      ),
    )
    return { items, isUnchanged: !rename }
  }
  const isFirstPage = cursor === undefined
  const admissions = context.catalogue.learn(server.name, listedTools(page), isFirstPage)
  noteListing(context, server.name, context.pages.follow(server.name, cursor, page.nextCursor))
  let isUnchanged = true
  const items = page.items.flatMap((item, index) => {
    const admission = admissions[index]
    if (admission?.kind !== 'admitted') {
      isUnchanged = false
      const reason = admission?.reason ?? 'unknown'
      context.log(
        `tool ${JSON.stringify(item.value['name'])} of \`${server.name}\` is withheld: ${reason}`,
      )
      return []
    }
    if (admission.exposed !== item.value['name']) isUnchanged = false
    return [renamed(item, admission.exposed)]
  })
  return { items, isUnchanged }
}

function noteListing(
  { catalogue, gate }: SessionContext,
  server: string,
  isComplete: boolean,
): void {
  gate.listed({
    server,
    isComplete,
    names: () => catalogue.listed(server),
    hashOf: (tool) => catalogue.definition(server, tool)?.hash,
  })
}

/** The only server's reply to a list request with what must not be seen cut out; undefined: as it is. */
export function soleListReply(
  context: SessionContext,
  serverName: string,
  method: ListMethod,
  flight: Flight,
  reply: ServerResponse,
): readonly Uint8Array[] | undefined {
  if (method !== 'tools/list') return undefined
  const page = readPage(reply, method)
  if (page === undefined) return undefined
  const server = { name: serverName, prefix: '' }
  const { cursor } = flight.request.params
  const { items, isUnchanged } = admitPage(context, server, method, page, cursor)
  if (isUnchanged) return undefined
  return flight.reply(reply, [{ span: page.array, text: `[${items.join(',')}]` }])
}
