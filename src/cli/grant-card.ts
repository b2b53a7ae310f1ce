import type { Grant } from '../approval/grant.ts'
import { canonicalizeExact } from '../json/canonical.ts'
import { shown, shownJson } from './shown.ts'
import { styled } from './style.ts'
import type { Output } from './io.ts'
import { shortDuration } from './time.ts'

/** Everything that a grant says, a line each; whoever signs it has seen exactly what is signed. */
export function grantCard(grant: Grant, nowMs: number, output: Output): string {
  const { issuedAtMs, notBeforeMs, expiresAtMs, breakGlass, reason, uses } = grant
  const until = `${timeText(expiresAtMs)}, ${durationText(expiresAtMs - notBeforeMs)} in all`
  const rows: readonly (readonly [name: string, text: string | null])[] = [
    ['emergency', breakGlass ? 'yes: marked in the record of every call' : null],
    ['actor', grant.actor],
    ['where', grant.environment],
    ['server', grant.server],
    ['tool', grant.tool],
    ['session', grant.session],
    ['when', Object.keys(grant.when).length === 0 ? 'any arguments' : whenText(grant)],
    ['calls', `${uses} at most`],
    ['from', notBeforeMs > Math.max(nowMs, issuedAtMs) ? timeText(notBeforeMs) : null],
    ['until', until],
    ['reason', reason === '' ? null : reason],
    ['tool def', grant.definitionHash],
    ['policy', grant.policyHash],
  ]
  const head = styled(output, 'bold', shown(`${grant.id}  ${grant.capability}`))
  const lines = rows.flatMap(([name, text]) =>
    text === null ? [] : [`  ${name.padEnd(9)} ${shown(text)}\n`],
  )
  return `${head}\n${lines.join('')}`
}

/** What else must be true of a call, as JSON text that is safe to show. */
export function whenText({ when }: Grant): string {
  return shownJson(canonicalizeExact(when))
}

/** What a grant says, for programs; conditions as JSON text, because a program might lose digits of them. */
export function grantData(grant: Grant): Readonly<Record<string, unknown>> {
  return {
    id: grant.id,
    capability: grant.capability,
    actor: grant.actor,
    environment: grant.environment,
    server: grant.server,
    tool: grant.tool,
    session: grant.session,
    when: whenText(grant),
    notBefore: timeText(grant.notBeforeMs),
    expiresAt: timeText(grant.expiresAtMs),
    uses: grant.uses,
    breakGlass: grant.breakGlass,
    reason: grant.reason,
    definitionHash: grant.definitionHash,
    policyHash: grant.policyHash,
    log: grant.log,
  }
}

/** A time as people and programs read it. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

function durationText(ms: number): string {
  return shortDuration(ms)
}
