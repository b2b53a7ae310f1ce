import type { Config } from '../config/config.ts'
import { loadPolicy } from '../policy/load.ts'
import { parsersReady } from '../policy/parsers.ts'
import type { Policy } from '../policy/policy.ts'
import { asksStore, clockAlone } from '../policy/state.ts'
import type { PolicyState } from '../policy/state.ts'
import type { ActionEvent } from '../event/action-event.ts'
import { diskFacts } from '../runtime/real-paths.ts'
import { disksOf } from './ask-disk.ts'
import type { EventFlags } from './event-to-explain.ts'
import { eventToExplain, refuseBeside } from './event-to-explain.ts'
import { explainRecord } from './explain-record.ts'
import { explanationData, explanationLines } from './explanation.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import type { OpenLog, PlaceFlags } from './places.ts'
import { readConfig } from './places.ts'
import { extendedBy } from './policy-files.ts'
import { readPolicySource } from './policy-source.ts'
import { jsonLine } from './shown.ts'
import { parseTime } from './time.ts'

/** What `capfence policy explain` takes, as it was typed. */
export interface ExplainFlags extends EventFlags, PlaceFlags {
  readonly seq?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * `capfence policy explain`: says what would become of a call, and what every rule that fits makes of it.
 *
 * The policies are those that are named, else those of the configuration; exit code 0 says that it would be allowed.
 */
export async function policyExplain(
  files: readonly string[],
  flags: ExplainFlags,
  io: Io,
  openLog: OpenLog,
): Promise<ExitCode> {
  const { seq } = flags
  if (seq !== undefined) {
    refuseBeside(flags, '--seq', 'the record says all of it')
    return explainRecord(files, { ...flags, seq }, io, openLog)
  }
  // A whole event with its own policies needs no configuration.
  const needsConfig = files.length === 0 || flags.event === undefined
  const config: Config | undefined = needsConfig ? await readConfig(flags.config, io) : undefined
  const named = files.length > 0 ? files : (config?.policies ?? [])
  const policy = loadPolicy(named.map(readPolicySource), extendedBy(readPolicySource))
  await parsersReady()
  const event = eventToExplain(flags, config)
  const nowMs = io.nowMs()
  const clock = clockAlone(flags.at === undefined ? nowMs : parseTime(flags.at, nowMs))
  const state = await withDisk(clock, { policy, event, config })
  const accounts = policy.explain(event, state)
  const explanation = {
    event,
    state: policy.asksState(event) ? clock : undefined,
    isStoreUnknown: accounts.some(({ conditions }) => conditions.some(asksStore)),
    answer: policy.decide(event, state),
    accounts,
  }
  if (flags.json === true) {
    const data = explanationData(explanation)
    await io.out.write(jsonLine({ schemaVersion, type: 'explanation', ...data }))
  } else {
    await io.out.write(
      explanationLines(explanation, io)
        .map((line) => `${line}\n`)
        .join(''),
    )
  }
  return explanation.answer.decision === 'allow' ? exitCodes.yes : exitCodes.no
}

/** Where the paths of a call lead now, if its server shares this disk, as the gate would find out. */
async function withDisk(
  state: PolicyState,
  call: {
    readonly policy: Policy
    readonly event: ActionEvent
    readonly config: Config | undefined
  },
): Promise<PolicyState> {
  const { policy, event, config } = call
  const askDisk = config && disksOf(config).get(event.context.server ?? '')
  if (askDisk === undefined) return state
  const facts = await diskFacts(policy, event, askDisk)
  return { ...state, realPath: (path) => facts.get(path) }
}
