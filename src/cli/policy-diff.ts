import { printJson } from '../audit/redacted-json.ts'
import { capabilityName } from '../event/capability.ts'
import type { ActionEvent } from '../event/action-event.ts'
import { CapFenceError } from '../errors.ts'
import { comparePolicies } from '../policy/analysis/compare.ts'
import type { Comparison, Example, Region } from '../policy/analysis/compare.ts'
import type { Cause } from '../policy/analysis/subject.ts'
import type { Effect } from '../policy/answer.ts'
import { loadPolicy } from '../policy/load.ts'
import { parsersReady } from '../policy/parsers.ts'
import type { Policy } from '../policy/policy.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { extendedBy } from './policy-files.ts'
import { readPolicySource } from './policy-source.ts'
import type { ReportFlags } from './replay-report.ts'
import { reportError } from './report-error.ts'
import { cut, jsonLine, shown, shownJson } from './shown.ts'
import type { Style } from './style.ts'
import { styled } from './style.ts'
import type { ReadingFlags } from './trace-reading.ts'

/** What `capfence policy diff` takes, as it was typed. */
export interface PolicyDiffFlags extends ReadingFlags, ReportFlags {
  /** Asks about the calls of this trace alone. */
  readonly trace?: string | undefined
}

/**
 * `capfence policy diff`: says of which calls two policies say something else, each with a call.
 *
 * Exit code 1 says that something is newly allowed, or that it could not be excluded.
 */
export async function policyDiff(
  { before, now }: { readonly before: string; readonly now: string },
  flags: PolicyDiffFlags,
  io: Io,
): Promise<ExitCode> {
  try {
    refuseTraceFlags(flags)
    const policies = [load(before), load(now)] as const
    // Both are asked about every call that is shown, also about what only a parser can tell.
    await parsersReady()
    const comparison = comparePolicies(...policies)
    await io.out.write(flags.json === true ? jsonOf(comparison) : textOf(comparison, io))
    return comparison.allowed.length > 0 ? exitCodes.no : exitCodes.yes
  } catch (error) {
    // The files are the input of this command, so that what is wrong with them is wrong input.
    if (!(error instanceof CapFenceError)) throw error
    await reportError(error, io)
    return exitCodes.usage
  }
}

function refuseTraceFlags(flags: PolicyDiffFlags): void {
  const stray = (['html', 'markdown', 'server', 'actor', 'environment', 'config'] as const).find(
    (name) => flags[name] !== undefined,
  )
  if (stray === undefined && flags.fromStart !== true) return
  throw new CapFenceError('USAGE', `\`--${stray ?? 'from-start'}\` goes with \`--trace\` only`)
}

function load(path: string): Policy {
  return loadPolicy([readPolicySource(path)], extendedBy(readPolicySource))
}

interface Group {
  readonly key: keyof Comparison
  readonly title: string
  readonly style: Style
  /** As the end of a sentence about what could not be found out. */
  readonly doubt: string
}

/** What widens stands first: it is what a reviewer has to see. */
const groups: readonly Group[] = [
  { key: 'allowed', title: 'newly allowed', style: 'red', doubt: 'are newly allowed' },
  { key: 'approvable', title: 'newly held for approval', style: 'yellow', doubt: 'are newly held' },
  { key: 'denied', title: 'newly denied', style: 'green', doubt: 'are newly denied' },
]

function textOf(comparison: Comparison, io: Io): string {
  const parts = groups.flatMap(({ key, title, style, doubt }) => {
    const regions = comparison[key]
    if (regions.length === 0) return []
    return [styled(io.out, style, title), ...regions.flatMap((one) => regionLines(one, doubt)), '']
  })
  const counts = groups.map(({ key, title }) => `${comparison[key].length} ${title}`)
  return [...parts, counts.join(', ')].map((line) => `${line}\n`).join('')
}

function regionLines({ example, now, before }: Region, doubt: string): readonly string[] {
  if (example === undefined) {
    const calls = now === undefined ? 'calls' : `calls of ${nameOf(now)}`
    return [
      `  not proven: it could not be found out whether ${calls} that were ${pastOf(before)} ${doubt}`,
    ]
  }
  return [
    `  ${callText(example.event)}`,
    ...contextLines(example),
    `    now     ${answerText(example.now.decision, now)}`,
    `    before  ${answerText(example.before.decision, before)}`,
  ]
}

/** What no terminal shows in a moment is cut. */
const maxArgumentColumns = 200

function callText({ capability, arguments: args }: ActionEvent): string {
  return `${shown(capabilityName(capability))} ${cut(shownJson(printJson(args)), maxArgumentColumns)}`
}

function contextLines({ event, situation }: Example): readonly string[] {
  const fields = contextOf(event).map(([name, value]) => `${name} ${shown(value)}`)
  const parts = [...fields, ...(situation === undefined ? [] : [situation])]
  return parts.length === 0 ? [] : [`    ${parts.join(', ')}`]
}

/** What of the context of a call is not what it is in every example. */
function contextOf(event: ActionEvent): readonly (readonly [string, string])[] {
  const { actor, environment, risk, context } = event
  const known: readonly (readonly [string, string | undefined])[] = [
    ['actor', actor === usualActor ? undefined : actor],
    ['environment', environment],
    ['risk', risk],
    ...Object.entries(context),
  ]
  return known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
}

const usualActor = 'agent'

function answerText(decision: Effect, cause: Cause | undefined): string {
  return cause === undefined ? `${decision}: no rule allows it` : `${decision} by ${nameOf(cause)}`
}

function pastOf(cause: Cause | undefined): string {
  if (cause === undefined) return 'allowed by no rule'
  const effect = cause.kind === 'risk' ? cause.action : cause.source.rule.effect
  return `${past[effect]} by ${nameOf(cause)}`
}

const past: Readonly<Record<Effect, string>> = {
  allow: 'allowed',
  require_approval: 'held',
  deny: 'denied',
}

function nameOf(cause: Cause): string {
  if (cause.kind === 'risk') return `the risk levels ${cause.levels.join(', ')}`
  const { id, position } = cause.source.rule
  return `${shown(id)} (${shown(`${position.file}:${position.line}:${position.column}`)})`
}

function jsonOf(comparison: Comparison): string {
  const [allowed, approvable, denied] = groups.map(({ key }) => comparison[key].map(regionJson))
  const isWider = comparison.allowed.length > 0
  return jsonLine({ schemaVersion, type: 'policy-diff', isWider, allowed, approvable, denied })
}

function regionJson({ example, now, before }: Region): Record<string, unknown> {
  return {
    proven: example !== undefined,
    now: { decision: example?.now.decision ?? null, ...causeJson(now) },
    before: { decision: example?.before.decision ?? null, ...causeJson(before) },
    call: example === undefined ? null : callJson(example),
  }
}

function causeJson(cause: Cause | undefined): Record<string, unknown> {
  if (cause === undefined) return { rule: null }
  if (cause.kind === 'risk') return { rule: null, risk: cause.levels }
  const { id, effect, position } = cause.source.rule
  return { rule: { id, effect, ...position } }
}

function callJson({ event, situation }: Example): Record<string, unknown> {
  return {
    capability: capabilityName(event.capability),
    // As text, so that every digit of a number arrives.
    arguments: printJson(event.arguments),
    actor: event.actor,
    environment: event.environment ?? null,
    risk: event.risk ?? null,
    ...event.context,
    situation: situation ?? null,
  }
}
