import type { ApprovalRequest } from '../approval/request.ts'
import { CapFenceError } from '../errors.ts'
import { capabilityName } from '../event/capability.ts'
import type { LogReader } from '../runtime/store.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import type { ShownArguments } from './log-arguments.ts'
import { argumentsText, shownArguments } from './log-arguments.ts'
import { schemaVersion } from './log-lines.ts'
import type { OpenLog, PlaceFlags } from './places.ts'
import { withLog } from './places.ts'
import { complaint } from './report-error.ts'
import { shown, shownJson } from './shown.ts'
import { styled } from './style.ts'
import { shortDuration } from './time.ts'

/** What `capfence approvals list` takes, as it was typed. */
export interface ApprovalsFlags extends PlaceFlags {
  readonly json?: boolean | undefined
  readonly all?: boolean | undefined
}

/** `capfence approvals list`: prints the calls that wait for a person, oldest first. */
export function approvalsList(flags: ApprovalsFlags, io: Io, open: OpenLog): Promise<ExitCode> {
  return withLog(flags, open, async (reader) => {
    const nowMs = io.nowMs()
    const requests = (await reader.approvalRequests()).filter(
      (request) => flags.all === true || isPending(request, nowMs),
    )
    const entries = await Promise.all(requests.map((request) => entryOf(reader, request)))
    const texts = entries.map((entry) =>
      flags.json === true ? requestLine(entry, nowMs) : requestText(entry, nowMs, io),
    )
    await io.out.write(texts.join(flags.json === true ? '' : '\n'))
    if (texts.length === 0) {
      const what = flags.all === true ? 'no call ever waited' : 'no call waits'
      await io.err.write(complaint(io, `${what} for an approval`))
    }
    return exitCodes.yes
  })
}

interface RequestEntry {
  readonly request: ApprovalRequest
  readonly arguments: ShownArguments
}

async function entryOf(reader: LogReader, request: ApprovalRequest): Promise<RequestEntry> {
  const [record] = await reader.records(request.decisionSeq, 1)
  if (record === undefined) {
    throw new CapFenceError(
      'AUDIT_CORRUPT',
      `the log has lost the decision that asked ${request.id}`,
    )
  }
  const disclosures = await reader.disclosures(record.seq)
  return { request, arguments: shownArguments(record, disclosures) }
}

/** Time alone makes a request expire; its stored state may be older than now. */
function isPending({ expiresAtMs }: ApprovalRequest, nowMs: number): boolean {
  return expiresAtMs > nowMs
}

function requestText({ request, arguments: args }: RequestEntry, nowMs: number, io: Io): string {
  const { binding, expiresAtMs, requestedAtMs } = request
  const asked = `asked ${shortDuration(nowMs - requestedAtMs)} ago by ${shown(binding.actor)}`
  const expires = isPending(request, nowMs)
    ? `expires in ${shortDuration(expiresAtMs - nowMs)}`
    : styled(io.out, 'dim', `expired ${shortDuration(nowMs - expiresAtMs)} ago`)
  const tool = binding.tool === null ? [] : [`${binding.server ?? '?'}.${binding.tool}`]
  const lines = [
    [shown(request.id), shown(capabilityName(binding.capability)), ...tool.map(shown)].join('  '),
    `${asked}, ${expires}`,
    `rule ${request.rules.map(shown).join(', ')}`,
    ...(request.message === null ? [] : [`message ${shown(request.message)}`]),
    `arguments ${argumentsText(args)}`,
  ]
  const [head = '', ...rest] = lines
  return `${styled(io.out, 'bold', head)}\n${rest.map((line) => `  ${line}\n`).join('')}`
}

function requestLine({ request, arguments: args }: RequestEntry, nowMs: number): string {
  const { binding } = request
  const head = {
    schemaVersion,
    type: 'approval.request',
    id: request.id,
    state: isPending(request, nowMs) ? 'pending' : 'expired',
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
    decisionSeq: request.decisionSeq,
    argumentsHidden: args.hidden,
    argumentsWithheld: args.withheld,
  }
  return `${shownJson(JSON.stringify(head)).slice(0, -1)},"arguments":${args.json}}\n`
}
