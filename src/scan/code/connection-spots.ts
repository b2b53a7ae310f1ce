import type { Spot } from '../finding.ts'
import { startsGate } from '../../clients/gate-words.ts'
import type { FileContext } from './context.ts'
import { isAbout, type ConnectionRule, type Place } from './framework.ts'
import { foundAt, textAt, textOf } from './places.ts'
import type { CallCode, Code, ObjectCode } from './tree.ts'

/** Where a file connects to MCP servers other than through a gate, and where it switches questions off. */
export function connectionSpots(context: FileContext): readonly Spot[] {
  return context.calls.flatMap((code) => [
    ...serverSpots(code, context),
    ...switchSpots(code, context),
  ])
}

function serverSpots(call: CallCode, context: FileContext): readonly Spot[] {
  const { values, language, flow } = context
  const callees = values.of(call.callee)
  const rule = language.connections.find((one) =>
    callees.some((value) => isAbout(one, value, language)),
  )
  if (rule === undefined) return []
  if (rule.servers !== undefined) return mapSpots(call, rule, rule.servers, context)
  if (isGateLaunch(call, rule, context)) return []
  if (rule.url !== undefined && foundAt(call, rule.url, values).kind === 'nothing') return []
  if (rule.isTextOnly === true && !isWrittenOut(call, rule, context)) return []
  if (flow.wayOf(call) === 'gated') return []
  const url = rule.url === undefined ? undefined : textAt(call, rule.url, values)
  const words = rule.command === undefined ? [] : launchWords(call, rule, context)
  return [
    spotOf({ ...call, end: call.callee.end }, rule, url ?? nameOf(words), rule.url !== undefined),
  ]
}

function isWrittenOut(
  call: CallCode,
  { url = [] }: ConnectionRule,
  { values }: FileContext,
): boolean {
  const found = foundAt(call, url, values)
  if (found.kind !== 'code') return true
  return values
    .of(found.code)
    .some((value) => value.kind === 'local' && /^(?:text|object)$/.test(value.code.kind))
}

/** What people know a server by: the last word of its command that is no option. */
function nameOf(words: readonly string[]): string | undefined {
  return words.findLast((word) => !word.startsWith('-'))
}

function spotOf(
  at: { readonly start: number; readonly end: number },
  { framework }: ConnectionRule,
  name: string | undefined,
  isReached: boolean,
): Spot {
  const what = name === undefined ? 'an MCP server' : `MCP server \`${shownName(name)}\``
  const message = `${what} is ${isReached ? 'reached' : 'started'} without a gate (${framework})`
  const subject = `${framework}\0${name ?? ''}`
  return { rule: 'CF103', at: at.start, end: at.end, message, subject }
}

/** What follows a `?`, and a password, may be secret. */
function shownName(name: string): string {
  return name.replace(/\?.*$/s, '').replace(/\/\/[^/@]*@/, '//')
}

function isGateLaunch(call: CallCode, rule: ConnectionRule, context: FileContext): boolean {
  const line = rule.line === undefined ? undefined : textAt(call, rule.line, context.values)
  const words =
    line === undefined
      ? rule.command === undefined
        ? []
        : launchWords(call, rule, context)
      : line.split(/\s+/)
  return startsGate(words)
}

/** The words of a command, up to the first that is not known. */
function launchWords(
  call: CallCode,
  { command, args }: ConnectionRule,
  context: FileContext,
): readonly string[] {
  const program = command === undefined ? undefined : foundAt(call, command, context.values)
  if (program?.kind !== 'code') return []
  const list = args === undefined ? undefined : foundAt(call, args, context.values)
  return wordsOf(program.code, list?.kind === 'code' ? list.code : undefined, context)
}

/** How a program says its own interpreter. */
const ownInterpreters: Readonly<Record<string, string>> = {
  'process.execPath': 'node',
  'process.argv0': 'node',
  executable: 'python',
  'sys.executable': 'python',
}

function wordsOf(
  program: Code,
  args: Code | undefined,
  { values }: FileContext,
): readonly string[] {
  const [value] = values.of(program)
  const own = value?.kind === 'outside' ? ownInterpreters[value.path] : undefined
  const first = textOf(values.of(program)) ?? own
  if (first === undefined) return []
  const [list, ...others] = args === undefined ? [] : values.of(args)
  const items = list?.kind === 'local' && list.code.kind === 'list' ? list.code.items : []
  const words = [first]
  if (others.length > 0) return words
  for (const item of items) {
    const word = textOf(values.of(item))
    if (word === undefined) return words
    words.push(word)
  }
  return words
}

/** Servers by their names: each on its own. */
function mapSpots(
  call: CallCode,
  rule: ConnectionRule,
  places: readonly Place[],
  context: FileContext,
): readonly Spot[] {
  const found = foundAt(call, places, context.values)
  if (found.kind === 'nothing') return []
  const holders = found.kind === 'code' ? context.values.of(found.code) : []
  const [holder, ...others] = holders
  const map =
    holder?.kind === 'local' && holder.code.kind === 'object' && others.length === 0
      ? holder.code
      : undefined
  const isOpen = (): boolean => context.flow.wayOf(call) !== 'gated'
  if (map === undefined)
    return isOpen() ? [spotOf({ ...call, end: call.callee.end }, rule, undefined, false)] : []
  const spots = map.entries.flatMap(({ name, value }) => entrySpot(name, value, rule, context))
  const rest = map.rest.map((one) => spotOf(one, rule, undefined, false))
  return spots.length + rest.length > 0 && isOpen() ? [...spots, ...rest] : []
}

function entrySpot(
  name: string,
  code: Code,
  rule: ConnectionRule,
  context: FileContext,
): readonly Spot[] {
  return context.values.of(code).flatMap((value) => {
    if (value.kind === 'outside') {
      // A server in the same process, whose tools are found where they are made.
      const isOwn = /^createSdkMcpServer\(\)|^create_sdk_mcp_server\(\)/.test(value.path)
      return isOwn ? [] : [spotOf(code, rule, name, false)]
    }
    const entry = value.kind === 'local' && value.code.kind === 'object' ? value.code : undefined
    if (entry === undefined) return [spotOf(code, rule, name, false)]
    if (isOwnServer(entry)) return []
    const command = part(entry, 'command')
    const isGate =
      command !== undefined && startsGate(wordsOf(command, part(entry, 'args'), context))
    return isGate ? [] : [spotOf({ ...code, end: code.start }, rule, name, command === undefined)]
  })
}

function isOwnServer(entry: ObjectCode): boolean {
  const type = part(entry, 'type')
  return type?.kind === 'text' && type.value === 'sdk'
}

function part(entry: ObjectCode, name: string): Code | undefined {
  return entry.entries.findLast((one) => one.name === name)?.value
}

function switchSpots(call: CallCode, { values, language }: FileContext): readonly Spot[] {
  const callees = values.of(call.callee)
  return language.switches
    .filter((rule) => callees.some((value) => isAbout(rule, value, language)))
    .flatMap((rule) => {
      const found = foundAt(call, rule.at, values)
      if (found.kind !== 'code') return []
      const isOn = values
        .of(found.code)
        .some(
          (value) =>
            value.kind === 'local' &&
            (value.code.kind === 'text' || value.code.kind === 'flag') &&
            value.code.value === rule.value,
        )
      const message = `\`${rule.shown}\` lets tools run without a question (${rule.framework})`
      const { start: at, end } = found.code
      return isOn ? [{ rule: 'CF104', at, end, message, subject: rule.shown } as const] : []
    })
}
