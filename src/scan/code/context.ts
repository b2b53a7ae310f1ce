import { Flow } from './flow.ts'
import type { Language } from './framework.ts'
import { isAbout, packagesOf } from './framework.ts'
import { Names } from './names.ts'
import type { CallCode, CodeFile } from './tree.ts'
import { Values, type Neighbours } from './values.ts'

/** A file of code, and what is known of its names. */
export interface FileContext {
  readonly names: Names
  readonly values: Values
  readonly flow: Flow
  readonly language: Language
  /** The modules that it imports. */
  readonly modules: readonly string[]
  /** The packages that rules are about and that it, or another file of the project, imports. */
  readonly packages: ReadonlySet<string>
  /** The calls of something from a package that a rule is about, and of what cannot be told. */
  readonly calls: readonly CallCode[]
}

/** What is known from outside a file. */
export interface Around {
  readonly neighbours: Neighbours
  /** Packages that other files of the project import. */
  readonly packages: readonly string[]
}

/** Prepares a file to be asked. */
export function contextOf(
  { parts }: CodeFile,
  language: Language,
  { neighbours, packages }: Around,
): FileContext {
  const names = new Names(parts)
  const values = new Values(names, neighbours, (callee, argument, parameter) => {
    const found = language.callbacks.find(
      (one) =>
        one.argument === argument && one.parameter === parameter && isAbout(one, callee, language),
    )
    return found === undefined ? undefined : { kind: 'outside', ...found.is }
  })
  const modules = names.all.flatMap((code) => (code.kind === 'import' ? [code.module] : []))
  const known = new Set(packagesOf(language))
  const own = modules.map((module) => language.packageOf(module)).filter((name) => known.has(name))
  const calls = names.all.filter(
    (code): code is CallCode =>
      code.kind === 'call' &&
      values
        .of(code.callee)
        .some(
          (value) =>
            value.kind === 'unknown' ||
            (value.kind === 'outside' && known.has(language.packageOf(value.module))),
        ),
  )
  return {
    packages: new Set([...own, ...packages]),
    calls,
    names,
    values,
    flow: new Flow(names, values, language),
    language,
    modules,
  }
}
