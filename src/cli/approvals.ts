import { setTimeout as delay } from 'node:timers/promises'
import type { ApprovalRequest } from '../approval/request.ts'
import { capabilityName } from '../event/capability.ts'
import type { LogReader } from '../runtime/store.ts'
import { approvalCard } from './approval-card.ts'
import { approvalOf, entryOf, stateOf, type RequestEntry } from './approval-entry.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { argumentsText } from './log-arguments.ts'
import { schemaVersion } from './log-lines.ts'
import type { OpenLog, PlaceFlags } from './places.ts'
import { withLog } from './places.ts'
import { complaint } from './report-error.ts'
import { shown, shownJson } from './shown.ts'
import { styled } from './style.ts'
import { shortDuration } from './time.ts'

/** What `capfence approvals list`, `show` and `watch` take, as it was typed. */
export interface ApprovalsFlags extends PlaceFlags {
  readonly json?: boolean | undefined
  readonly all?: boolean | undefined
  readonly showSecrets?: boolean | undefined
}

/** `capfence approvals list`: prints the calls that wait for a person, oldest first. */
export function approvalsList(flags: ApprovalsFlags, io: Io, open: OpenLog): Promise<ExitCode> {
  return withLog(flags, open, async (reader) => {
    const nowMs = io.nowMs()
    const requests = (await reader.approvalRequests()).filter(
      (request) => flags.all === true || stateOf(request, nowMs) === 'pending',
    )
    const entries = await Promise.all(requests.map((request) => entryOf(reader, request)))
    const texts = entries.map((entry) => printed(entry, flags, io))
    await io.out.write(texts.join(flags.json === true ? '' : '\n'))
    if (texts.length === 0) {
      const what = flags.all === true ? 'no call ever waited' : 'no call waits'
      await io.err.write(complaint(io, `${what} for an approval`))
    }
    return exitCodes.yes
  })
}

/** `capfence approvals show ID`: prints everything about one request. */
export function approvalsShow(
  id: string,
  flags: ApprovalsFlags,
  io: Io,
  open: OpenLog,
): Promise<ExitCode> {
  return withLog(flags, open, async (reader) => {
    const approval = await approvalOf(reader, id)
    const { showSecrets = false } = flags
    const entry = await entryOf(reader, approval.request, { showSecrets })
    await io.out.write(
      flags.json === true
        ? requestLine(entry, io.nowMs())
        : approvalCard(approval, entry, io.nowMs(), io.out),
    )
    return exitCodes.yes
  })
}

/** How often a watch looks, milliseconds. */
const watchEveryMs = 500

/** `capfence approvals watch`: prints requests as they come, and what becomes of them, until it is stopped. */
export function approvalsWatch(flags: ApprovalsFlags, io: Io, open: OpenLog): Promise<ExitCode> {
  return withLog(flags, open, async (reader) => {
    const seen = new Map<string, string>()
    while (!io.stopped.aborted) {
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await printNews(reader, seen, flags, io)
      // oxlint-disable-next-line no-await-in-loop -- one look after the other
      await delay(watchEveryMs, undefined, { signal: io.stopped }).catch(() => undefined)
    }
    return exitCodes.yes
  })
}

/** Requests that waited already when the watch began are news; what had become of others before is none. */
async function printNews(
  reader: LogReader,
  seen: Map<string, string>,
  flags: ApprovalsFlags,
  io: Io,
): Promise<void> {
  const nowMs = io.nowMs()
  for (const request of await reader.approvalRequests()) {
    const state = stateOf(request, nowMs)
    const before = seen.get(request.id)
    seen.set(request.id, state)
    if (before === state || (before === undefined && state !== 'pending')) continue
    // oxlint-disable-next-line no-await-in-loop -- in the order in which they came
    const entry = await entryOf(reader, request)
    const isBrief = before !== undefined && flags.json !== true
    // oxlint-disable-next-line no-await-in-loop -- a slow reader holds the watch up
    await io.out.write(isBrief ? `${shown(request.id)}  ${state}\n` : printed(entry, flags, io))
  }
}

function printed(entry: RequestEntry, flags: ApprovalsFlags, io: Io): string {
  return flags.json === true ? requestLine(entry, io.nowMs()) : requestText(entry, io.nowMs(), io)
}

function requestText({ request, arguments: args }: RequestEntry, nowMs: number, io: Io): string {
  const { binding, requestedAtMs } = request
  const asked = `asked ${shortDuration(nowMs - requestedAtMs)} ago by ${shown(binding.actor)}`
  const tool = binding.tool === null ? [] : [`${binding.server ?? '?'}.${binding.tool}`]
  const lines = [
    [shown(request.id), shown(capabilityName(binding.capability)), ...tool.map(shown)].join('  '),
    `${asked}, ${becomes(request, nowMs, io)}`,
    `rule ${request.rules.map(shown).join(', ')}`,
    ...(request.message === null ? [] : [`message ${shown(request.message)}`]),
    `arguments ${argumentsText(args)}`,
  ]
  const [head = '', ...rest] = lines
  return `${styled(io.out, 'bold', head)}\n${rest.map((line) => `  ${line}\n`).join('')}`
}

function becomes(request: ApprovalRequest, nowMs: number, io: Io): string {
  const { expiresAtMs } = request
  const state = stateOf(request, nowMs)
  if (state === 'pending') return `expires in ${shortDuration(expiresAtMs - nowMs)}`
  const text = state === 'expired' ? `expired ${shortDuration(nowMs - expiresAtMs)} ago` : state
  return styled(io.out, 'dim', text)
}

/** A request as a line of JSON Lines. */
export function requestLine({ request, arguments: args }: RequestEntry, nowMs: number): string {
  const { binding } = request
  const head = {
    schemaVersion,
    type: 'approval.request',
    id: request.id,
    state: stateOf(request, nowMs),
    requestedAt: new Date(request.requestedAtMs).toISOString(),
    expiresAt: new Date(request.expiresAtMs).toISOString(),
    actor: binding.actor,
    server: binding.server,
    tool: binding.tool,
    capability: capabilityName(binding.capability),
    environment: binding.environment,
    session: binding.session,
    policyHash: binding.policyHash,
    rules: request.rules,
    message: request.message,
    terms: request.terms,
    decisionSeq: request.decisionSeq,
    argumentsHidden: args.hidden,
    argumentsWithheld: args.withheld,
  }
  return `${shownJson(JSON.stringify(head)).slice(0, -1)},"arguments":${args.json}}\n`
}
