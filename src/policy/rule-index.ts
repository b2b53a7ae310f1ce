import type { Capability } from '../event/capability.ts'
import type { CapabilityPattern } from './capability-pattern.ts'
import { compileGlob } from './glob.ts'
import type { Glob } from './glob.ts'

/** A pattern with what is to be found by it. */
export interface Indexed {
  readonly pattern: CapabilityPattern
}

/** Rules that share a key, and what else their patterns ask. */
interface Bucket<Rule> {
  readonly rules: Rule[]
  /** For each rule: undefined when the key says it all. */
  readonly globs: (((capability: Capability) => boolean) | undefined)[]
}

/** One of the eight ways in which the names of a pattern can be fixed or open. */
interface Mask<Rule> {
  readonly resource: boolean
  readonly action: boolean
  readonly scope: boolean
  readonly buckets: Map<number, Bucket<Rule>>
}

/** Numbers of names are below this, so that three of them make one safe integer. */
const maxNames = 2 ** 17
const anyName = 0

/**
 * Finds the rules whose capability fits, by one look-up for each kind of wildcard in use (POLICY.md "Speed").
 *
 * Names are numbered, so that a key is a number; a name that no rule has fits no key but the open ones.
 */
export class RuleIndex<Rule extends Indexed> {
  readonly #fold: (name: string) => string
  readonly #names = new Map<string, number>()
  readonly #masks: Mask<Rule>[] = []

  /** @param ignoreCase guards fit whatever the case; grants only as written */
  constructor(rules: readonly Rule[], ignoreCase: boolean) {
    this.#fold = ignoreCase ? (name) => name.toLowerCase() : (name) => name
    for (const rule of rules) this.#add(rule)
  }

  /** Whether there is nothing to find. */
  get isEmpty(): boolean {
    return this.#masks.length === 0
  }

  /** Calls `visit` with each rule that fits; stops when it says true. */
  visit(capability: Capability, visit: (rule: Rule) => boolean): void {
    const resource = this.#numberOf(capability.resource)
    const action = this.#numberOf(capability.action)
    const scope = this.#numberOf(capability.scope)
    for (const mask of this.#masks) {
      const key = keyOf(
        mask.resource ? resource : anyName,
        mask.action ? action : anyName,
        mask.scope ? scope : anyName,
      )
      const bucket = mask.buckets.get(key)
      if (bucket !== undefined && this.#visitBucket(bucket, capability, visit)) return
    }
  }

  /** Each bucket's rules together: they look at the same calls. */
  buckets(): readonly (readonly Rule[])[] {
    return this.#masks.flatMap((mask) => [...mask.buckets.values()].map(({ rules }) => rules))
  }

  #visitBucket(
    { rules, globs }: Bucket<Rule>,
    capability: Capability,
    visit: (rule: Rule) => boolean,
  ): boolean {
    for (const [at, rule] of rules.entries()) {
      if (globs[at]?.(capability) === false) continue
      if (visit(rule)) return true
    }
    return false
  }

  #add(rule: Rule): void {
    const { resource, action, scope } = rule.pattern
    const mask = this.#mask(!resource.includes('*'), !action.includes('*'), !scope.includes('*'))
    const key = keyOf(
      mask.resource ? this.#intern(resource) : anyName,
      mask.action ? this.#intern(action) : anyName,
      mask.scope ? this.#intern(scope) : anyName,
    )
    let bucket = mask.buckets.get(key)
    if (bucket === undefined) {
      bucket = { rules: [], globs: [] }
      mask.buckets.set(key, bucket)
    }
    bucket.rules.push(rule)
    bucket.globs.push(this.#globsOf(rule.pattern))
  }

  #mask(resource: boolean, action: boolean, scope: boolean): Mask<Rule> {
    const known = this.#masks.find(
      (mask) => mask.resource === resource && mask.action === action && mask.scope === scope,
    )
    if (known !== undefined) return known
    const mask = { resource, action, scope, buckets: new Map<number, Bucket<Rule>>() }
    this.#masks.push(mask)
    return mask
  }

  /** A test of the names in which a `*` stands beside other characters. */
  #globsOf(pattern: CapabilityPattern): ((capability: Capability) => boolean) | undefined {
    const names = ['resource', 'action', 'scope'] as const
    const tests = names.flatMap((name): { name: (typeof names)[number]; glob: Glob }[] => {
      const text = pattern[name]
      const isGlob = text.includes('*') && text !== '*'
      return isGlob ? [{ name, glob: compileGlob(this.#fold(text)) }] : []
    })
    if (tests.length === 0) return undefined
    return (capability) => tests.every(({ name, glob }) => glob(this.#fold(capability[name])))
  }

  #intern(name: string): number {
    const folded = this.#fold(name)
    const known = this.#names.get(folded)
    if (known !== undefined) return known
    // One is for names that no rule has, so that they fit no key.
    const number = this.#names.size + 2
    this.#names.set(folded, number)
    return number
  }

  #numberOf(name: string): number {
    return this.#names.get(this.#fold(name)) ?? 1
  }
}

function keyOf(resource: number, action: number, scope: number): number {
  return (resource * maxNames + action) * maxNames + scope
}
