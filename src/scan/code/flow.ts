import { isAbout, type Carriers, type Language } from './framework.ts'
import { comesFromGate, isGateName, type GateNames } from './gates.ts'
import type { Binding, Names } from './names.ts'
import { partsOf, type CallCode, type Code, type FunctionCode } from './tree.ts'
import type { Value, Values } from './values.ts'

/**
 * Where a value goes: to the gate, to nobody, or to where something may use it without the gate.
 *
 * `exported` goes to nobody here, and others can find it.
 */
export type Way = 'gated' | 'idle' | 'open' | 'exported'

/** Follows values of one file to the gate. */
export class Flow {
  readonly #names: Names
  readonly #values: Values
  readonly #gates: GateNames
  readonly #carriers: Carriers
  readonly #language: Language

  constructor(names: Names, values: Values, language: Language) {
    this.#names = names
    this.#values = values
    this.#language = language
    this.#gates = language.gates
    this.#carriers = language.carriers
  }

  /** Whether a function that does something, or a whole tool, only runs when the gate allows it. */
  isGated(code: Code): boolean {
    const values = this.#values.of(code)
    return values.every(
      (value) =>
        comesFromGate(value, this.#gates) ||
        (value.kind === 'local' &&
          value.code.kind === 'function' &&
          this.#isGatedFunction(value.code)),
    )
  }

  /** Where a value goes. */
  wayOf(code: Code): Way {
    return this.#way(code, new Set())
  }

  /** Where whatever has a name goes. */
  wayOfBinding(binding: Binding): Way {
    return this.#ofBinding(binding, new Set())
  }

  /** What other files find a value as, when nothing in its own file gets at it without the gate. */
  exportedAs(code: Code): readonly string[] {
    const found = new Set<string>()
    this.#exports = found
    const way = this.wayOf(code)
    this.#exports = undefined
    return way === 'exported' || (way === 'idle' && this.#language.offersAll === true)
      ? [...found]
      : []
  }

  #exports: Set<string> | undefined

  #way(code: Code, seen: Set<Code>): Way {
    if (seen.has(code)) return 'idle'
    seen.add(code)
    const parent = this.#names.parentOf(code)
    if (parent === undefined) return 'idle'
    switch (parent.kind) {
      case 'call':
        return parent.callee === code ? this.#way(parent, seen) : this.#given(parent, seen)
      case 'declare':
      case 'assign':
        return this.#named(parent, seen)
      case 'export':
        this.#exports?.add(parent.name ?? '*')
        return 'exported'
      case 'return':
        return this.#returned(parent, seen)
      case 'member':
        return this.#partUsed(parent, parent.name, seen)
      case 'choice':
        return parent.test === code ? 'idle' : this.#way(parent, seen)
      case 'object':
      case 'list':
      case 'other':
        return this.#way(parent, seen)
      case 'block':
      case 'function':
        return 'idle'
      case 'class':
      case 'flag':
      case 'import':
      case 'name':
      case 'text':
        return 'open'
      default:
        return parent satisfies never
    }
  }

  #named(code: Code, seen: Set<Code>): Way {
    const binding = this.#names.declaredBy(code)
    // A field is used from wherever its object is.
    if (binding === undefined) return 'open'
    return this.#ofBinding(binding, seen)
  }

  #ofBinding(binding: Binding, seen: Set<Code>): Way {
    const { uses, exportedAs } = binding
    const ways = uses.map((use) => this.#way(use, seen))
    if (exportedAs.size > 0) ways.push('exported')
    const isTop =
      this.#language.offersAll === true && this.#names.topBinding(binding.name) === binding
    for (const name of isTop ? [binding.name] : exportedAs) this.#exports?.add(name)
    return together(ways)
  }

  #given(call: CallCode, seen: Set<Code>): Way {
    const callees = this.#values.of(call.callee)
    const { wrappers, clients } = this.#gates
    if (callees.every((value) => isGateName(value, this.#gates, [...wrappers, ...clients])))
      return 'gated'
    if (callees.every((value) => comesFromGate(value, this.#gates))) return 'gated'
    if (callees.every((value) => this.#carries(value))) return this.#way(call, seen)
    const { callee } = call
    if (callee.kind === 'member' && this.#carriers.takingIn.has(callee.name)) {
      const { object } = callee
      const binding = object.kind === 'name' ? this.#names.bindingOf(object) : undefined
      return binding === undefined ? 'open' : this.#ofBinding(binding, seen)
    }
    return 'open'
  }

  #carries(callee: Value): boolean {
    return this.#carriers.packages.some((one) => isAbout(one, callee, this.#language))
  }

  #partUsed(member: Code, name: string, seen: Set<Code>): Way {
    const call = this.#names.parentOf(member)
    const isCalled = call?.kind === 'call' && call.callee === member
    if (!isCalled) return this.#way(member, seen)
    if (this.#carriers.givingBack.has(name)) return this.#way(call, seen)
    return this.#carriers.harmless.has(name) || this.#carriers.takingIn.has(name) ? 'idle' : 'open'
  }

  #returned(code: Code, seen: Set<Code>): Way {
    const around = this.#functionAround(code)
    const holder = around === undefined ? undefined : this.#names.parentOf(around)
    const binding = holder === undefined ? undefined : this.#names.declaredBy(holder)
    if (binding === undefined || binding.exportedAs.size > 0) return 'open'
    const ways = binding.uses.map((use): Way => {
      const call = this.#names.parentOf(use)
      return call?.kind === 'call' && call.callee === use ? this.#way(call, seen) : 'open'
    })
    return together(ways)
  }

  #functionAround(code: Code): FunctionCode | undefined {
    for (let at = this.#names.parentOf(code); at !== undefined; at = this.#names.parentOf(at)) {
      if (at.kind === 'function') return at
    }
    return undefined
  }

  #isGatedFunction(code: FunctionCode): boolean {
    return this.asks(code) || code.decorators.some((one) => this.isGate(one))
  }

  /** Whether a decorator is the gate. */
  isGate(decorator: Code): boolean {
    return this.#values
      .of(decorator)
      .every(
        (value) =>
          isGateName(value, this.#gates, this.#gates.wrappers) || comesFromGate(value, this.#gates),
      )
  }

  /** Whether a function asks the gate and looks at the answer, or does nothing but call what is gated. */
  asks(code: FunctionCode): boolean {
    const [only, ...more] = code.body
    if (more.length === 0 && only?.kind === 'return' && only.value.kind === 'call') {
      const callees = this.#values.of(only.value.callee)
      if (callees.every((value) => comesFromGate(value, this.#gates))) return true
    }
    return code.body.some((part) => this.#holdsQuestion(part))
  }

  #holdsQuestion(code: Code): boolean {
    if (code.kind === 'function' || code.kind === 'class') return false
    if (code.kind === 'call' && code.isUsed) {
      const callees = this.#values.of(code.callee)
      if (callees.every((value) => isGateName(value, this.#gates, this.#gates.questions)))
        return true
    }
    return partsOf(code).some((part) => this.#holdsQuestion(part))
  }
}

/** Several ways at once: one that is open makes all of them open, and one that reaches the gate counts when none is. */
function together(ways: readonly Way[]): Way {
  for (const way of ['open', 'exported', 'gated'] as const) if (ways.includes(way)) return way
  return 'idle'
}
