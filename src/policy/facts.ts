import type { ActionEvent } from '../event/action-event.ts'
import { canonicalizeExact } from '../json/canonical.ts'
import type { JsonObject } from '../json/value.ts'
import { limits } from '../limits.ts'
import { readAmounts } from './amount.ts'
import type { AmountFacts } from './amount.ts'
import type { ArgumentCall } from './argument.ts'
import type { NameRoles } from './argument-name.ts'
import { walkArguments } from './argument-walk.ts'
import type { ArgumentContents } from './argument-walk.ts'
import { foldText } from './fold.ts'
import { locate } from './locate.ts'
import type { Located } from './locate.ts'
import { readPath } from './path.ts'
import type { PathFacts } from './path.ts'
import type { ContextField } from './condition.ts'
import { parsingOfDecision } from './parsing.ts'
import type { Parsing } from './parsing.ts'
import type { Pointer } from './pointer.ts'
import { roomOf } from './limit.ts'
import type { LimitTerms, Room } from './limit.ts'
import type { KnownLabel, PolicyState, RealPath, Usage } from './state.ts'
import { tablesIn } from './table-name.ts'
import type { TableName } from './table-name.ts'
import { TextFacts } from './text.ts'

/** Not asked for yet; `undefined` is an answer. */
const unasked: unique symbol = Symbol('unasked')
type Lazy<T> = T | typeof unasked

/**
 * What rules ask about one call, worked out when the first rule asks and then kept.
 *
 * `undefined` always means that it cannot be known. The arguments are walked at most once.
 */
export class Facts {
  /** What `shell` and `sql` may still read. */
  readonly parsing: Parsing
  readonly #event: ActionEvent
  readonly #names: NameRoles
  readonly #state: PolicyState | undefined
  #contents: Lazy<ArgumentContents | undefined> = unasked
  #text: TextFacts | undefined
  #amounts: AmountFacts | undefined
  #paths: Lazy<readonly (PathFacts | undefined)[] | undefined> = unasked
  #tables: Lazy<readonly TableName[] | undefined> = unasked
  #call: ArgumentCall | undefined
  #located: Map<string, readonly Located[]> | undefined
  #rooms: Map<LimitTerms, Room> | undefined
  #folded: Map<ContextField, string | undefined> | undefined

  constructor(
    event: ActionEvent,
    names: NameRoles,
    state?: PolicyState,
    parsing: Parsing = parsingOfDecision(),
  ) {
    this.parsing = parsing
    this.#event = event
    this.#names = names
    this.#state = state
  }

  /** The clock of the gate, milliseconds since the epoch. */
  get nowMs(): number | undefined {
    return this.#state?.nowMs
  }

  /** What has been charged to a pot within a time up to now. */
  usage(pot: string, windowMs: number): Usage | undefined {
    const state = this.#state
    return state?.usage(pot, state.nowMs - windowMs)
  }

  /** How much room a limit has for this call. */
  room(terms: LimitTerms): Room {
    this.#rooms ??= new Map()
    let room = this.#rooms.get(terms)
    if (room === undefined) {
      room = roomOf(terms, this)
      this.#rooms.set(terms, room)
    }
    return room
  }

  /** Whether the session has a label, about the value at a pointer where one is given. */
  label(name: string, bind: string | undefined): KnownLabel | undefined {
    return this.#state?.label(name, bind)
  }

  /** The canonical JSON of the one value at a pointer; undefined when there is none, or when it cannot be told which. */
  valueAt(pointer: Pointer): string | undefined {
    const [place, ...others] = this.at(pointer)
    if (place?.kind !== 'found' || !place.exact || others.length > 0) return undefined
    try {
      const text = canonicalizeExact(place.argument.value)
      return text.length <= limits.maxBindCharacters ? text : undefined
    } catch {
      // Half a character: no reader agrees with the next on what it is.
      return undefined
    }
  }

  get text(): TextFacts | undefined {
    const contents = this.#walked()
    if (contents === undefined) return undefined
    this.#text ??= new TextFacts(contents)
    return this.#text
  }

  get amounts(): AmountFacts | undefined {
    const contents = this.#walked()
    if (contents === undefined) return undefined
    this.#amounts ??= readAmounts(contents.amounts)
    return this.#amounts
  }

  /** A path of the call that cannot be read is an undefined element; undefined when there are too many. */
  get paths(): readonly (PathFacts | undefined)[] | undefined {
    if (this.#paths === unasked) this.#paths = pathsOf(this.#walked(), this.#state?.realPath)
    return this.#paths
  }

  /** As they are. */
  get arguments(): JsonObject {
    return this.#event.arguments
  }

  /** The tables that the arguments name; undefined when they cannot be looked at. */
  get tables(): readonly TableName[] | undefined {
    if (this.#tables === unasked) this.#tables = tablesIn(this.#event.arguments)
    return this.#tables
  }

  /** What the proxy knows; never anything from the arguments (POLICY.md 6). */
  context(field: ContextField): string | undefined {
    const { actor, environment, risk, context } = this.#event
    switch (field) {
      case 'actor':
        return actor
      case 'environment':
        return environment
      case 'risk':
        return risk
      case 'role':
        return context.role
      case 'tenant':
        return context.tenant
      case 'server':
        return context.server
      case 'tool':
        return context.tool
      case 'session':
        return context.session
    }
  }

  /** The same as guards compare it. */
  foldedContext(field: ContextField): string | undefined {
    this.#folded ??= new Map()
    if (!this.#folded.has(field)) {
      const value = this.context(field)
      this.#folded.set(field, value === undefined ? undefined : foldText(value)?.trim())
    }
    return this.#folded.get(field)
  }

  /** What stands at a pointer into the arguments; the same objects for every rule that asks. */
  at(pointer: Pointer): readonly Located[] {
    this.#located ??= new Map()
    let located = this.#located.get(pointer.text)
    if (located === undefined) {
      this.#call ??= {
        arguments: this.#event.arguments,
        parsing: this.parsing,
        realPath: this.#state?.realPath,
      }
      located = locate(this.#call, pointer)
      this.#located.set(pointer.text, located)
    }
    return located
  }

  #walked(): ArgumentContents | undefined {
    if (this.#contents === unasked) {
      const { arguments: root, argumentRoles } = this.#event
      this.#contents = walkArguments(root, argumentRoles, this.#names)
    }
    return this.#contents
  }
}

function pathsOf(
  contents: ArgumentContents | undefined,
  realPath: RealPath | undefined,
): readonly (PathFacts | undefined)[] | undefined {
  if (contents === undefined || contents.paths.length > limits.maxPathCandidates) return undefined
  let characters = 0
  for (const path of contents.paths) characters += typeof path === 'string' ? path.length : 0
  if (characters > limits.maxPathCharacters) return undefined
  return contents.paths.map((path) => readPath(path, realPath))
}
