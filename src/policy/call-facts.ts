import type { ActionEvent } from '../event/action-event.ts'
import { limits } from '../limits.ts'
import { readAmounts } from './amount.ts'
import type { AmountFacts } from './amount.ts'
import type { NameRoles } from './argument-name.ts'
import { walkArguments } from './argument-walk.ts'
import type { ArgumentContents } from './argument-walk.ts'
import { readPath } from './path.ts'
import type { PathFacts } from './path.ts'
import type { ContextField } from './rule.ts'
import { TextFacts } from './text.ts'

/** The paths of one call, and whether there are more than are compared. */
export interface PathCandidates {
  readonly tooMany: boolean
  readonly paths: readonly (PathFacts | undefined)[]
}

/**
 * What rules look at in one call, worked out when the first rule asks, and once.
 *
 * Everything is undefined when the arguments are too large to look at: then nothing about them is known.
 */
export class CallFacts {
  readonly event: ActionEvent
  readonly #names: NameRoles
  #contents: ArgumentContents | undefined
  #isWalked = false
  #text: TextFacts | undefined
  #amounts: AmountFacts | undefined
  #paths: PathCandidates | undefined

  constructor(event: ActionEvent, names: NameRoles) {
    this.event = event
    this.#names = names
  }

  get text(): TextFacts | undefined {
    const contents = this.#walk()
    if (contents !== undefined) this.#text ??= new TextFacts(contents)
    return this.#text
  }

  get amounts(): AmountFacts | undefined {
    const contents = this.#walk()
    if (contents !== undefined) this.#amounts ??= readAmounts(contents.amounts)
    return this.#amounts
  }

  get paths(): PathCandidates | undefined {
    const contents = this.#walk()
    if (contents !== undefined) this.#paths ??= readPaths(contents)
    return this.#paths
  }

  /** What the proxy knows of the call; undefined where it does not. */
  context(field: ContextField): string | undefined {
    const { event } = this
    if (field === 'actor' || field === 'environment' || field === 'risk') return event[field]
    return event.context[field]
  }

  #walk(): ArgumentContents | undefined {
    if (!this.#isWalked) {
      this.#isWalked = true
      this.#contents = walkArguments(this.event.arguments, this.event.argumentRoles, this.#names)
    }
    return this.#contents
  }
}

function readPaths({ paths }: ArgumentContents): PathCandidates {
  let characters = 0
  for (const path of paths) if (typeof path === 'string') characters += path.length
  const tooMany = paths.length > limits.maxPathCandidates || characters > limits.maxPathCharacters
  return { tooMany, paths: tooMany ? [] : paths.map(readPath) }
}
