import { readFileSync } from 'node:fs'
import { ActionEvent } from '../event/action-event.ts'
import type { EventFields } from '../event/create.ts'
import { Bindings } from '../event/binding.ts'
import { capabilityName } from '../event/capability.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import { isJsonObject } from '../json/value.ts'
import type { JsonObject } from '../json/value.ts'
import { CapFenceError } from '../errors.ts'
import { loadPolicy } from '../policy/load.ts'
import type { Policy, RuleAccount } from '../policy/policy.ts'
import { PolicyError, policyProblemLine } from '../policy/problem.ts'
import type { PolicyAnswer } from '../policy/answer.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { readConfig } from './places.ts'
import { readPolicyText } from './policy-files.ts'
import { jsonLine, shown } from './shown.ts'
import { styled } from './style.ts'

/** What `capfence policy check` takes, as it was typed. */
export interface PolicyCheckFlags {
  readonly json?: boolean | undefined
}

/** `capfence policy check`: says everything that is wrong with policy files, taken together. */
export async function policyCheck(
  files: readonly string[],
  flags: PolicyCheckFlags,
  io: Io,
): Promise<ExitCode> {
  const sources = files.map((path) => ({ path, text: readPolicyText(path) }))
  const result = loaded(sources)
  const problems = result instanceof PolicyError ? result.problems : []
  const rules = result instanceof PolicyError ? 0 : result.ruleCount
  if (flags.json === true) {
    const plain = problems.map(({ position, code, message, hint }) => ({
      ...position,
      code,
      message,
      hint: hint ?? null,
    }))
    await io.out.write(
      jsonLine({
        schemaVersion,
        type: 'policy-check',
        files,
        ok: problems.length === 0,
        rules,
        problems: plain,
      }),
    )
  } else {
    for (const problem of problems) {
      const hint =
        problem.hint === undefined
          ? ''
          : `${styled(io.out, 'dim', `capfence: hint: ${shown(problem.hint)}`)}\n`
      // The lines of one answer, in the order of the file.
      // oxlint-disable-next-line no-await-in-loop -- the files are answered in their order
      await io.out.write(`${shown(policyProblemLine(problem))}\n${hint}`)
    }
    if (problems.length === 0) {
      await io.out.write(
        `${files.map(shown).join(', ')}: ${rules === 1 ? '1 rule' : `${rules} rules`}\n`,
      )
    }
  }
  return problems.length === 0 ? exitCodes.yes : exitCodes.no
}

function loaded(sources: Parameters<typeof loadPolicy>[0]): Policy | PolicyError {
  try {
    return loadPolicy(sources)
  } catch (error) {
    if (error instanceof PolicyError) return error
    throw error
  }
}

/** What `capfence policy explain` takes, as it was typed. */
export interface ExplainFlags {
  readonly event?: string | undefined
  readonly config?: string | undefined
  readonly server?: string | undefined
  readonly tool?: string | undefined
  readonly arguments?: string | undefined
  readonly json?: boolean | undefined
}

/** `capfence policy explain`: what a policy says of one event or tool call, rule by rule; exit 0 only for allow. */
export async function policyExplain(
  files: readonly string[],
  flags: ExplainFlags,
  io: Io,
): Promise<ExitCode> {
  const { event, policies } = await subject(flags, io)
  const paths = files.length > 0 ? files : policies
  if (paths.length === 0) {
    throw new CapFenceError('USAGE', 'no policy is named', {
      hint: 'name the files, or a configuration with `--config`',
    })
  }
  const policy = loadPolicy(paths.map((path) => ({ path, text: readPolicyText(path) })))
  const answer = policy.decide(event)
  const accounts = policy.explain(event)
  if (flags.json === true) await io.out.write(explainJson(event, answer, accounts))
  else await io.out.write(explainText(event, answer, accounts))
  return answer.decision === 'allow' ? exitCodes.yes : exitCodes.no
}

interface Subject {
  readonly event: ActionEvent
  readonly policies: readonly string[]
}

async function subject(flags: ExplainFlags, io: Io): Promise<Subject> {
  if (flags.event !== undefined) {
    return { event: eventOf(readObject(flags.event)), policies: [] }
  }
  if (flags.server === undefined || flags.tool === undefined) {
    throw new CapFenceError('USAGE', 'there is nothing to explain', {
      hint: 'give an event with `--event FILE`, or a call with `--server NAME --tool NAME --arguments JSON`',
    })
  }
  const config = await readConfig(flags.config, io)
  const bindings = new Bindings(config.servers.map(({ name, binding }) => [name, binding]))
  const event = bindings.bind({
    server: flags.server,
    tool: flags.tool,
    arguments: parseObject(flags.arguments ?? '{}', '--arguments'),
    actor: config.actor,
    environment: config.environment,
  })
  return { event, policies: config.policies }
}

function eventOf(fields: JsonObject): ActionEvent {
  if (!hasEventShape(fields)) throw new CapFenceError('USAGE', 'the event is no object')
  return ActionEvent.create(fields)
}

/** `ActionEvent.create` looks at every field itself and refuses what it does not know. */
function hasEventShape(fields: object): fields is EventFields {
  return Object.keys(fields).length > 0
}

function readObject(path: string): JsonObject {
  try {
    return parseObject(readFileSync(path, 'utf8'), path)
  } catch (cause) {
    if (cause instanceof CapFenceError) throw cause
    throw new CapFenceError('USAGE', `cannot read the event ${path}`, { cause })
  }
}

function parseObject(text: string, where: string): JsonObject {
  const { value } = scanStrict(Buffer.from(text), wanted({}))
  if (isJsonObject(value)) return value
  throw new CapFenceError('USAGE', `${where} is no JSON object`)
}

function explainJson(
  event: ActionEvent,
  answer: PolicyAnswer,
  accounts: readonly RuleAccount[],
): string {
  return jsonLine({
    schemaVersion,
    type: 'explanation',
    capability: capabilityName(event.capability),
    decision: answer.decision,
    reason: answer.reason,
    rules: accounts.map(({ rule, value, applies, predicates }) => ({
      id: rule.id,
      effect: rule.effect,
      ...rule.position,
      value,
      applies,
      predicates,
    })),
  })
}

function explainText(
  event: ActionEvent,
  answer: PolicyAnswer,
  accounts: readonly RuleAccount[],
): string {
  const lines = [`${answer.decision} ${shown(capabilityName(event.capability))} (${answer.reason})`]
  for (const { rule, value, applies, predicates } of accounts) {
    const { file, line } = rule.position
    const part = applies ? 'applies' : 'does not apply'
    lines.push(`  ${rule.effect} ${shown(rule.id)} ${part} (${value})  ${shown(file)}:${line}`)
    for (const one of predicates) lines.push(`    ${shown(one.predicate)}: ${one.value}`)
  }
  if (accounts.length === 0)
    lines.push('  no rule is about this capability, and what no rule allows is denied')
  return `${lines.join('\n')}\n`
}
