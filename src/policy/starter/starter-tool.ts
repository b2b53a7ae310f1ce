import { limits } from '../../limits.ts'

/** A tool as a server lists it; nothing in it is to be believed. */
export interface StarterTool {
  readonly name: string
  readonly description: string
  /** What the server says of the tool; whatever is not plainly so is absent. */
  readonly isReadOnly: boolean | undefined
  readonly isDestructive: boolean | undefined
  /** As the server lists it, whatever it is. */
  readonly inputSchema: unknown
  /** The properties of its input, by their names; undefined when the schema does not say. */
  readonly properties: ReadonlyMap<string, unknown> | undefined
  readonly required: ReadonlySet<string>
}

/** The tools of a list that can be named, sorted by their names, and what is left out. */
export interface ReadTools {
  readonly tools: readonly StarterTool[]
  /** Why an item of the list is none, in a few words. */
  readonly skipped: readonly string[]
}

/** Reads the items of a `tools/list`, whatever they are. */
export function readTools(items: readonly unknown[]): ReadTools {
  const tools = new Map<string, StarterTool>()
  const skipped: string[] = []
  for (const item of items) {
    const name = isRecord(item) ? own(item, 'name') : undefined
    if (!isRecord(item) || typeof name !== 'string' || name.trim() === '')
      skipped.push('one without a name')
    else if (name.length > limits.maxNameCharacters) skipped.push('one whose name is too long')
    else if (/\p{Cs}/u.test(name)) skipped.push('one whose name holds half a character')
    else if (tools.has(name)) skipped.push('one whose name another one has')
    else tools.set(name, readTool(name, item))
  }
  return { tools: [...tools.values()].toSorted(byName), skipped }
}

function byName(one: StarterTool, other: StarterTool): number {
  return one.name < other.name ? -1 : 1
}

function readTool(name: string, item: Readonly<Record<string, unknown>>): StarterTool {
  const description = own(item, 'description')
  const annotations = own(item, 'annotations')
  const schema = own(item, 'inputSchema')
  return {
    name,
    description: typeof description === 'string' ? description : '',
    isReadOnly: isRecord(annotations) ? flag(own(annotations, 'readOnlyHint')) : undefined,
    isDestructive: isRecord(annotations) ? flag(own(annotations, 'destructiveHint')) : undefined,
    inputSchema: schema,
    properties: isRecord(schema) ? propertiesOf(schema) : undefined,
    required: isRecord(schema) ? requiredOf(own(schema, 'required')) : new Set(),
  }
}

/** A schema of several shapes says nothing for certain. */
function propertiesOf(
  schema: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, unknown> | undefined {
  const isPlain = ['anyOf', 'oneOf', 'allOf', 'not', 'if', '$ref', 'patternProperties'].every(
    (key) => own(schema, key) === undefined,
  )
  if (!isPlain || own(schema, 'type') !== 'object') return undefined
  const properties = own(schema, 'properties')
  if (properties === undefined) return new Map()
  return isRecord(properties) ? new Map(Object.entries(properties)) : undefined
}

function requiredOf(value: unknown): ReadonlySet<string> {
  const names: readonly unknown[] = Array.isArray(value) ? value : []
  return new Set(names.filter((name) => typeof name === 'string'))
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

/** A member of an object itself, and not of its prototype. */
export function own(record: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** Whether a value is an object and no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
