import { Decimal } from '../json/decimal.ts'
import { isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { isPlainObject } from './merge.ts'
import type { ClientRequest } from './message.ts'
import { modernCodes, namedRevision } from './modern.ts'
import type { RpcError } from './rpc.ts'

/** A header of a request by its name in small letters. */
export type HeaderOf = (name: string) => string | undefined

/** Where the value stands that a header repeats. */
const nameSources: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/**
 * Says which header of a request disagrees with its body (THREATS B6): something on the way may have judged one, and the
 * server does the other.
 */
export function headerComplaint(request: ClientRequest, header: HeaderOf): RpcError | undefined {
  const revision = namedRevision(request)
  if (header('mcp-protocol-version') !== revision) {
    return mismatch('MCP-Protocol-Version', 'the revision that the request names')
  }
  if (header('mcp-method') !== request.method) return mismatch('Mcp-Method', 'the method')
  const source = nameSources.get(request.method)
  const value = source === undefined ? undefined : request.params[source]
  const given = header('mcp-name')
  if (typeof value !== 'string') {
    return given === undefined ? undefined : mismatch('Mcp-Name', 'a request without a name')
  }
  return given !== undefined && decodeHeader(given) === value
    ? undefined
    : mismatch('Mcp-Name', `\`params.${source ?? ''}\``)
}

function mismatch(header: string, what: string): RpcError {
  const message = `Header mismatch: \`${header}\` is missing or is not ${what}`
  return { code: modernCodes.headerMismatch, message, data: { mismatch: { header } } }
}

/** An argument of a tool that a header has to repeat. */
export interface RepeatedArgument {
  /** Without `Mcp-Param-`. */
  readonly header: string
  /** From the arguments inwards. */
  readonly path: readonly string[]
}

/** How deep a schema is looked into for arguments that headers repeat, levels. */
const maxDepth = 16

/** The arguments that headers have to repeat, as a tool's schema (`x-mcp-header`) declares them. */
export function repeatedArguments(
  schema: unknown,
  path: readonly string[] = [],
): readonly RepeatedArgument[] {
  const properties = isPlainObject(schema) ? schema['properties'] : undefined
  if (!isPlainObject(properties) || path.length >= maxDepth) return []
  return Object.entries(properties).flatMap(([name, property]) => {
    const here = [...path, name]
    const header = isPlainObject(property) ? property['x-mcp-header'] : undefined
    const own = typeof header === 'string' && isHeaderName(header) ? [{ header, path: here }] : []
    return [...own, ...repeatedArguments(property, here)]
  })
}

function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(name)
}

/** Says which header does not repeat the argument that it has to. */
export function argumentComplaint(
  declared: readonly RepeatedArgument[],
  given: JsonObject,
  header: HeaderOf,
): RpcError | undefined {
  const wrong = declared.find(
    (one) => !repeats(valueAt(given, one.path), header(`mcp-param-${one.header.toLowerCase()}`)),
  )
  return wrong && mismatch(`Mcp-Param-${wrong.header}`, `the argument \`${wrong.path.join('.')}\``)
}

function valueAt(root: JsonValue, path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (value, name) => (isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    root,
  )
}

/** Whether a header says what an argument is; of one that is not there, it says nothing. */
function repeats(value: JsonValue | undefined, header: string | undefined): boolean {
  if (value === undefined || value === null) return header === undefined
  if (header === undefined) return false
  const text = decodeHeader(header)
  if (text === undefined) return false
  if (typeof value === 'string') return text === value
  if (typeof value === 'boolean') return text === String(value)
  if (!(value instanceof Decimal)) return false
  return Decimal.parse(text)?.compare(value) === 0
}

/**
 * What a header means: plain text, or UTF-8 in Base64 between marks; undefined where it is badly written.
 *
 * @internal exported for its test
 */
export function decodeHeader(text: string): string | undefined {
  if (!text.startsWith('=?base64?') || !text.endsWith('?=')) return text
  const encoded = text.slice(9, -2)
  const bytes = Buffer.from(encoded, 'base64')
  // Node skips what is no Base64; only what prints back the same has one meaning.
  if (bytes.toString('base64') !== encoded) return undefined
  const decoded = bytes.toString('utf8')
  return Buffer.from(decoded, 'utf8').equals(bytes) ? decoded : undefined
}
