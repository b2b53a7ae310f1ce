import { partsOf, type Code, type FunctionCode, type NameCode, type Parameter } from './tree.ts'

/** A name, and everything that is known of it in its file. */
export interface Binding {
  readonly name: string
  /** What made it known, and what was given to it since. */
  readonly sources: readonly Source[]
  /** Where it is used, other than to give it a value. */
  readonly uses: readonly NameCode[]
  /** What other files find it as. */
  readonly exportedAs: ReadonlySet<string>
}

/** What a name may be. */
export type Source =
  | { readonly kind: 'value'; readonly code: Code }
  | { readonly kind: 'type'; readonly code: Code }
  | { readonly kind: 'import'; readonly module: string; readonly name: string | undefined }
  | { readonly kind: 'parameter'; readonly of: FunctionCode; readonly parameter: Parameter }
  | { readonly kind: 'unknown' }

interface OpenBinding {
  readonly name: string
  readonly sources: Source[]
  readonly uses: NameCode[]
  readonly exportedAs: Set<string>
}

class Scope {
  readonly names = new Map<string, OpenBinding>()
  readonly outer: Scope | undefined
  /** The scope of the function it is in; itself when it is one. */
  readonly whole: Scope

  constructor(outer: Scope | undefined, isFunction: boolean) {
    this.outer = outer
    this.whole = isFunction || outer === undefined ? this : outer.whole
  }

  declare(name: string): OpenBinding {
    const found = this.names.get(name)
    if (found !== undefined) return found
    const made: OpenBinding = { name, sources: [], uses: [], exportedAs: new Set() }
    this.names.set(name, made)
    return made
  }

  find(name: string): OpenBinding | undefined {
    return this.names.get(name) ?? this.outer?.find(name)
  }
}

/** Which name means what, in one file: an inner name hides an outer one. */
export class Names {
  readonly #parents = new Map<Code, Code>()
  readonly #scopes = new Map<NameCode, Scope>()
  readonly #bindings = new Map<NameCode, OpenBinding>()
  readonly #file = new Scope(undefined, true)
  readonly #all: Code[] = []
  readonly #stars: string[] = []

  constructor(parts: readonly Code[]) {
    for (const part of parts) this.#enter(part, this.#file)
    for (const [name, scope] of this.#scopes) this.#resolve(name, scope)
  }

  /** Every piece of code of the file, what holds others before what it holds. */
  get all(): readonly Code[] {
    return this.#all
  }

  /** What holds a piece of code. */
  parentOf(code: Code): Code | undefined {
    return this.#parents.get(code)
  }

  /** What a name means; undefined when nothing in the file says. */
  bindingOf(name: NameCode): Binding | undefined {
    return this.#bindings.get(name)
  }

  /** What a name means at the top of the file. */
  topBinding(name: string): Binding | undefined {
    return this.#file.names.get(name)
  }

  /** Modules of which every name is known here. */
  get stars(): readonly string[] {
    return this.#stars
  }

  /** The names at the top of the file. */
  get top(): readonly Binding[] {
    return [...this.#file.names.values()]
  }

  /** What a declared name is everywhere: the uses of the name that a declaration makes known. */
  declaredBy(code: Code): Binding | undefined {
    return this.#declared.get(code)
  }

  readonly #declared = new Map<Code, OpenBinding>()

  #enter(code: Code, scope: Scope): void {
    this.#all.push(code)
    const inner = this.#declareIn(code, scope)
    for (const part of partsOf(code)) {
      this.#parents.set(part, code)
      this.#enter(part, inner)
    }
  }

  #declareIn(code: Code, scope: Scope): Scope {
    switch (code.kind) {
      case 'name':
        this.#scopes.set(code, scope)
        return scope
      case 'import':
        if (code.local === '*') this.#stars.push(code.module)
        else if (code.local !== undefined) {
          const { module, name } = code
          const binding = scope.declare(code.local)
          binding.sources.push({ kind: 'import', module, name })
          this.#declared.set(code, binding)
        }
        return scope
      case 'declare': {
        const binding = (code.isHoisted ? scope.whole : scope).declare(code.name)
        this.#declared.set(code, binding)
        if (code.value !== undefined) binding.sources.push({ kind: 'value', code: code.value })
        else if (code.type !== undefined) binding.sources.push({ kind: 'type', code: code.type })
        if (code.isExported) binding.exportedAs.add(code.name)
        return scope
      }
      case 'block':
        return new Scope(scope, false)
      case 'function':
        return functionScope(code, scope)
      case 'class': {
        const inner = new Scope(scope, false)
        if (code.name !== undefined) inner.declare(code.name).sources.push({ kind: 'value', code })
        return inner
      }
      case 'assign':
      case 'call':
      case 'choice':
      case 'export':
      case 'flag':
      case 'list':
      case 'member':
      case 'object':
      case 'other':
      case 'return':
      case 'text':
        return scope
      default:
        return code satisfies never
    }
  }

  #resolve(name: NameCode, scope: Scope): void {
    const binding = scope.find(name.name)
    if (binding === undefined) return
    this.#bindings.set(name, binding)
    const parent = this.#parents.get(name)
    if (parent?.kind === 'assign' && parent.target === name) {
      binding.sources.push({ kind: 'value', code: parent.value })
      this.#declared.set(parent, binding)
      return
    }
    if (parent?.kind === 'export') binding.exportedAs.add(parent.name ?? name.name)
    else binding.uses.push(name)
  }
}

function functionScope(code: FunctionCode, outer: Scope): Scope {
  const scope = new Scope(outer, true)
  if (code.name !== undefined) scope.declare(code.name).sources.push({ kind: 'value', code })
  for (const parameter of code.parameters) {
    // A parameter hides the function's own name.
    scope.names.delete(parameter.name)
    const { sources } = scope.declare(parameter.name)
    sources.push({ kind: 'parameter', of: code, parameter })
  }
  return scope
}
