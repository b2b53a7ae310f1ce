import type { Spot } from '../finding.ts'
import type { FileContext } from './context.ts'
import {
  isAbout,
  isRegistration,
  type ToolClassRule,
  type ToolRule,
  type ToolsRule,
} from './framework.ts'
import { foundAt, textAt, type Found } from './places.ts'
import type { At, CallCode, ClassCode, Code, FunctionCode } from './tree.ts'
import type { Value } from './values.ts'

/** The tools that a file gives to models, or offers to clients, and that no gate decides on. */
export function toolSpots(context: FileContext): readonly Spot[] {
  const called = context.calls.flatMap((call) => [
    ...callSpots(call, context),
    ...listSpots(call, context),
  ])
  const declared = context.names.all.flatMap((code) => {
    if (code.kind === 'class') return classSpots(code, context)
    return code.kind === 'function' ? decoratorSpots(code, context) : []
  })
  return [...called, ...declared]
}

function callSpots(call: CallCode, context: FileContext): readonly Spot[] {
  if (isDecorator(call, context)) return []
  const callees = context.values.of(call.callee)
  const rule = context.language.tools.find(
    (one) => one.does !== 'decorated' && isMet(one, call, callees, context),
  )
  if (rule === undefined || rule.does === 'decorated') return []
  const does = rule.does
    .map((place) => foundAt(call, [place], context.values))
    .filter((found) => found.kind !== 'nothing' && !isNone(found, context))
  if (rule.takesFunctionsOnly === true && !does.some((found) => mayAct(found, context))) return []
  if (does.length === 0 && rule.mayBeEmpty === true) return []
  if (does.length > 0 && does.every((one) => isGated(one, context))) return []
  const about = { ...rule, isLost: isRegistration(rule) }
  return spotUnlessGated(call, about, toolName(call, rule, does, context), context)
}

/** `None` stands where nothing does. */
function isNone(found: Found, { values }: FileContext): boolean {
  return (
    found.kind === 'code' &&
    values.of(found.code).every((value) => value.kind === 'local' && value.code.kind === 'flag')
  )
}

/** Whether it may be a function: no text or other literal, which only says what a tool is called. */
function mayAct(found: Found, { values }: FileContext): boolean {
  return (
    found.kind !== 'code' ||
    values
      .of(found.code)
      .some((value) => value.kind !== 'local' || /^(?:function|class)$/.test(value.code.kind))
  )
}

function isDecorator(call: CallCode, { names }: FileContext): boolean {
  const parent = names.parentOf(call)
  return (
    (parent?.kind === 'function' || parent?.kind === 'class') && parent.decorators.includes(call)
  )
}

function isMet(
  rule: ToolRule,
  call: CallCode,
  callees: readonly Value[],
  context: FileContext,
): boolean {
  const isNamed = callees.some((value) => isAbout(rule, value, context.language))
  if (!isNamed && !looksLike(rule, call, callees, context)) return false
  if (rule.only === undefined) return true
  const { at, texts, paths } = rule.only
  const argument = call.args[at]
  const values = argument === undefined ? [] : context.values.of(argument.value)
  return values.some(
    (value) =>
      (value.kind === 'local' && value.code.kind === 'text' && texts.includes(value.code.value)) ||
      (value.kind === 'outside' && paths.includes(value.path.split('.').at(-1) ?? '')),
  )
}

/** A method of something that cannot be told, in a project that has to do with the framework: unsure means no. */
function looksLike(
  rule: ToolRule,
  { callee, args }: CallCode,
  callees: readonly Value[],
  context: FileContext,
): boolean {
  return args.length >= 2 && tellsByName(rule, callee, callees, context)
}

function tellsByName(
  rule: ToolRule,
  callee: Code,
  callees: readonly Value[],
  { packages }: FileContext,
): boolean {
  if (rule.isTelling !== true || callee.kind !== 'member') return false
  const isMethod = rule.paths.some((path) => path.endsWith(`.${callee.name}`))
  const isOpen = callees.every(({ kind }) => kind === 'unknown')
  return isMethod && isOpen && rule.packages.some((one) => packages.has(one))
}

function isGated(found: Found, { flow }: FileContext): boolean {
  return found.kind === 'code'
    ? flow.isGated(found.code)
    : found.kind === 'unknown' && found.near !== undefined && flow.isGated(found.near)
}

function toolName(
  call: CallCode,
  rule: ToolRule,
  does: readonly Found[],
  context: FileContext,
): string | undefined {
  const written = rule.name === undefined ? undefined : textAt(call, rule.name, context.values)
  if (written !== undefined) return written
  const around = nameAround(call, context)
  if (around !== undefined) return around
  const [first] = does
  const [value] = first?.kind === 'code' ? context.values.of(first.code) : []
  return value?.kind === 'local' && value.code.kind === 'function' ? value.code.name : undefined
}

/** What the code around calls it. */
function nameAround(code: Code, { names }: FileContext): string | undefined {
  const parent = names.parentOf(code)
  if (parent?.kind === 'declare') return parent.name
  if (parent?.kind === 'object') return parent.entries.find(({ value }) => value === code)?.name
  return undefined
}

/** What a finding says of a tool, whichever rule found it. */
interface About {
  readonly framework: string
  readonly rule: ToolRule['rule']
  /** Whether it is given away where it is made: what becomes of it then is of no use. */
  readonly isLost?: boolean
}

function spotUnlessGated(
  code: Code,
  about: About,
  name: string | undefined,
  { flow }: FileContext,
): readonly Spot[] {
  if (about.isLost === true)
    return [spotAt(code.kind === 'call' ? { ...code, end: code.callee.end } : code, about, name)]
  if (flow.wayOf(code) === 'gated') return []
  const spot = spotAt(code.kind === 'call' ? { ...code, end: code.callee.end } : code, about, name)
  return [{ ...spot, exportedAs: flow.exportedAs(code) }]
}

function spotAt({ start, end }: At, { framework, rule }: About, name: string | undefined): Spot {
  const what = name === undefined ? 'a tool' : `tool \`${name}\``
  const whose = rule === 'CF102' ? ' of this MCP server' : ''
  const message = `${what}${whose} runs without a gate (${framework})`
  return { rule, at: start, end, message, subject: `${framework}\0${name ?? ''}` }
}

function listSpots(call: CallCode, context: FileContext): readonly Spot[] {
  const { values, language } = context
  const callees = values.of(call.callee)
  return language.toolLists
    .filter((rule) => callees.some((value) => isAbout(rule, value, language)))
    .flatMap((rule) => {
      const found = foundAt(call, rule.tools, values)
      if (found.kind !== 'code') return []
      return values
        .of(found.code)
        .flatMap((value) => (value.kind === 'local' ? itemSpots(value.code, rule, context) : []))
    })
}

/** Tools that are written out in a list or by their names; what makes tools is found where it is called. */
function itemSpots(code: Code, rule: ToolsRule, context: FileContext): readonly Spot[] {
  const items =
    code.kind === 'object'
      ? code.entries
      : code.kind === 'list'
        ? code.items.map((value) => ({ name: undefined, value }))
        : []
  return items.flatMap(({ name, value: item }) =>
    context.values.of(item).flatMap((value) => {
      if (value.kind !== 'local') return []
      const { code: tool } = value
      if (tool.kind === 'function') {
        const isTool = rule.takesFunctions && tool.decorators.length === 0
        return isTool && !context.flow.isGated(tool)
          ? spotUnlessGated(item, rule, name ?? tool.name, context)
          : []
      }
      const does =
        tool.kind === 'object' && rule.does !== undefined
          ? tool.entries.findLast((entry) => entry.name === rule.does)?.value
          : undefined
      return does === undefined || context.flow.isGated(does)
        ? []
        : spotUnlessGated(item, rule, name ?? nameIn(tool), context)
    }),
  )
}

function nameIn(code: Code): string | undefined {
  const value =
    code.kind === 'object' ? code.entries.find(({ name }) => name === 'name')?.value : undefined
  return value?.kind === 'text' ? value.value : undefined
}

function classSpots(code: ClassCode, context: FileContext): readonly Spot[] {
  const bases = context.values.outsideBases(code)
  const rule = context.language.toolClasses.find((one: ToolClassRule) =>
    bases.some((value) => isAbout(one, value, context.language)),
  )
  if (rule === undefined) return []
  const does = code.members.filter(({ name }) => rule.methods.includes(name))
  const isOpen = does.some(({ value }) => value !== undefined && !context.flow.isGated(value))
  return isOpen ? spotUnlessGated(code, rule, code.name, context) : []
}

/** A function that a decorator makes a tool. */
function decoratorSpots(code: FunctionCode, context: FileContext): readonly Spot[] {
  for (const decorator of code.decorators) {
    const called = decorator.kind === 'call' ? decorator.callee : decorator
    const values = context.values.of(called)
    const rule = context.language.tools.find(
      (one) =>
        one.does === 'decorated' &&
        (values.some((value) => isAbout(one, value, context.language)) ||
          tellsByName(one, called, values, context)),
    )
    if (rule === undefined) continue
    // What stands below is applied first, and is what the tool runs.
    const below = code.decorators.slice(code.decorators.indexOf(decorator) + 1)
    if (below.some((one) => context.flow.isGate(one)) || context.flow.asks(code)) return []
    const name =
      decorator.kind === 'call' && rule.name !== undefined
        ? textAt(decorator, rule.name, context.values)
        : undefined
    const spot = spotAt(decorator, rule, name ?? code.name)
    if (isRegistration(rule)) return [spot]
    if (context.flow.wayOf(code) === 'gated') return []
    return [{ ...spot, exportedAs: context.flow.exportedAs(code) }]
  }
  return []
}
