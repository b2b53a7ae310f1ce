import type { ActionEvent } from '../../event/action-event.ts'
import { capabilityName } from '../../event/capability.ts'
import type { Capability } from '../../event/capability.ts'
import { Decimal } from '../../json/decimal.ts'
import type { JsonValue } from '../../json/value.ts'
import { isJsonArray } from '../../json/value.ts'
import type { StarterTool } from '../../policy/starter/starter-tool.ts'
import { classOf, type ToolKind } from '../../policy/starter/tool-class.ts'
import { leavesOf, type Leaf } from './arguments.ts'
import { familyOf, shapeOf, type Shape } from './shape.ts'

/** Different values that are kept of one place, count; where there are more, they are no list to choose from. */
const maxValues = 200

/** What stood at one place of the arguments of a tool. */
export class PlaceProfile {
  readonly pointer: string
  readonly kinds: Set<Shape['kind']> = new Set()
  readonly formats: Set<string> = new Set()
  readonly folders: Set<string> = new Set()
  readonly hosts: Set<string> = new Set()
  /** Different values, as far as they are no numbers, and how often; at most `maxValues`. */
  readonly values: Map<string | boolean, number> = new Map()
  /** Whether there were more. */
  hasMore = false
  count = 0
  /** Texts in which there is white space. */
  worded = 0
  longest = 0
  hasScheme = true
  least: Decimal | undefined
  greatest: Decimal | undefined

  constructor(pointer: string) {
    this.pointer = pointer
  }

  note(value: JsonValue): void {
    const shape = shapeOf(value)
    this.kinds.add(shape.kind)
    this.count += 1
    if ('format' in shape) this.formats.add(shape.format)
    if (shape.kind === 'path') this.folders.add(shape.folder)
    if (shape.kind === 'site') {
      this.hosts.add(shape.host)
      this.hasScheme &&= shape.hasScheme
    }
    if (value instanceof Decimal) this.#noteNumber(value)
    else if (typeof value === 'string' || typeof value === 'boolean') this.#noteValue(value)
  }

  /** Whether whoever calls words it anew each time, so that nothing can be said of the words. */
  get isWorded(): boolean {
    if (this.kinds.has('text')) return true
    const different = this.hasMore ? this.count : this.values.size
    return this.count >= 5 && this.worded * 2 >= this.count && different * 2 >= this.count
  }

  #noteNumber(value: Decimal): void {
    if (this.least === undefined || value.compare(this.least) < 0) this.least = value
    if (this.greatest === undefined || value.compare(this.greatest) > 0) this.greatest = value
  }

  #noteValue(value: string | boolean): void {
    if (typeof value === 'string') {
      this.longest = Math.max(this.longest, value.length)
      if (/\s/.test(value)) this.worded += 1
    }
    const known = this.values.get(value)
    if (known === undefined && this.values.size >= maxValues) this.hasMore = true
    else this.values.set(value, (known ?? 0) + 1)
  }
}

/** A way in which a tool was called: which arguments said something. */
export interface CallForm {
  /** In the order of their pointers; what was there is checked by what is known of the place. */
  readonly places: readonly (readonly [pointer: string, state: PlaceState])[]
  count: number
}

/** What stood at a place that says something: a value of a type, or null among the elements of a list. */
export type PlaceState = PlaceType | 'null'

/** What a value is to JSON; what one of another type at the same place means, another server decides. */
export type PlaceType = 'text' | 'number' | 'boolean'

/** Under which key a capability has what is known of the values of one type at one place. */
export function placeKey(pointer: string, type: PlaceType): string {
  return `${pointer} ${type}`
}

/** The argument that a place is in or below: all before the elements of a list. */
export function rootOf(pointer: string): string {
  return pointer.replace(/\/\*(?:\/.*)?$/s, '')
}

/** The arguments that a tool is known to have, also where they never said anything. */
export function rootsOf({ roots }: CapabilityProfile): readonly string[] {
  return [...roots].toSorted()
}

/** What history says of one capability. */
export interface CapabilityProfile {
  readonly name: string
  readonly capability: Capability
  readonly tools: Set<string>
  readonly kind: ToolKind
  readonly sessions: Set<string>
  /** By `placeKey`. */
  readonly places: Map<string, PlaceProfile>
  readonly forms: Map<string, CallForm>
  readonly roots: Set<string>
  count: number
}

/** How strictly a tool is taken that only reads, and one that does not: of a read names may be new, places may not. */
export type Strictness = 'read' | 'write'

/** What all tools have in common: values, folders and hosts that history knows. */
export class Vocabulary {
  readonly families: Map<string, Set<string>> = new Map()
  readonly #folders = { read: new Set<string>(), write: new Set<string>() }
  readonly #hosts = { read: new Set<string>(), write: new Set<string>() }

  note(value: JsonValue, strictness: Strictness): void {
    const shape = shapeOf(value)
    if (shape.kind === 'path') this.#folders[strictness].add(shape.folder)
    if (shape.kind === 'site') this.#hosts[strictness].add(shape.host)
    const family = shape.kind === 'word' && typeof value === 'string' ? familyOf(value) : undefined
    if (family === undefined || typeof value !== 'string') return
    const known = this.families.get(family)
    if (known === undefined) this.families.set(family, new Set([value]))
    else if (known.size < maxValues) known.add(value)
  }

  /** Where what only reads may look is everywhere that anything went; what changes something goes where that was done. */
  foldersFor(strictness: Strictness): readonly string[] {
    return knownTo(strictness, this.#folders)
  }

  hostsFor(strictness: Strictness): readonly string[] {
    return knownTo(strictness, this.#hosts)
  }
}

function knownTo(
  strictness: Strictness,
  { read, write }: Readonly<Record<Strictness, ReadonlySet<string>>>,
): readonly string[] {
  return strictness === 'read' ? [...new Set([...read, ...write])] : [...write]
}

/** How strictly what is known of a capability is taken. */
export function strictnessOf({ kind }: Pick<CapabilityProfile, 'kind'>): Strictness {
  return kind === 'read' ? 'read' : 'write'
}

/** Adds a call to what is known of its capability. @returns false when nothing can be learned from it */
export function noteCall(
  event: ActionEvent,
  session: string,
  profiles: Map<string, CapabilityProfile>,
  vocabulary: Vocabulary,
): boolean {
  const leaves = leavesOf(event.arguments)
  const form = leaves === undefined ? undefined : formOf(leaves)
  if (leaves === undefined || form === undefined) return false
  const profile = profileOf(event, profiles)
  const strictness = strictnessOf(profile)
  profile.count += 1
  profile.sessions.add(session)
  if (event.context.tool !== undefined) profile.tools.add(event.context.tool)
  for (const { pointer, value } of leaves) {
    vocabulary.note(value, strictness)
    profile.roots.add(rootOf(pointer))
    const state = stateOf(value)
    if (state === undefined || state === 'nothing' || state === 'null') continue
    const at = placeKey(pointer, state)
    const place = profile.places.get(at) ?? new PlaceProfile(pointer)
    profile.places.set(at, place)
    place.note(value)
  }
  const key = JSON.stringify(form)
  const known = profile.forms.get(key)
  if (known === undefined) profile.forms.set(key, { places: form, count: 1 })
  else known.count += 1
  return true
}

function profileOf(
  { capability, context }: ActionEvent,
  profiles: Map<string, CapabilityProfile>,
): CapabilityProfile {
  const name = capabilityName(capability)
  const known = profiles.get(name)
  if (known !== undefined) return known
  const { kind } = classOf(unlisted(context.tool ?? capability.action))
  const fresh: CapabilityProfile = {
    name,
    capability,
    tools: new Set(),
    kind,
    sessions: new Set(),
    places: new Map(),
    forms: new Map(),
    roots: new Set(),
    count: 0,
  }
  profiles.set(name, fresh)
  return fresh
}

/** A tool of which only the name is known. */
function unlisted(name: string): StarterTool {
  return {
    name,
    description: '',
    isReadOnly: undefined,
    isDestructive: undefined,
    inputSchema: undefined,
    properties: undefined,
    required: new Set(),
  }
}

/**
 * What of a call says something: null, an empty text and an empty list say as little as an argument that is not there.
 *
 * @returns undefined where one place holds different states in one call, or an empty object: no rule says that
 */
function formOf(leaves: readonly Leaf[]): CallForm['places'] | undefined {
  const states = new Map<string, PlaceState | 'nothing'>()
  for (const { pointer, value } of leaves) {
    const state = stateOf(value)
    const known = states.get(pointer)
    const isElement = rootOf(pointer) !== pointer
    if (state === undefined || (known !== undefined && known !== state)) return undefined
    if (state === 'nothing' && isElement) return undefined
    states.set(pointer, state === 'null' && !isElement ? 'nothing' : state)
  }
  return [...states]
    .flatMap(([pointer, state]) => (state === 'nothing' ? [] : [[pointer, state] as const]))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
}

function stateOf(value: JsonValue): PlaceState | 'nothing' | undefined {
  if (value === null) return 'null'
  if (value === '' || isJsonArray(value)) return 'nothing'
  if (value instanceof Decimal) return 'number'
  if (typeof value === 'string') return 'text'
  return typeof value === 'boolean' ? 'boolean' : undefined
}
