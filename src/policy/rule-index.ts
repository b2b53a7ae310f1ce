import type { Capability } from '../event/capability.ts'
import type { CapabilityPattern } from './capability-pattern.ts'
import { compileGlob } from './glob.ts'
import type { Glob } from './glob.ts'

/** One name of a pattern: what follows a literal, any name, or a name of some shape. */
class Step<Next> {
  readonly literals = new Map<string, Next>()
  any: Next | undefined
  readonly globs: { readonly text: string; readonly matches: Glob; readonly next: Next }[] = []

  /** What follows `name` of a pattern, made by `make` when it is the first of its kind. */
  at(name: string, make: () => Next): Next {
    if (name === '*') return (this.any ??= make())
    if (name.includes('*')) return this.#glob(name, make)
    const known = this.literals.get(name)
    if (known !== undefined) return known
    const next = make()
    this.literals.set(name, next)
    return next
  }

  #glob(text: string, make: () => Next): Next {
    const known = this.globs.find((glob) => glob.text === text)
    if (known !== undefined) return known.next
    const next = make()
    this.globs.push({ text, matches: compileGlob(text), next })
    return next
  }
}

/**
 * Buckets of rules by capability pattern: rules with the same pattern share a bucket.
 *
 * A look-up goes down three steps, one for each name, and takes at each the literal and the wildcard if they exist:
 * at most seven hash look-ups find the at most eight buckets of patterns without a glob inside a name, however many
 * rules there are.
 */
export class RuleIndex<Bucket> {
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
  find({ resource, action, scope }: Capability): readonly Bucket[] {
    const found: Bucket[] = []
    each(this.#root, resource, (actions) => {
      each(actions, action, (scopes) => {
        each(scopes, scope, (bucket) => found.push(bucket))
      })
    })
    return found
  }
}

function each<Next>(step: Step<Next>, name: string, visit: (next: Next) => void): void {
  const literal = step.literals.get(name)
  if (literal !== undefined) visit(literal)
  if (step.any !== undefined) visit(step.any)
  for (const { matches, next } of step.globs) {
    if (matches(name)) visit(next)
  }
}
