import { definitionHash } from '../mcp/definition.ts'
import { arrayItems, objectMembers } from '../mcp/list-items.ts'
import { textAt } from '../mcp/rpc-id.ts'
import { isPlainObject } from '../mcp/merge.ts'
import type { PlainObject } from '../mcp/merge.ts'
import type { ServerResponse, Span } from '../mcp/message.ts'
import { listMethods } from '../mcp/methods.ts'
import type { ListMethod } from '../mcp/methods.ts'
import type { Edit } from '../mcp/splice.ts'
import type { ListedTool, ToolAnnotations } from '../mcp/tool-catalogue.ts'
import type { SessionContext } from './context.ts'
import type { Flight } from './flights.ts'

/** One item of a list, as the server wrote it. */
export interface ListItem {
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
    const accepted = page.items.filter((item) => !isHeld(context, server.name, method, item))
    const items = accepted.map((item) =>
      renamed(
        item,
        rename ? server.prefix + String(item.value['name']) : String(item.value['name']),
      ),
    )
    return { items, isUnchanged: !rename && accepted.length === page.items.length }
  }
  const isFirstPage = cursor === undefined
  const admissions = context.catalogue.learn(server.name, listedTools(page), isFirstPage)
  noteListing(context, server.name, context.pages.follow(server.name, cursor, page.nextCursor))
  let isUnchanged = true
  const items = page.items.flatMap((item, index) => {
    const admission = admissions[index]
    const reason = admission?.kind === 'admitted' ? undefined : (admission?.reason ?? 'unknown')
    if (reason !== undefined)
      sayWithheld(context, `tool ${nameOf(item)} of \`${server.name}\``, reason)
    const isShown =
      admission?.kind === 'admitted' || (admission?.kind === 'held' && !context.pins.isEnforced)
    if (!isShown) {
      isUnchanged = false
      return []
    }
    if (admission.exposed !== item.value['name']) isUnchanged = false
    return [renamed(item, admission.exposed)]
  })
  return { items, isUnchanged }
}

const pinnedLists = {
  'prompts/list': { kind: 'prompt', naming: 'name' },
  'resources/templates/list': { kind: 'resource template', naming: 'uriTemplate' },
} as const

/** Whether a prompt or a template is not the accepted one, and kept from the client. */
function isHeld(
  context: SessionContext,
  server: string,
  method: ListMethod,
  item: ListItem,
): boolean {
  const { pins } = context
  if (!pins.isActive || method === 'resources/list' || method === 'tools/list') return false
  const { kind, naming } = pinnedLists[method]
  const name = item.value[naming]
  const sha256 = definitionHash(item.bytes)
  if (kind === 'prompt' && typeof name === 'string') {
    context.relisting.sawPrompt(server, name, sha256)
  }
  const reason =
    typeof name === 'string' ? pins.heldBecause({ server, kind, name, sha256 }) : 'it has no name'
  if (reason === undefined) return false
  sayWithheld(context, `${kind} ${JSON.stringify(name)} of \`${server}\``, reason)
  return pins.isEnforced
}

function nameOf(item: ListItem): string {
  return JSON.stringify(item.value['name'])
}

function sayWithheld(context: SessionContext, what: string, reason: string): void {
  context.log(`${what} is withheld: ${reason}`)
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
  if (method !== 'tools/list' && !context.pins.isActive) return undefined
  const page = readPage(reply, method)
  if (page === undefined) return undefined
  const server = { name: serverName, prefix: '' }
  const { cursor } = flight.request.params
  const { items, isUnchanged } = admitPage(context, server, method, page, cursor)
  const edits = clampedLifetime(context, reply)
  if (isUnchanged && edits.length === 0) return undefined
  return flight.reply(reply, [
    ...edits,
    ...(isUnchanged ? [] : [{ span: page.array, text: `[${items.join(',')}]` }]),
  ])
}

/** A list must not be kept by the client for longer than the gate itself believes it. */
function clampedLifetime({ pins }: SessionContext, reply: ServerResponse): readonly Edit[] {
  const { result } = reply.spans
  if (!pins.isActive || result === undefined) return []
  const isTooLong = (span: Span): boolean => !(Number(textAt(reply.bytes, span)) <= pins.relistMs)
  return objectMembers(reply.bytes, result)
    .filter(({ name, value }) => name === 'ttlMs' && isTooLong(value))
    .map(({ value }) => ({ span: value, text: String(pins.relistMs) }))
}

/** What hides the instructions of a server that nobody has accepted. */
export function heldInstructions(
  context: SessionContext,
  server: string,
  reply: ServerResponse,
): readonly Edit[] {
  const { pins } = context
  const { result } = reply.spans
  if (!pins.isActive || result === undefined || textAt(reply.bytes, result)[0] !== '{') return []
  return objectMembers(reply.bytes, result)
    .filter(({ name }) => name === 'instructions')
    .flatMap(({ value }) => {
      const bytes = reply.bytes.subarray(value.start, value.end)
      const sha256 = definitionHash(bytes)
      const reason = pins.heldBecause({ server, kind: 'instructions', name: '', sha256 })
      if (reason === undefined) return []
      sayWithheld(context, `the instructions of \`${server}\``, reason)
      return pins.isEnforced ? [{ span: value, text: '""' }] : []
    })
}
