import type { Capability } from '../event/capability.ts'
import type { CapabilityPattern } from './capability-pattern.ts'
import { compileGlob } from './glob.ts'
import type { Glob } from './glob.ts'

interface GlobStep<Next> {
  readonly text: string
  readonly matches: Glob
  readonly next: Next
}

/** One for all steps, so that it is always near. */
const noGlobs: never[] = []

/**
 * Guards ignore case; names of capabilities are ASCII, so that lower case is all there is to it.
 *
 * @returns the capability itself when it has no capitals
 */
export function lowerCased(capability: Capability): Capability {
  const { resource, action, scope } = capability
  if (!hasCapital(resource) && !hasCapital(action) && !hasCapital(scope)) return capability
  return {
    resource: resource.toLowerCase(),
    action: action.toLowerCase(),
    scope: scope.toLowerCase(),
  }
}

// Faster than a pattern, for names are short.
function hasCapital(name: string): boolean {
  for (let at = 0; at < name.length; at += 1) {
    const code = name.charCodeAt(at)
    if (code >= 0x41 && code <= 0x5a) return true
  }
  return false
}

/** What may follow one name of a pattern: a literal, any name, or a name of some shape. */
class Step<Next extends object> {
  any: Next | undefined
  globs: GlobStep<Next>[] = noGlobs
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
    if (isGlob) this.#addGlob(name, next)
    else this.#add(name, next)
    return next
  }

  #addGlob(text: string, next: Next): void {
    if (this.globs.length === 0) this.globs = []
    this.globs.push({ text, matches: compileGlob(text), next })
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
  /** Each name once: those that many rules have, such as the scope, are always near. */
  readonly #names = new Map<string, string>()
  readonly #makeBucket: () => Bucket

  constructor(makeBucket: () => Bucket) {
    this.#makeBucket = makeBucket
  }

  /** The bucket of a pattern, made when it is new. */
  bucketOf({ resource, action, scope }: CapabilityPattern): Bucket {
    return this.#root
      .at(this.#once(resource), () => new Step())
      .at(this.#once(action), () => new Step())
      .at(this.#once(scope), this.#makeBucket)
  }

  /** The buckets of all patterns that match. */
  find(capability: Capability): readonly Bucket[] {
    let found: Bucket[] = noBuckets
    const literal = this.#root.literal(capability.resource)
    if (literal !== undefined) found = inActions(literal, capability, found)
    if (this.#root.any !== undefined) found = inActions(this.#root.any, capability, found)
    for (const { matches, next } of this.#root.globs) {
      if (matches(capability.resource)) found = inActions(next, capability, found)
    }
    return found
  }

  #once(name: string): string {
    const known = this.#names.get(name)
    if (known !== undefined) return known
    this.#names.set(name, name)
    return name
  }
}

const noBuckets: never[] = []

function inActions<Bucket extends object>(
  actions: Step<Step<Bucket>>,
  capability: Capability,
  before: Bucket[],
): Bucket[] {
  let found = before
  const literal = actions.literal(capability.action)
  if (literal !== undefined) found = inScopes(literal, capability, found)
  if (actions.any !== undefined) found = inScopes(actions.any, capability, found)
  for (const { matches, next } of actions.globs) {
    if (matches(capability.action)) found = inScopes(next, capability, found)
  }
  return found
}

function inScopes<Bucket extends object>(
  scopes: Step<Bucket>,
  capability: Capability,
  before: Bucket[],
): Bucket[] {
  let found = before
  const literal = scopes.literal(capability.scope)
  if (literal !== undefined) found = and(found, literal)
  if (scopes.any !== undefined) found = and(found, scopes.any)
  for (const { matches, next } of scopes.globs) {
    if (matches(capability.scope)) found = and(found, next)
  }
  return found
}

/** A list of one is made as such, because nearly all are; one that grows takes room for many. */
function and<Bucket>(found: Bucket[], bucket: Bucket): Bucket[] {
  if (found.length === 0) return [bucket]
  found.push(bucket)
  return found
}
