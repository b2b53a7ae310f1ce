import { Dfa } from './dfa.ts'
import type { Language } from './language.ts'
import type { CompiledPattern } from './regex-language.ts'
import type { LanguageAtom, Side } from './text-atom.ts'

/** The languages of an analysis, each made once, so that the same question is the same atom. */
export class LanguageAtoms {
  readonly #atoms = new Map<string, LanguageAtom>()
  readonly #machines = new Map<string, Dfa>()
  readonly #patterns = new Map<string, CompiledPattern | undefined>()

  get(
    asked: {
      readonly side: Side
      readonly key: string
      readonly isVague?: boolean
      readonly alwaysFolds?: boolean
    },
    make: () => Language,
  ): LanguageAtom {
    const { side, key, isVague = false, alwaysFolds = false } = asked
    const name = `${side} ${key}`
    const known = this.#atoms.get(name)
    if (known !== undefined) return known
    const dfa = this.#machine(name, make)
    const made: LanguageAtom = { kind: 'language', side, dfa, isVague, alwaysFolds }
    this.#atoms.set(name, made)
    return made
  }

  /** A compiled pattern, also one of which nothing is known. */
  pattern(
    pattern: string,
    ignoreCase: boolean,
    make: () => CompiledPattern | undefined,
  ): CompiledPattern | undefined {
    const key = `${String(ignoreCase)} ${pattern}`
    if (!this.#patterns.has(key)) this.#patterns.set(key, make())
    return this.#patterns.get(key)
  }

  #machine(key: string, make: () => Language): Dfa {
    const known = this.#machines.get(key)
    if (known !== undefined) return known
    const made = new Dfa(make())
    this.#machines.set(key, made)
    return made
  }
}
