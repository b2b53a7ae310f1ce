import type { Capability } from '../event/capability.ts'
import type { CapabilityPattern } from './capability-pattern.ts'
import { compileGlob } from './glob.ts'
import type { Glob } from './glob.ts'

/** What may follow one name of a pattern: a literal, any name, or a name of some shape. */
class Step<Next extends object> {
  any: Next | undefined
  readonly globs: { readonly text: string; readonly matches: Glob; readonly next: Next }[] = []
  // The first literal has no table: most steps have no other, and a table would be one more place in memory to visit.
  #firstName: string | undefined
  #first: Next | undefined
  #others: Map<string, Next> | undefined

  /** What follows a literal name. */
  literal(name: string): Next | undefined {
    return this.#firstName === name ? this.#first : this.#others?.get(name)
  }

  /** What follows `name` of a pattern, made by `make` when it is the first of its kind. */
  at(name: string, make: () => Next): Next {
    if (name === '*') {
      this.any ??= make()
      return this.any
    }
    const isGlob = name.includes('*')
    const known = isGlob ? this.globs.find(({ text }) => text === name)?.next : this.literal(name)
    if (known !== undefined) return known
    const next = make()
    if (isGlob) this.globs.push({ text: name, matches: compileGlob(name), next })
    else this.#add(name, next)
    return next
  }

  #add(name: string, next: Next): void {
    if (this.#firstName === undefined) {
      this.#firstName = name
      this.#first = next
      return
    }
    this.#others ??= new Map()
    this.#others.set(name, next)
  }
}

/**
 * Buckets of rules by capability pattern: rules with the same pattern share a bucket.
 *
 * A look-up goes down three steps, one for each name, and takes at each the literal and the wildcard if they exist:
 * at most seven hash look-ups find the at most eight buckets of patterns without a glob inside a name, however many
 * rules there are.
 */
export class RuleIndex<Bucket extends object> {
  readonly #root: Step<Step<Step<Bucket>>> = new Step()
  readonly #makeBucket: () => Bucket

  constructor(makeBucket: () => Bucket) {
    this.#makeBucket = makeBucket
  }

  /** The bucket of a pattern, made when it is new. */
  bucketOf({ resource, action, scope }: CapabilityPattern): Bucket {
    return this.#root
      .at(resource, () => new Step())
      .at(action, () => new Step())
      .at(scope, this.#makeBucket)
  }

  /** The buckets of all patterns that match. */
  find(capability: Capability): readonly Bucket[] {
    const found: Bucket[] = []
    const literal = this.#root.literal(capability.resource)
    if (literal !== undefined) inActions(literal, capability, found)
    if (this.#root.any !== undefined) inActions(this.#root.any, capability, found)
    for (const { matches, next } of this.#root.globs) {
      if (matches(capability.resource)) inActions(next, capability, found)
    }
    return found
  }
}

function inActions<Bucket extends object>(
  actions: Step<Step<Bucket>>,
  capability: Capability,
  found: Bucket[],
): void {
  const literal = actions.literal(capability.action)
  if (literal !== undefined) inScopes(literal, capability, found)
  if (actions.any !== undefined) inScopes(actions.any, capability, found)
  for (const { matches, next } of actions.globs) {
    if (matches(capability.action)) inScopes(next, capability, found)
  }
}

function inScopes<Bucket extends object>(
  scopes: Step<Bucket>,
  capability: Capability,
  found: Bucket[],
): void {
  const literal = scopes.literal(capability.scope)
  if (literal !== undefined) found.push(literal)
  if (scopes.any !== undefined) found.push(scopes.any)
  for (const { matches, next } of scopes.globs) {
    if (matches(capability.scope)) found.push(next)
  }
}
