import type { Binding, Names, Source } from './names.ts'
import {
  partsOf,
  type CallCode,
  type ClassCode,
  type Code,
  type FunctionCode,
  type MemberCode,
  type NameCode,
  type Parameter,
} from './tree.ts'

/**
 * What a piece of code may be.
 *
 * `outside` comes from another module: `path` is how it is reached there, with `()` for what a call of it, or an instance,
 * gives: `McpServer().registerTool`.
 */
export type Value =
  | { readonly kind: 'outside'; readonly module: string; readonly path: string }
  | { readonly kind: 'local'; readonly code: Code }
  | { readonly kind: 'unknown' }

/** What another module of the project offers: the values of a name; undefined when the module is not part of it. */
export type Neighbours = (module: string, name: string) => readonly Value[] | undefined

/** What a parameter is by the call that its function is given to; undefined when nothing says. */
export type CallbackValue = (
  callee: Value,
  argument: number,
  parameter: number,
) => Value | undefined

const unknown: readonly Value[] = [{ kind: 'unknown' }]
/** How far one answer may lead to the next; more is not told. */
const maxSteps = 24
/** How many values a piece of code may have, before it counts as unknown. */
const maxValues = 16

/** Follows names to what they are, in one file. Nothing is computed: only what stands there is found. */
export class Values {
  readonly #names: Names
  readonly #neighbours: Neighbours
  readonly #callback: CallbackValue
  readonly #known = new Map<Code, readonly Value[]>()
  #steps = 0

  constructor(names: Names, neighbours: Neighbours, callback: CallbackValue) {
    this.#names = names
    this.#neighbours = neighbours
    this.#callback = callback
  }

  /** Everything that a piece of code may be; more than one when that depends on what happens. */
  of(code: Code): readonly Value[] {
    const known = this.#known.get(code)
    if (known !== undefined) return known
    if (this.#steps > maxSteps) return unknown
    // Whoever asks for it again before it is known goes in a circle.
    this.#known.set(code, unknown)
    this.#steps += 1
    const found = this.#find(code)
    this.#steps -= 1
    const values = found.length === 0 || found.length > maxValues ? unknown : found
    // Close to the end of the steps an answer may be cut short; asked from elsewhere it may be known.
    if (this.#steps === 0 || values !== unknown) this.#known.set(code, values)
    else this.#known.delete(code)
    return values
  }

  #find(code: Code): readonly Value[] {
    switch (code.kind) {
      case 'name':
        return this.#name(code)
      case 'member':
        return this.#member(code)
      case 'call':
        return this.#call(code)
      case 'choice':
        return code.options.flatMap((option) => this.of(option))
      case 'assign':
        return this.of(code.value)
      case 'import':
        return this.#imported(code.module, code.name)
      case 'object':
      case 'list':
      case 'text':
      case 'flag':
      case 'function':
      case 'class':
        return [{ kind: 'local', code }]
      case 'block':
      case 'declare':
      case 'export':
      case 'other':
      case 'return':
        return unknown
      default:
        return code satisfies never
    }
  }

  #name(code: NameCode): readonly Value[] {
    if (code.name === 'this') {
      const around = this.#classAround(code)
      return around === undefined ? unknown : this.#instanceOf({ kind: 'local', code: around })
    }
    const binding = this.#names.bindingOf(code)
    return binding === undefined ? this.#global(code.name) : this.ofBinding(binding)
  }

  /** Everything that a name may be. */
  ofBinding(binding: Binding): readonly Value[] {
    return binding.sources.flatMap((source) => this.#source(source))
  }

  #global(name: string): readonly Value[] {
    const stars = this.#names.stars.flatMap((module) => this.#imported(module, name))
    if (stars.length > 0) return stars
    return [{ kind: 'outside', module: '', path: name }]
  }

  #source(source: Source): readonly Value[] {
    switch (source.kind) {
      case 'value':
        return this.of(source.code)
      case 'type':
        return this.#typed(source.code)
      case 'import':
        return this.#imported(source.module, source.name)
      case 'parameter':
        return this.#parameter(source.of, source.parameter)
      case 'unknown':
        return unknown
      default:
        return source satisfies never
    }
  }

  #typed(type: Code): readonly Value[] {
    return this.of(type).flatMap((value) => this.#instanceOf(value))
  }

  #imported(module: string, name: string | undefined): readonly Value[] {
    const path = name ?? ''
    return this.#neighbours(module, path) ?? [{ kind: 'outside', module, path }]
  }

  #parameter(of: FunctionCode, { type, initial, place }: Parameter): readonly Value[] {
    if (type !== undefined) return this.#typed(type)
    const given = place === undefined ? [] : this.#givenTo(of, place)
    const usual = initial === undefined ? [] : this.of(initial)
    return [...given, ...usual]
  }

  /** What a parameter gets: from the calls of its function in this file, or from whom the function is given to. */
  #givenTo(of: FunctionCode, place: number): readonly Value[] {
    const parent = this.#names.parentOf(of)
    if (parent?.kind === 'call') {
      const argument = parent.args.findIndex(({ value }) => value === of)
      const found = this.of(parent.callee).flatMap((callee) => {
        const value = this.#callback(callee, argument, place)
        return value === undefined ? [] : [value]
      })
      return found
    }
    const binding = parent === undefined ? undefined : this.#names.declaredBy(parent)
    return (binding?.uses ?? []).flatMap((use) => {
      const call = this.#names.parentOf(use)
      if (call?.kind !== 'call' || call.callee !== use) return []
      const before = call.args.slice(0, place + 1)
      const argument = before[place]
      return argument === undefined || before.some(({ isSpread }) => isSpread)
        ? []
        : this.of(argument.value)
    })
  }

  #member({ object, name }: MemberCode): readonly Value[] {
    return this.of(object).flatMap((value) => this.partOf(value, name))
  }

  /** A part of a value, by its name. */
  partOf(value: Value, name: string): readonly Value[] {
    if (value.kind === 'unknown') return unknown
    if (value.kind === 'outside') {
      const { module, path } = value
      const isModule = path === '' || path === 'default'
      // `from package import module` gives a module too.
      const found = this.#neighbours(isModule ? module : joined(module, path), name)
      if (found !== undefined) return found
      return [{ kind: 'outside', module, path: isModule ? name : `${path}.${name}` }]
    }
    const { code } = value
    if (code.kind === 'object') {
      const entry = code.entries.findLast((one) => one.name === name)
      return entry === undefined ? unknown : this.of(entry.value)
    }
    if (code.kind === 'list') {
      const item = code.items[Number(name)]
      return item === undefined ? unknown : this.of(item)
    }
    return code.kind === 'class' ? this.#fieldOf(code, name) : unknown
  }

  /** A method or field: of the class, of what is given to `this.name` in it, or of what it is made from. */
  #fieldOf(code: ClassCode, name: string): readonly Value[] {
    const own = code.members.filter((member) => member.name === name)
    const found = own.flatMap(({ value, type }) => [
      ...(value === undefined ? [] : this.of(value)),
      ...(value === undefined && type !== undefined ? this.#typed(type) : []),
    ])
    const given = this.#givenToFields(code).get(name) ?? []
    const all = [...found, ...given.flatMap((one) => this.of(one))].filter(
      ({ kind }) => kind !== 'unknown',
    )
    if (all.length > 0 || own.length > 0) return all
    return code.bases.flatMap((base) =>
      this.of(base).flatMap((value) =>
        this.#instanceOf(value).flatMap((instance) =>
          instance.kind === 'local' && instance.code === code ? [] : this.partOf(instance, name),
        ),
      ),
    )
  }

  readonly #fields = new Map<ClassCode, ReadonlyMap<string, readonly Code[]>>()

  #givenToFields(code: ClassCode): ReadonlyMap<string, readonly Code[]> {
    const known = this.#fields.get(code)
    if (known !== undefined) return known
    const found = new Map<string, Code[]>()
    const walk = (part: Code): void => {
      if (part.kind === 'assign' && part.target.kind === 'member') {
        const { object, name } = part.target
        if (object.kind === 'name' && object.name === 'this')
          found.set(name, [...(found.get(name) ?? []), part.value])
      }
      if (part.kind !== 'class') for (const inner of partsOf(part)) walk(inner)
    }
    for (const part of partsOf(code)) walk(part)
    this.#fields.set(code, found)
    return found
  }

  #call(code: CallCode): readonly Value[] {
    return this.of(code.callee).flatMap((value) => this.#instanceOf(value))
  }

  /** What a call of a value gives, or an instance of it. */
  #instanceOf(value: Value): readonly Value[] {
    if (value.kind === 'unknown') return unknown
    if (value.kind === 'outside')
      return [{ kind: 'outside', module: value.module, path: `${value.path}()` }]
    const { code } = value
    if (code.kind === 'class') return [value]
    return code.kind === 'function' ? returnsOf(code).flatMap((answer) => this.of(answer)) : unknown
  }

  /** The classes from other modules that a class is made from, sooner or later. */
  outsideBases(code: ClassCode, seen: ReadonlySet<Code> = new Set()): readonly Value[] {
    if (seen.has(code)) return []
    return code.bases.flatMap((base) =>
      this.of(base).flatMap((value) =>
        value.kind === 'local' && value.code.kind === 'class'
          ? this.outsideBases(value.code, new Set([...seen, code]))
          : [value],
      ),
    )
  }

  #classAround(code: Code): ClassCode | undefined {
    for (let at = this.#names.parentOf(code); at !== undefined; at = this.#names.parentOf(at)) {
      if (at.kind === 'class') return at
    }
    return undefined
  }
}

function joined(module: string, name: string): string {
  return module.endsWith('.') ? `${module}${name}` : `${module}.${name}`
}

/** The answers of a function, without those of functions in it. */
function returnsOf(code: FunctionCode): readonly Code[] {
  const found: Code[] = []
  const walk = (part: Code): void => {
    if (part.kind === 'return') found.push(part.value)
    if (part.kind !== 'function' && part.kind !== 'class')
      for (const inner of partsOf(part)) walk(inner)
  }
  for (const part of code.body) walk(part)
  return found
}
