import type { Grant } from '../approval/grant.ts'
import { longestGrantMs } from '../approval/grant.ts'
import type { ApprovalRequest } from '../approval/request.ts'
import type { StoredRecord } from '../audit/record.ts'
import type { Config } from '../config/config.ts'
import { CapFenceError } from '../errors.ts'
import { capabilityName } from '../event/capability.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import { isJsonObject, type JsonObject } from '../json/value.ts'
import { limits } from '../limits.ts'
import { textOrNull } from './record-fields.ts'

/** What `capfence grants create` takes of the grant itself, as it was typed. */
export interface TermFlags {
  readonly capability?: string | undefined
  readonly actor?: string | undefined
  readonly environment?: string | undefined
  readonly server?: string | undefined
  readonly tool?: string | undefined
  readonly session?: string | undefined
  readonly when?: string | undefined
  readonly uses?: string | undefined
  readonly for?: string | undefined
  readonly startsIn?: string | undefined
  readonly definition?: string | undefined
  readonly policyHash?: string | undefined
  readonly breakGlass?: boolean | undefined
  readonly reason?: string | undefined
  readonly sameSession?: boolean | undefined
  readonly sameTool?: boolean | undefined
}

/** A call that waits, from which a grant takes what was not typed. */
export interface LikeCall {
  readonly request: ApprovalRequest
  /** The decision that asked. */
  readonly record: StoredRecord
}

/** What a grant says before it has its id, its log and its issuers. */
export type Terms = Omit<Grant, 'id' | 'log' | 'nonce' | 'issuers'>

const usualMs = 3_600_000

/**
 * What was typed, completed by the call that is to be like it and by the configuration; nothing that widens is guessed.
 *
 * @throws CapFenceError `USAGE` for what is missing or cannot be
 */
export function termsOf(
  flags: TermFlags,
  like: LikeCall | undefined,
  { config, nowMs }: { readonly config: Config | undefined; readonly nowMs: number },
): Terms {
  const binding = like?.request.binding
  const isSameTool = flags.sameTool === true
  const notBeforeMs = nowMs + durationOf('--starts-in', flags.startsIn, 0)
  const breakGlass = flags.breakGlass === true
  return {
    capability: needed(
      '--capability',
      flags.capability ?? (binding && capabilityName(binding.capability)),
    ),
    actor: needed('--actor', flags.actor ?? binding?.actor ?? config?.actor),
    environment: needed(
      '--environment',
      flags.environment ?? binding?.environment ?? config?.environment,
    ),
    server: flags.server ?? (isSameTool ? sameAs(binding?.server, '--same-tool') : null),
    tool: flags.tool ?? (isSameTool ? sameAs(binding?.tool, '--same-tool') : null),
    session: flags.session ?? sessionOf(flags, like),
    definitionHash: flags.definition ?? (isSameTool ? (binding?.definitionHash ?? null) : null),
    policyHash: flags.policyHash ?? null,
    when: conditionsOf(flags.when),
    issuedAtMs: nowMs,
    notBeforeMs,
    expiresAtMs: notBeforeMs + durationOf('--for', flags.for, usualMs, longestGrantMs(breakGlass)),
    uses: usesOf(flags.uses),
    breakGlass,
    reason: flags.reason ?? '',
  }
}

function sessionOf(flags: TermFlags, like: LikeCall | undefined): string | null {
  if (flags.sameSession !== true) return null
  const session = like === undefined ? null : textOrNull(like.record.data, 'session')
  return sameAs(session, '--same-session')
}

function sameAs(found: string | null | undefined, flag: string): string {
  if (found !== null && found !== undefined) return found
  throw new CapFenceError('USAGE', `\`${flag}\` takes it from a call that has one`, {
    hint: 'name that call with `--like apr_…`',
  })
}

function needed(flag: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value
  throw new CapFenceError('USAGE', `say for what the grant is: \`${flag}\``, {
    hint: 'or name a call that waits with `--like apr_…`',
  })
}

function usesOf(text: string | undefined): number {
  if (text === undefined) return 1
  const uses = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (uses >= 1 && uses <= limits.maxGrantUses) return uses
  throw new CapFenceError(
    'USAGE',
    `\`--uses\` takes a whole number from 1 to ${limits.maxGrantUses}`,
  )
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

function durationOf(
  flag: string,
  text: string | undefined,
  usual: number,
  most: number = limits.maxStandingGrantMs,
): number {
  if (text === undefined) return usual
  const [, count, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  const ms = Number(count) * (unitMs[unit] ?? Number.NaN)
  if (ms >= 60_000 && ms <= most) return ms
  const longest = most / 3_600_000
  throw new CapFenceError('USAGE', `\`${flag}\` takes from one minute to ${longest} hours`, {
    hint: 'write `30m`, `8h` or `2d`',
  })
}

function conditionsOf(text: string | undefined): JsonObject {
  if (text === undefined) return {}
  const value = scanned(text)
  if (isJsonObject(value)) return value
  throw new CapFenceError('USAGE', '`--when` takes a JSON object of conditions', {
    hint: `such as '{"args": {"/amount": {"lte": 500}}}'`,
  })
}

function scanned(text: string): ReturnType<typeof scanStrict>['value'] {
  try {
    return scanStrict(Buffer.from(text, 'utf8'), wanted({})).value
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `\`--when\` is not JSON: ${why}`, { cause })
  }
}
