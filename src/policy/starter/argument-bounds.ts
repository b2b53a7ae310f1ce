import { prefixFault } from '../path.ts'
import type { StarterTool } from './starter-tool.ts'
import { isRecord, own } from './starter-tool.ts'
import { wordsOf } from './tool-class.ts'
import { flow, isKey, quoted } from './yaml-text.ts'

/** What an argument seems to be. */
type ArgumentRole = 'path' | 'url' | 'amount'

/** What one argument may be, as a policy writes it. */
export interface ArgumentBound {
  readonly name: string
  readonly isRequired: boolean
  readonly role: ArgumentRole | undefined
  /** Pointers and matchers, such as `/path: {under: /srv}`; all of them are meant. */
  readonly entries: readonly string[]
  /** A value inside of the bounds. */
  readonly sample: unknown
  /** One that is outside, where that is worth a test. */
  readonly outside?: unknown
}

/** The bounds of all arguments of a tool, and the ones that have none. */
export interface ToolBounds {
  readonly bounds: readonly ArgumentBound[]
  /** Optional arguments that must be left out, because nobody can say what they may be. */
  readonly omitted: readonly string[]
  /** The first required argument without a bound; it keeps the tool from being allowed. */
  readonly unbounded: string | undefined
}

/**
 * Reads what the arguments of a tool may be from its schema.
 *
 * @param roots the folders in which paths have to lie; without any, no path has a bound
 */
export function boundsOf(tool: StarterTool, roots: readonly string[]): ToolBounds {
  const usable = roots.filter((root) => prefixFault(root) === undefined)
  const read = [...(tool.properties ?? [])].map(([name, schema]) => ({
    name,
    isRequired: tool.required.has(name),
    shape: isKey(name) && name !== '*' ? shapeOf(name, schema, usable) : undefined,
  }))
  const missing = [...tool.required].find((name) => tool.properties?.has(name) !== true)
  return {
    bounds: read.flatMap(({ name, isRequired, shape }) =>
      shape === undefined ? [] : [{ name, isRequired, ...shape }],
    ),
    omitted: read.flatMap(({ name, isRequired, shape }) =>
      shape === undefined && !isRequired && isKey(name) ? [name] : [],
    ),
    unbounded:
      tool.properties === undefined
        ? 'its arguments'
        : (read.find(({ isRequired, shape }) => isRequired && shape === undefined)?.name ??
          read.find(({ name }) => !isKey(name))?.name ??
          missing),
  }
}

type Shape = Omit<ArgumentBound, 'name' | 'isRequired'>

/** A JSON Pointer to a top-level argument. */
export function pointerTo(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function shapeOf(name: string, schema: unknown, roots: readonly string[]): Shape | undefined {
  if (!isRecord(schema)) return undefined
  const single = oneType(schema)
  const pointer = pointerTo(name)
  if (single === 'array') return arrayShape(name, schema, roots)
  const value = valueShape(name, { ...schema, type: single }, roots)
  if (value === undefined) return undefined
  const { role, sample, outside, matchers } = value
  const entries = [`${quoted(pointer)}: ${matchers}`]
  return outside === undefined ? { role, entries, sample } : { role, entries, sample, outside }
}

function arrayShape(
  name: string,
  schema: Readonly<Record<string, unknown>>,
  roots: readonly string[],
): Shape | undefined {
  const items = own(schema, 'items')
  if (!isRecord(items)) return undefined
  const value = valueShape(name, { ...items, type: oneType(items) }, roots)
  if (value === undefined) return undefined
  const most = Math.min(wholeNumber(own(schema, 'maxItems')) ?? 100, 1000)
  const pointer = pointerTo(name)
  const { role, sample, outside, matchers } = value
  const entries = [
    `${quoted(pointer)}: {max_length: ${most}}`,
    `${quoted(`${pointer}/*`)}: ${matchers}`,
  ]
  const shape = { role, entries, sample: [sample] }
  return outside === undefined ? shape : { ...shape, outside: [outside] }
}

interface ValueShape {
  readonly role: ArgumentRole | undefined
  readonly matchers: string
  readonly sample: unknown
  readonly outside?: unknown
}

function valueShape(
  name: string,
  schema: Readonly<Record<string, unknown>>,
  roots: readonly string[],
): ValueShape | undefined {
  const choices = own(schema, 'enum')
  if (choices !== undefined) return choiceShape(choices)
  switch (own(schema, 'type')) {
    case 'string':
      return textShape(name, schema, roots)
    case 'integer':
    case 'number':
      return numberShape(name, schema)
    case 'boolean':
      return { role: undefined, matchers: '{type: boolean}', sample: true }
    default:
      return undefined
  }
}

function choiceShape(choices: unknown): ValueShape | undefined {
  const values: readonly unknown[] = Array.isArray(choices) ? choices : []
  const known = values.filter(
    (value) => (typeof value === 'string' && /^[ -~]{1,200}$/.test(value)) || isSafeNumber(value),
  )
  if (known.length === 0 || known.length !== values.length || known.length > 50) return undefined
  const matchers = `{in: [${known.map(flow).join(', ')}]}`
  return { role: undefined, matchers, sample: known[0] }
}

const pathWords = new Set(
  'path paths file files filename filenames filepath dir directory directories folder folders root source destination dest cwd workspace repo'.split(
    ' ',
  ),
)
const urlWords = new Set('url urls uri uris link href website webpage endpoint'.split(' '))

function textShape(
  name: string,
  schema: Readonly<Record<string, unknown>>,
  roots: readonly string[],
): ValueShape | undefined {
  const parts = wordsOf(name)
  const format = own(schema, 'format')
  if (parts.some((word) => urlWords.has(word)) || format === 'uri' || format === 'url') {
    const matchers = '{scheme: https, max_length: 2048}'
    return { role: 'url', matchers, sample: 'https://example.com/', outside: 'file:///etc/passwd' }
  }
  if (parts.some((word) => pathWords.has(word))) return pathShape(roots)
  const most = Math.min(wholeNumber(own(schema, 'maxLength')) ?? 1000, 10_000)
  return { role: undefined, matchers: `{max_length: ${most}}`, sample: 'example'.slice(0, most) }
}

function pathShape(roots: readonly string[]): ValueShape | undefined {
  const [first] = roots
  if (first === undefined) return undefined
  const folders = roots.length === 1 ? quoted(first) : `[${roots.map(quoted).join(', ')}]`
  const separator = first.includes('\\') ? '\\' : '/'
  const inside = `${first.replace(/[/\\]$/, '')}${separator}example`
  const matchers = `{under: ${folders}, max_length: 1024}`
  // Nothing is outside of a root of everything.
  if (/^(?:\/|[A-Za-z]:[/\\]?)$/.test(first)) return { role: 'path', matchers, sample: inside }
  const outside = `${first}${separator}..${separator}..${separator}..${separator}etc`
  return { role: 'path', matchers, sample: inside, outside }
}

const amountWords = new Set(
  'amount amounts total price cost sum quantity value limit count max size top n days pages'.split(
    ' ',
  ),
)

function numberShape(name: string, schema: Readonly<Record<string, unknown>>): ValueShape {
  const isAmount = wordsOf(name).some((word) => amountWords.has(word))
  const least = numberOf(own(schema, 'minimum')) ?? (isAmount ? 0 : undefined)
  const most = numberOf(own(schema, 'maximum')) ?? (isAmount ? 1000 : undefined)
  const bounds = [
    ...(least === undefined ? [] : [`gte: ${least}`]),
    ...(most === undefined ? [] : [`lte: ${most}`]),
  ]
  const sample = least ?? Math.min(most ?? 1, 1)
  const matchers = `{${bounds.length === 0 ? 'type: number' : bounds.join(', ')}}`
  const role = wordsOf(name).some((word) => word === 'amount' || word === 'price')
    ? 'amount'
    : undefined
  return most === undefined || most > 1e9
    ? { role, matchers, sample }
    : { role, matchers, sample, outside: most + 1 }
}

/** The one type of a value that may also be null; undefined when there are several. */
function oneType(schema: Readonly<Record<string, unknown>>): unknown {
  const type = own(schema, 'type')
  if (!Array.isArray(type)) return type
  const others = type.filter((one) => one !== 'null')
  return others.length === 1 ? others[0] : undefined
}

function wholeNumber(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && typeof value === 'number' && value >= 0 ? value : undefined
}

/** A bound that is written as it is meant: no exponent, no digits lost. */
function numberOf(value: unknown): number | undefined {
  return isSafeNumber(value) ? value : undefined
}

function isSafeNumber(value: unknown): value is number {
  return (
    typeof value === 'number' && Math.abs(value) < 1e15 && /^-?\d+(?:\.\d+)?$/.test(String(value))
  )
}
