import type { Spot } from '../finding.ts'
import type { Remark } from '../ignores.ts'
import { TooMuchCode } from './bounds.ts'
import { connectionSpots } from './connection-spots.ts'
import { contextOf, type FileContext } from './context.ts'
import { readJs } from './from-js.ts'
import { readPython } from './from-python.ts'
import { jsFrameworks } from './js-frameworks.ts'
import { pyFrameworks } from './py-frameworks.ts'
import type { Language } from './framework.ts'
import { toolSpots } from './tool-spots.ts'
import type { AssignCode, Code, CodeFile } from './tree.ts'
import type { Neighbours, Value } from './values.ts'

/** What a file of code was found to hold. */
export interface CodeReport {
  readonly spots: readonly Spot[]
  readonly remarks: readonly Remark[]
  /** What it offers to other files that comes from elsewhere, by its names there. */
  readonly offers: Offers
  /** What it does with names of other files of the project. */
  readonly uses: readonly NeighbourUse[]
  /** Packages of frameworks that it imports. */
  readonly packages: readonly string[]
}

/** What a file does with a name of another file. */
export interface NeighbourUse {
  readonly module: string
  /** `*` for all of them. */
  readonly name: string
  /** Whether it gives it to the gate, and to nobody else. */
  readonly isGated: boolean
}

/** Names, and the values from other modules that they may be. */
export type Offers = Readonly<Record<string, readonly OutsideValue[]>>

/** A value from another module. */
export type OutsideValue = Extract<Value, { kind: 'outside' }>

/** What the files that a file imports offer, by what it imports them as. */
export type OffersByModule = Readonly<Record<string, Offers>>

/** What is known of the other files of a project, when one is read. */
export interface ProjectFacts {
  /** What the files that it imports offer. */
  readonly beside: OffersByModule
  /** Packages of frameworks that any of them imports. */
  readonly packages: readonly string[]
}

/**
 * Reads a file of code.
 *
 * @param name its path; the ending says which language it is
 * @param project what is known of the other files
 */
export async function readCode(
  name: string,
  text: string,
  project: ProjectFacts = { beside: {}, packages: [] },
): Promise<CodeReport> {
  const { beside, packages } = project
  const language = languageOf(name)
  if (language === undefined) return nothing
  let file: CodeFile
  try {
    file = await language.read(name, text)
    const broken = file.broken === undefined ? [] : [brokenSpot(file.broken.why, file.broken.at)]
    const context = contextOf(file, language.frameworks, {
      neighbours: neighboursIn(beside),
      packages,
    })
    return {
      spots: [...broken, ...onlyOnce([...toolSpots(context), ...connectionSpots(context)])],
      remarks: file.remarks,
      offers: offersOf(context, beside),
      uses: usesIn(context),
      packages: [...context.packages],
    }
  } catch (error) {
    if (error instanceof TooMuchCode) return unreadable(error.message, 0)
    // The stack of JavaScript is used up: it says so by this error alone.
    if (error instanceof RangeError) return unreadable('it is nested too deep', 0)
    throw error
  }
}

const nothing: CodeReport = { spots: [], remarks: [], offers: {}, uses: [], packages: [] }

function unreadable(why: string, at: number): CodeReport {
  return { ...nothing, spots: [brokenSpot(why, at)] }
}

function brokenSpot(why: string, at: number): Spot {
  const message = `this file of code cannot be read: ${why}`
  return { rule: 'CF006', at, end: at, message, subject: 'code' }
}

/** What is given to two names at once is read once for each of them. */
function onlyOnce(spots: readonly Spot[]): readonly Spot[] {
  const found = new Map(spots.map((spot) => [`${spot.rule} ${String(spot.at)}`, spot]))
  return [...found.values()]
}

interface ReadableLanguage {
  readonly frameworks: Language
  readonly read: (name: string, text: string) => CodeFile | Promise<CodeFile>
}

function languageOf(name: string): ReadableLanguage | undefined {
  if (name.endsWith('.py')) return { frameworks: pyFrameworks, read: readPython }
  if (/\.[cm]?[jt]sx?$/.test(name)) return { frameworks: jsFrameworks, read: readJs }
  return undefined
}

function neighboursIn(beside: OffersByModule): Neighbours {
  const modules = new Map(
    Object.entries(beside).map(([module, offers]) => [module, new Map(Object.entries(offers))]),
  )
  return (module, name) => {
    const offers = modules.get(module)
    return offers?.get(name) ?? offers?.get(everything)?.map((value) => ({ ...value, path: name }))
  }
}

/** What becomes of names that may come from the project. What is loaded in a way that cannot be followed is used somehow. */
function usesIn({ names, flow, packages, language }: FileContext): readonly NeighbourUse[] {
  return names.all.flatMap((code): readonly NeighbourUse[] => {
    if (code.kind !== 'import' || packages.has(language.packageOf(code.module))) return []
    const { module, local } = code
    const name = code.name ?? everything
    const binding = local === undefined ? undefined : names.declaredBy(code)
    const way = binding === undefined ? 'open' : flow.wayOfBinding(binding)
    // A name that is imported and left alone does nothing.
    if (way === 'idle' && binding?.uses.length === 0) return []
    const isGated = way === 'gated'
    // In Python the name may be a module itself.
    const inner = module.endsWith('.') ? `${module}${name}` : `${module}.${name}`
    const asModule = { module: inner, name: everything, isGated }
    return [{ module, name, isGated }, ...(language.offersAll === true ? [asModule] : [])]
  })
}

/** What a module is called that is offered under all the names that it has. */
const everything = '*'

/** Names that lead on to other modules. What is made here is found here. */
function offersOf(context: FileContext, beside: OffersByModule): Offers {
  if (context.modules.length === 0) return {}
  const found = new Map<string, readonly OutsideValue[]>()
  const offer = (name: string, offered: readonly Value[]): void => {
    const outside = offered.filter(isOutside)
    if (outside.length > 0) found.set(name, outside)
  }
  for (const code of context.names.all) {
    if (code.kind === 'export' && code.name !== undefined)
      offer(code.name, context.values.of(code.value))
    else if (code.kind === 'export') offerAll(code.value)
    else if (code.kind === 'assign') offerAssigned(code)
  }
  const isOpen = context.language.offersAll === true
  for (const binding of context.names.top) {
    if (binding.exportedAs.size > 0 || isOpen)
      offer(binding.name, context.values.ofBinding(binding))
  }
  return Object.fromEntries(found)

  function offerAll(code: Code): void {
    const known = code.kind === 'import' ? beside[code.module] : undefined
    if (known === undefined) offer(everything, context.values.of(code))
    else for (const [name, values] of Object.entries(known)) offer(name, values)
  }

  function offerAssigned({ target, value }: AssignCode): void {
    if (target.kind !== 'member') return
    if (isExports(target)) {
      for (const one of context.values.of(value)) {
        const entries = one.kind === 'local' && one.code.kind === 'object' ? one.code.entries : []
        for (const entry of entries) offer(entry.name, context.values.of(entry.value))
      }
    } else if (isExports(target.object)) offer(target.name, context.values.of(value))
  }
}

/** `exports`, or `module.exports`. */
function isExports(code: Code): boolean {
  if (code.kind === 'name') return code.name === 'exports'
  return code.kind === 'member' && code.name === 'exports' && code.object.kind === 'name'
}

/** A value of a package; modules of the project are called something else elsewhere. */
function isOutside(value: Value): value is OutsideValue {
  return value.kind === 'outside' && value.module !== '' && !/^(?:\.|[@~#]\/)/.test(value.module)
}
