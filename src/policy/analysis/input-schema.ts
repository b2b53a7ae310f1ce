import { limits } from '../../limits.ts'
import { isRecord, own } from '../starter/starter-tool.ts'

/** A token of a pointer; undefined is `*`, any element or member. */
type Token = string | undefined

/**
 * What a schema says of a place below it. `open`: something may stand there that nobody has written down; `silent`: it
 * says nothing of what is below it, and another schema of the same value may.
 */
type Saying = 'there' | 'open' | 'absent' | 'silent'

/** Whether something may stand at a pointer. */
export type PointerAnswer =
  | { readonly kind: 'there' | 'unknown' }
  /** `at` is the token that leads nowhere; beside it the schema has these names, or a list where none stands. */
  | {
      readonly kind: 'absent'
      readonly at: number
      readonly names: readonly string[]
      readonly isList: boolean
    }

type Schema = Readonly<Record<string, unknown>>

/**
 * Looks a pointer up in a JSON Schema, as far as that can be said without a value.
 *
 * Every draft since 4 is read, `$ref` inside of the document only. An object that lists `properties` and says nothing of
 * others is taken for one that has no others: a server hardly reads what it does not list. Where a schema says that there
 * may be more, or what it means is not known here, the answer is `unknown`.
 */
export function findInSchema(schema: unknown, tokens: readonly Token[]): PointerAnswer {
  const walk = new SchemaWalk(schema)
  const said = walk.at(schema, tokens, 0)
  if (said === 'there') return { kind: said }
  if (said !== 'absent' || walk.isSpent) return { kind: 'unknown' }
  const { at, names, isList } = walk.deepest
  return { kind: 'absent', at, names: [...names], isList }
}

class SchemaWalk {
  readonly #root: unknown
  #steps = 0
  #depth = 0
  /** Where the pointer got furthest, and what stands there instead. */
  deepest = { at: -1, names: new Set<string>(), isList: false }

  constructor(root: unknown) {
    this.#root = root
  }

  get isSpent(): boolean {
    return this.#steps > limits.maxSchemaSteps
  }

  /** What is said of the place to which the tokens from `at` on lead. */
  at(schema: unknown, tokens: readonly Token[], at: number): Saying {
    this.#steps += 1
    if (this.#depth > limits.maxSchemaDepth) this.#steps = limits.maxSchemaSteps + 1
    if (this.isSpent || schema === true) return 'open'
    if (schema === false) return 'absent'
    if (!isRecord(schema) || this.#isForeign(schema)) return 'open'
    if (at === tokens.length) return 'there'
    this.#depth += 1
    const said = together([this.#own(schema, tokens, at), ...this.#parts(schema, tokens, at)])
    this.#depth -= 1
    return said
  }

  /** Whether what it says depends on things that are not looked at here. */
  #isForeign(schema: Schema): boolean {
    const keywords = ['$dynamicRef', '$recursiveRef', ...(schema === this.#root ? [] : ['$id'])]
    return keywords.some((keyword) => Object.hasOwn(schema, keyword))
  }

  /** What the keywords say that hold other schemas of the same value. */
  #parts(schema: Schema, tokens: readonly Token[], at: number): readonly Saying[] {
    const all = (keyword: string): readonly Saying[] =>
      listAt(schema, keyword).map((one) => this.at(one, tokens, at))
    const orSilent = (keyword: string): Saying =>
      Object.hasOwn(schema, keyword) ? this.at(own(schema, keyword), tokens, at) : 'silent'
    const dependent = ['dependentSchemas', 'dependencies']
      .flatMap((keyword) => Object.values(recordAt(schema, keyword)))
      .filter((one) => !Array.isArray(one))
    return [
      ...all('allOf'),
      ...['anyOf', 'oneOf'].map((keyword) => either(all(keyword))),
      ...(Object.hasOwn(schema, 'if')
        ? [either([together([orSilent('if'), orSilent('then')]), orSilent('else')])]
        : []),
      ...dependent.map((one) => either([this.at(one, tokens, at), 'silent'])),
      ...this.#reference(schema, tokens, at),
    ]
  }

  #reference(schema: Schema, tokens: readonly Token[], at: number): readonly Saying[] {
    const reference = own(schema, '$ref')
    if (reference === undefined) return []
    const target = typeof reference === 'string' ? this.#target(reference) : undefined
    // A circle of references ends when its steps are spent, and then nothing is known.
    return [target === undefined ? 'open' : this.at(target, tokens, at)]
  }

  #target(reference: string): unknown {
    if (!/^#(?:\/|$)/.test(reference)) return undefined
    let value: unknown = this.#root
    for (const token of reference.split('/').slice(1)) {
      const name = decoded(token)?.replaceAll('~1', '/').replaceAll('~0', '~')
      if (name === undefined) return undefined
      if (Array.isArray(value) && /^\d{1,6}$/.test(name)) value = value[Number(name)]
      else value = isRecord(value) ? own(value, name) : undefined
    }
    return value
  }

  /** What the schema says by itself: of a value of any of its types. */
  #own(schema: Schema, tokens: readonly Token[], at: number): Saying {
    const types = typesOf(schema)
    const sayings: Saying[] = []
    if (types === undefined || types.has('object')) sayings.push(this.#member(schema, tokens, at))
    if (types === undefined || types.has('array')) sayings.push(this.#element(schema, tokens, at))
    if (sayings.length > 0) return types === undefined ? together(sayings) : either(sayings)
    // Nothing is inside of a text or a number.
    this.#missed(at, [], false)
    return 'absent'
  }

  #member(schema: Schema, tokens: readonly Token[], at: number): Saying {
    const properties = recordAt(schema, 'properties')
    const token = tokens[at]
    const wanted = token === undefined ? Object.keys(properties) : [token]
    const known = wanted.filter((name) => Object.hasOwn(properties, name))
    const inside = known.map((name) => this.#below(properties[name], tokens, at))
    if (known.length > 0 && token !== undefined) return either(inside)
    const others = this.#others(schema, tokens, at)
    if (others === 'silent' && !isRecord(own(schema, 'properties'))) return either(inside, 'silent')
    if (known.length === 0) this.#missed(at, Object.keys(properties), false)
    return either([...inside, others === 'silent' ? 'absent' : others])
  }

  /** What is said of members that are not listed. */
  #others(schema: Schema, tokens: readonly Token[], at: number): Saying {
    if (Object.keys(recordAt(schema, 'patternProperties')).length > 0) return 'open'
    // It asks for what it does not list.
    if (listAt(schema, 'required').includes(tokens[at])) return 'open'
    for (const keyword of ['additionalProperties', 'unevaluatedProperties']) {
      const others = own(schema, keyword)
      if (others === false) return 'absent'
      if (others === undefined) continue
      // Of what stands inside of any member more may be known than that there may be one.
      const said = this.#below(others, tokens, at)
      return said === 'there' && at + 1 < tokens.length ? said : said === 'absent' ? said : 'open'
    }
    return 'silent'
  }

  #element(schema: Schema, tokens: readonly Token[], at: number): Saying {
    const token = tokens[at]
    const first = [...listAt(schema, 'prefixItems'), ...listAt(schema, 'items')]
    const items = own(schema, 'items')
    const further = Array.isArray(items) ? own(schema, 'additionalItems') : items
    const isList = first.length > 0 || further !== undefined
    if (!isList) return typesOf(schema) === undefined ? 'silent' : 'open'
    if (token !== undefined && !/^\d+$/.test(token)) {
      this.#missed(at, [], true)
      return 'absent'
    }
    const listed = token === undefined ? first : first.slice(Number(token), Number(token) + 1)
    const rest = token === undefined || listed.length === 0 ? [further ?? true] : []
    return either([...listed, ...rest].map((one) => this.#below(one, tokens, at)))
  }

  /** What is said of a place inside: what is listed, and says nothing of what is in it, may hold anything. */
  #below(schema: unknown, tokens: readonly Token[], at: number): Saying {
    const said = this.at(schema, tokens, at + 1)
    return said === 'silent' ? 'open' : said
  }

  #missed(at: number, names: readonly string[], isList: boolean): void {
    if (at > this.deepest.at) this.deepest = { at, names: new Set(), isList }
    if (at < this.deepest.at) return
    this.deepest.isList ||= isList
    for (const name of names) this.deepest.names.add(name)
  }
}

/** Schemas that have to be met together: what one of them lists is there, and what one leaves open nobody knows. */
function together(sayings: readonly Saying[]): Saying {
  return earliest(['there', 'open', 'absent'], sayings)
}

/** Schemas one of which has to be met; without any, what is said otherwise. */
function either(sayings: readonly Saying[], otherwise: Saying = 'silent'): Saying {
  if (sayings.length === 0) return otherwise
  return earliest(['there', 'open', 'silent', 'absent'], sayings)
}

function earliest(order: readonly Saying[], sayings: readonly Saying[]): Saying {
  return order.find((one) => sayings.includes(one)) ?? 'silent'
}

function typesOf(schema: Schema): ReadonlySet<unknown> | undefined {
  const type = own(schema, 'type')
  if (type === undefined) return undefined
  return new Set<unknown>(Array.isArray(type) ? type : [type])
}

function recordAt(schema: Schema, keyword: string): Schema {
  const value = own(schema, keyword)
  return isRecord(value) ? value : {}
}

function listAt(schema: Schema, keyword: string): readonly unknown[] {
  const value = own(schema, keyword)
  return Array.isArray(value) ? value : []
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
