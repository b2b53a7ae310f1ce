import { CapFenceError } from '../errors.ts'
import type { Config } from '../config/config.ts'
import { parsersReady } from '../policy/parsers.ts'
import type { Policy } from '../policy/policy.ts'
import { knownAnswer, partialAccount } from '../policy/unknown.ts'
import type { GoverningPolicy } from '../runtime/policy.ts'
import { explain } from '../runtime/decide-text.ts'
import type { StoredPolicy } from '../runtime/store.ts'
import type { Explanation } from './explanation.ts'
import { explanationData, explanationLines } from './explanation.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { argumentsText } from './log-arguments.ts'
import { schemaVersion } from './log-lines.ts'
import type { OpenLog, PlaceFlags } from './places.ts'
import { readConfig, withLog } from './places.ts'
import { loadPolicyFiles } from './policy-files.ts'
import { fieldOf, isObject, listOf, textOf, textOrNull } from './record-fields.ts'
import { recordedCall } from './recorded-call.ts'
import type { RecordedCall } from './recorded-call.ts'
import { complaint } from './report-error.ts'
import { jsonLine, shown } from './shown.ts'
import { policyOfBytes } from './stored-policy.ts'

/** What `capfence policy explain --seq` takes, as it was typed. */
export interface ExplainRecordFlags extends PlaceFlags {
  readonly seq: string
  readonly json?: boolean | undefined
}

/**
 * `capfence policy explain --seq`: says why a call was decided as it was, by the bytes of the policy that governed then,
 * and whether today's policy would say the same.
 *
 * @param files today's policies; without them those of the configuration
 */
export async function explainRecord(
  files: readonly string[],
  flags: ExplainRecordFlags,
  io: Io,
  open: OpenLog,
): Promise<ExitCode> {
  const seq = seqOf(flags.seq)
  // A log that is named by itself may come from anywhere, and has nothing to do with the configuration of this folder.
  const needsConfig = flags.config !== undefined || flags.storage === undefined
  const config = needsConfig ? await readConfig(flags.config, io) : undefined
  const { call, stored } = await withLog(flags, open, async (reader) => {
    const found = await recordedCall(reader, seq)
    return { call: found, stored: await reader.policy(textOf(found.record.data, 'policy_hash')) }
  })
  const governed = policyThen(call, stored, config)
  const governing = await policyNow(files, config, io)
  await parsersReady()
  const then = explanationOf(call, governed)
  const now = governing && { hash: governing.hash, ...explanationOf(call, governing) }
  const told = { call, then, now }
  await io.out.write(flags.json === true ? jsonOf(told) : textOfAll(told, io))
  return textOf(call.record.data, 'decision') === 'allow' ? exitCodes.yes : exitCodes.no
}

function seqOf(text: string): number {
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return Number(text)
  throw new CapFenceError(
    'USAGE',
    `\`--seq\` is \`${shown(text)}\`; expected the number of a record`,
    {
      hint: 'the first column of `capfence logs` has them',
    },
  )
}

function policyThen(
  { record }: RecordedCall,
  stored: StoredPolicy | undefined,
  config: Config | undefined,
): Policy {
  if (stored !== undefined) return policyOfBytes(stored, config?.folder ?? process.cwd())
  const hash = textOf(record.data, 'policy_hash')
  throw new CapFenceError('AUDIT_CORRUPT', `the log does not keep the policy ${hash}`, {
    hint: `what was recorded of the decision: \`capfence logs --json\`, \`"seq":${record.seq}\``,
  })
}

/** A policy that is broken today is no reason not to say what it was. */
async function policyNow(
  files: readonly string[],
  config: Config | undefined,
  io: Io,
): Promise<GoverningPolicy | undefined> {
  if (files.length === 0 && config === undefined) return undefined
  try {
    return files.length > 0 || config === undefined
      ? loadPolicyFiles(files, process.cwd())
      : loadPolicyFiles(config.policies, config.folder)
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    await io.err.write(complaint(io, error.message, error.hint))
    return undefined
  }
}

function explanationOf(
  { event, missing, state: recorded }: RecordedCall,
  policy: Pick<Policy, 'asksState' | 'decide' | 'explain'>,
): Explanation {
  const kept = recorded()
  const state = policy.asksState(event) || kept.realPath !== undefined ? kept : undefined
  const explained = policy.explain(event, state)
  const lost = state?.isIncomplete === true ? 'store' : 'nothing'
  const accounts = explained.map((one) => partialAccount(one, missing, lost))
  const answer = knownAnswer(policy.decide(event, state), accounts)
  return { event, state, isRoomUnknown: true, answer, accounts }
}

interface Told {
  readonly call: RecordedCall
  readonly then: Explanation
  readonly now: (Explanation & { readonly hash: string }) | undefined
}

function textOfAll(told: Told, io: Io): string {
  const { call, then } = told
  const { record } = call
  const { data } = record
  const rules = recordedRules(call).map((id) => `\`${id}\``)
  const by = rules.length === 0 ? textOf(data, 'reason') : `by ${rules.join(', ')}`
  const grant = textOrNull(data, 'grant')
  const covered = grant === null ? '' : `, covered by the grant ${grant}`
  const sent = fieldOf(data, 'forwarded') === true ? 'forwarded' : 'not forwarded'
  const lines = [
    shown(
      `record ${record.seq}, ${record.ts}: ${textOf(data, 'decision')} ${by}${covered}, ${sent}`,
    ),
    `  arguments ${argumentsText(call.arguments)}`,
    ...missingLines(call),
    '',
    ...explanationLines(then, io),
    '',
    shown(nowLine(told)),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function missingLines({ record, missing, arguments: args }: RecordedCall): readonly string[] {
  if (modeOf(record.data) === 'none')
    return ['  the log keeps nothing of the arguments of this call']
  const places = missing.places.map((names) => shown(pointerOf(names)))
  return [
    ...(missing.mayBeNamed === undefined
      ? []
      : [`  of ${args.withheld} of them the log keeps nothing but a digest, and not their names`]),
    ...(places.length === 0 ? [] : [`  without a value: ${places.join(', ')}`]),
    ...(missing.mayBeNamed === undefined && places.length === 0
      ? []
      : ['  what looks at them is unknown below']),
  ]
}

function modeOf(data: RecordedCall['record']['data']): string {
  const args = fieldOf(data, 'args')
  return isObject(args) ? textOf(args, 'mode') : 'none'
}

function nowLine({ call, then, now }: Told): string {
  if (now === undefined) return "today's policy was not asked"
  if (now.hash === textOf(call.record.data, 'policy_hash')) return "today's policy is the same"
  if (now.answer === undefined) {
    return "what today's policy says depends on what the log does not keep"
  }
  const { decision } = now.answer
  const same =
    decision === then.answer?.decision ? 'another, and says the same' : 'another, and says'
  const { reason } = explain(now.event, now.answer, () => now.accounts)
  return `today's policy is ${same}: ${decision}; ${reason}`
}

function recordedRules({ record }: RecordedCall): readonly string[] {
  return listOf(record.data, 'rule')
    .filter(isObject)
    .map((rule) => textOf(rule, 'id'))
}

function jsonOf({ call, then, now }: Told): string {
  const { record, missing, arguments: args } = call
  const { data } = record
  return jsonLine({
    schemaVersion,
    type: 'explanation',
    ...explanationData(then),
    recorded: {
      seq: record.seq,
      time: record.ts,
      call: textOf(data, 'call'),
      decision: textOf(data, 'decision'),
      reason: textOf(data, 'reason'),
      deciding: recordedRules(call),
      forwarded: fieldOf(data, 'forwarded'),
      mode: textOf(data, 'mode'),
      approval: textOrNull(data, 'approval'),
      grant: textOrNull(data, 'grant'),
      policyHash: textOf(data, 'policy_hash'),
      argumentsKept: missing.mayBeNamed === undefined && missing.places.length === 0,
      argumentsWithheld: args.withheld,
      argumentsMissing: missing.places.map(pointerOf),
    },
    today: now === undefined ? null : todayData(then, now, textOf(data, 'policy_hash')),
  })
}

function pointerOf(names: readonly string[]): string {
  return names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function todayData(
  then: Explanation,
  now: Explanation & { readonly hash: string },
  hash: string,
): Readonly<Record<string, unknown>> {
  const isKnown = now.answer !== undefined && then.answer !== undefined
  const isSame = now.hash === hash || now.answer?.decision === then.answer?.decision
  return {
    policyHash: now.hash,
    isSamePolicy: now.hash === hash,
    saysTheSame: now.hash === hash || isKnown ? isSame : null,
    ...explanationData(now),
  }
}
