import type { CapFenceError } from '../errors.ts'
import type { RpcError } from '../mcp/rpc.ts'
import type { Verdict } from '../runtime/verdict.ts'

type Blocked = Exclude<Verdict, { readonly decision: 'allow' }>

/** The key under which a blocked result carries what a program may want to know. */
const metaKey = 'dev.capfence/decision'

/**
 * The `CallToolResult` of a call that was not executed, as JSON.
 *
 * A result with `isError` and not a protocol error: clients show it to the model, which can then do something else,
 * and they do not check it against the tool's `outputSchema`.
 */
export function blockedResult(verdict: Blocked): string {
  return toolError(linesOf(verdict), metaOf(verdict))
}

/**
 * The error of a request that is no tool call and was not forwarded: its result has no place for one.
 *
 * The codes lie outside those that JSON-RPC and MCP keep for themselves.
 */
export function blockedError(verdict: Blocked): RpcError {
  const code = verdict.decision === 'deny' ? 41_001 : 41_002
  return { code, message: linesOf(verdict).join('\n'), data: { [metaKey]: metaOf(verdict) } }
}

/** The error of a request that cannot be put into an event. */
export function invalidMethodError(error: CapFenceError): RpcError {
  return { code: 41_001, message: `Denied: the request cannot be judged: ${error.message}.` }
}

function linesOf(verdict: Blocked): readonly string[] {
  return verdict.decision === 'deny' ? deniedLines(verdict) : pendingLines(verdict)
}

function metaOf(verdict: Blocked): Readonly<Record<string, unknown>> {
  return {
    decision: verdict.decision,
    reason: verdict.reasonCode,
    rules: verdict.rules.map(({ id }) => id),
    callId: verdict.callId,
    ...(verdict.suggestion !== undefined && { suggestion: verdict.suggestion }),
    ...(verdict.approvalId !== undefined && { approvalId: verdict.approvalId }),
    ...(verdict.decision === 'require_approval' && {
      expiresAt: new Date(verdict.expiresAtMs).toISOString(),
    }),
    retryable: verdict.retryable,
    ...(verdict.retryAtMs !== undefined && { retryAt: new Date(verdict.retryAtMs).toISOString() }),
  }
}

/** The result of a call whose arguments were refused before there was anything to judge, as JSON. */
export function refusedArgumentsResult(message: string): string {
  return toolError(
    [
      `Refused: the arguments of this call cannot be read in one way only: ${message}.`,
      'The call was not executed. Send the call again with well-formed arguments.',
    ],
    { decision: 'deny', reason: 'invalid_arguments', rules: [], retryable: false },
  )
}

/** The result of a call that cannot be put into an event, as JSON. */
export function invalidCallResult(error: CapFenceError): string {
  return toolError(
    [
      `Denied: the call cannot be judged: ${error.message}.`,
      'The call was not executed.',
      ...(error.hint === undefined ? [] : [`Hint for the operator: ${error.hint}.`]),
    ],
    { decision: 'deny', reason: 'invalid_event', rules: [], retryable: false },
  )
}

/** What a person said, and what nobody has accepted, is not the policy's no. */
const notByPolicy: ReadonlySet<string> = new Set(['approval_denied', 'definition_held'])

function deniedLines(verdict: Extract<Blocked, { readonly decision: 'deny' }>): readonly string[] {
  return [
    `Denied${notByPolicy.has(verdict.reasonCode) ? '' : ' by policy'}: ${verdict.reason}.`,
    'The call was not executed; do not repeat it unchanged.',
    ...told(verdict),
  ]
}

function pendingLines(
  verdict: Extract<Blocked, { readonly decision: 'require_approval' }>,
): readonly string[] {
  return [
    `Approval pending (${verdict.approvalId}): ${verdict.reason}.`,
    'The call was not executed.',
    `Ask the user to decide with \`capfence approvals approve ${verdict.approvalId}\` or \`deny\`; after an approval, repeat exactly the same call before ${new Date(verdict.expiresAtMs).toISOString()}.`,
    ...told(verdict),
  ]
}

/** The policy author's words, then what would work instead. */
function told({ message, suggestion }: Blocked): readonly string[] {
  return [message, suggestion].filter((line) => line !== undefined)
}

function toolError(lines: readonly string[], meta: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    content: [{ type: 'text', text: lines.join('\n') }],
    isError: true,
    _meta: { [metaKey]: meta },
  })
}
