import { CapFenceError } from '../errors.ts'
import type { ActionEvent } from '../event/action-event.ts'
import { Bindings } from '../event/binding.ts'
import type { EventContext } from '../event/event.ts'
import { toJsonObject } from '../json/from-js.ts'
import type { ActionRuntime } from '../runtime/action-runtime.ts'
import type { AllowVerdict, DenyVerdict, PendingVerdict } from '../runtime/verdict.ts'

/** Who calls, where and by what rules; what a call is about is said for each of them. */
export interface GateContext {
  /** Decides, and records what was decided. */
  readonly runtime: ActionRuntime
  /** Who asks, such as `support-agent`; never from what a model says. */
  readonly actor: string
  /** Where the calls act, such as `production`; the scope of a capability that names none. */
  readonly environment: string
  /** The resource of a capability for which `bindings` say nothing else: `<server>.<tool>.<environment>`. */
  readonly server: string
  /** What tools mean; without any, each is what it is called. */
  readonly bindings?: Bindings | undefined
  /** What limits and labels of a session are about, and who asks besides. */
  readonly session?: string | undefined
  readonly role?: string | undefined
  readonly tenant?: string | undefined
}

/** What was called, as the policy shall see it. */
export interface CalledTool {
  readonly tool: string
  /** A plain object, or the exact JSON of one. */
  readonly arguments: unknown
}

/** A call that was not made: a policy said no, or a person has not said yes. */
export class BlockedCallError extends CapFenceError {
  /** Why, for programs: `approvalId` is in it while a person can still say yes. */
  readonly verdict: DenyVerdict | PendingVerdict

  constructor(tool: string, verdict: DenyVerdict | PendingVerdict) {
    const what = verdict.decision === 'deny' ? 'denied' : `waits for approval ${verdict.approvalId}`
    const hint = verdict.decision === 'deny' ? verdict.suggestion : afterApproval(verdict)
    super('CALL_BLOCKED', `\`${tool}\` was not called, it is ${what}: ${verdict.reason}`, {
      ...(hint === undefined ? {} : { hint }),
    })
    this.verdict = verdict
  }
}

function afterApproval({ approvalId, expiresAtMs }: PendingVerdict): string {
  const until = new Date(expiresAtMs).toISOString()
  return `\`capfence approvals approve ${approvalId}\`, then make exactly the same call before ${until}`
}

/**
 * The event of a call.
 *
 * @throws CapFenceError `EVENT_INVALID` for arguments that are no JSON
 */
function eventOf(context: GateContext, { tool, arguments: given }: CalledTool): ActionEvent {
  const { actor, environment, server, bindings = unbound } = context
  return bindings.bind({
    server,
    tool,
    arguments: toJsonObject(given),
    actor,
    environment,
    context: contextOf(context),
  })
}

const unbound = new Bindings()

function contextOf({ session, role, tenant }: GateContext): Omit<EventContext, 'server' | 'tool'> {
  return {
    ...(session === undefined ? {} : { session }),
    ...(role === undefined ? {} : { role }),
    ...(tenant === undefined ? {} : { tenant }),
  }
}

/**
 * Decides a call, and makes it only when it is allowed; how it ended stands in the log then.
 *
 * @param make makes the call
 * @param failed whether what came back says that the call did not go well
 * @throws BlockedCallError when it is not allowed: it was not made
 */
export async function decided<Result>(
  context: GateContext,
  called: CalledTool,
  make: () => Result | Promise<Result>,
  failed: (result: Result) => boolean = () => false,
): Promise<Result> {
  const verdict = await context.runtime.execute(eventOf(context, called))
  if (verdict.decision !== 'allow') throw new BlockedCallError(called.tool, verdict)
  return settled(context, verdict, make, failed)
}

async function settled<Result>(
  { runtime }: GateContext,
  verdict: AllowVerdict,
  make: () => Result | Promise<Result>,
  failed: (result: Result) => boolean,
): Promise<Result> {
  let result
  try {
    result = await make()
  } catch (error) {
    runtime.settle(verdict, { status: 'tool_error' })
    throw error
  }
  runtime.settle(verdict, { status: failed(result) ? 'tool_error' : 'ok' })
  return result
}
