import { existsSync, writeSync } from 'node:fs'
import { CapFenceError } from '../errors.ts'
import { loadPolicy } from '../policy/load.ts'
import { heldOut, type HeldOut } from '../replay/learn/held-out.ts'
import { Learner, type LearnedPolicy, type LearnOptions } from '../replay/learn/learn.ts'
import type { TraceCall } from '../replay/trace.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { counted, jsonLine, shown } from './shown.ts'
import { styled } from './style.ts'
import { traceEntries } from './trace-file.ts'
import { TraceProgress } from './trace-progress.ts'
import { traceReading, type ReadingFlags } from './trace-reading.ts'
import { writeWhole } from './write-whole.ts'

/** What `capfence policy learn` takes, as it was typed. */
export interface PolicyLearnFlags extends ReadingFlags {
  readonly out?: string | undefined
  readonly unseen?: string | undefined
  readonly explain?: boolean | undefined
  readonly force?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Calls that are kept to be judged by what the others taught, count. */
const maxJudged = 50_000

/**
 * `capfence policy learn`: writes the least that a policy has to allow for the calls of some traces.
 *
 * @throws CapFenceError `USAGE` before anything is read when the file would be overwritten, or when there is nothing to
 *   learn from, `TRACE_INVALID`
 */
export async function policyLearn(
  traces: readonly string[],
  flags: PolicyLearnFlags,
  io: Io,
): Promise<ExitCode> {
  const options = optionsOf(flags)
  if (flags.out !== undefined && flags.force !== true && existsSync(flags.out)) {
    throw new CapFenceError('USAGE', `there is a file ${flags.out} already`, {
      hint: 'write `--force` to replace it',
    })
  }
  const learner = new Learner()
  const judged = await learnFrom(traces, learner, flags, io)
  if (learner.calls === 0) {
    const { blocked, flagged, incomplete } = learner.leftOut
    throw new CapFenceError('USAGE', 'there is nothing to learn from in these traces', {
      hint: `of their calls ${String(blocked)} were blocked, ${String(flagged)} flagged, ${String(incomplete)} without all arguments`,
    })
  }
  const policy = learner.policy(options)
  // What cannot be loaded must not be written: that would be a bug, and is better found here.
  loadPolicy([{ path: flags.out ?? 'policy.yaml', text: policy.text }])
  if (flags.out !== undefined) writeWhole(flags.out, (file) => writeSync(file, policy.text))
  const check = judged === undefined ? undefined : heldOut(judged, options)
  const made: Made = { learner, policy, check, out: flags.out }
  if (flags.json === true) await io.out.write(jsonOf(made))
  else {
    if (flags.out === undefined) await io.out.write(policy.text)
    const output = flags.out === undefined ? io.err : io.out
    await output.write(textOf(made, flags, io))
  }
  return exitCodes.yes
}

function optionsOf({ unseen = 'ask' }: PolicyLearnFlags): LearnOptions {
  if (unseen === 'ask' || unseen === 'deny') return { unseen }
  throw new CapFenceError('USAGE', `\`--unseen ${shown(unseen)}\` is neither`, {
    hint: 'write `ask`, so that a person decides about tools that history does not have, or `deny`',
  })
}

/** @returns the calls that something was learned from; undefined when they are too many to be judged */
async function learnFrom(
  traces: readonly string[],
  learner: Learner,
  flags: PolicyLearnFlags,
  io: Io,
): Promise<readonly TraceCall[] | undefined> {
  const reading = await traceReading(flags, io)
  const kept: TraceCall[] = []
  for (const trace of traces) {
    const progress = new TraceProgress(io)
    try {
      // oxlint-disable-next-line no-await-in-loop -- one file after the other, in their order
      for await (const entries of traceEntries(trace, reading, progress)) {
        for (const entry of entries) {
          if (entry.kind !== 'call' || !learner.note(entry)) continue
          if (kept.length <= maxJudged) kept.push(entry)
        }
      }
    } finally {
      // oxlint-disable-next-line no-await-in-loop -- the bar of one file ends before that of the next begins
      await progress.end()
    }
  }
  return kept.length > maxJudged ? undefined : kept
}

interface Made {
  readonly learner: Learner
  readonly policy: LearnedPolicy
  readonly check: HeldOut | undefined
  readonly out: string | undefined
}

function textOf(
  { learner, policy, check, out }: Made,
  { explain }: PolicyLearnFlags,
  io: Io,
): string {
  const name = out === undefined ? 'the policy' : shown(out)
  const lines = [
    `${name}: ${capabilities(policy.rules.length)} from ${counted(learner.calls, 'call')}`,
    ...leftOutLines(learner),
    ...(explain === true ? explained(policy, io) : []),
    checkText(check),
    'Read it before it governs. What it says of other history: capfence replay TRACE --policy FILE',
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function capabilities(count: number): string {
  return count === 1 ? '1 capability' : `${String(count)} capabilities`
}

function leftOutLines({ leftOut }: Learner): readonly string[] {
  const { blocked, flagged, incomplete, unwritable } = leftOut
  const reasons = [
    [blocked, 'blocked'],
    [flagged, 'flagged'],
    [incomplete, 'without all of their arguments'],
    [unwritable, 'of a form that no rule can say'],
  ] as const
  const said = reasons.filter(([many]) => many > 0).map(([many, what]) => `${String(many)} ${what}`)
  return said.length === 0 ? [] : [`nothing was learned from: ${said.join(', ')}`]
}

function explained({ rules }: LearnedPolicy, io: Io): readonly string[] {
  return rules.flatMap(({ capability, kind, calls, sessions, forms, written, places }) => [
    styled(io.out, 'bold', shown(capability)) +
      `  ${kind}, ${counted(calls, 'call')} in ${counted(sessions, 'session')}, ${String(written)} of ${counted(forms, 'form')} written`,
    ...places.map(({ pointer, why }) => `  ${shown(pointer)}  ${shown(why)}`),
  ])
}

function checkText(check: HeldOut | undefined): string {
  if (check === undefined) {
    return 'held out: there are too few sessions, or too many calls, to judge some by what the others taught'
  }
  const { calls, sessions, parts } = check
  const all = calls.allow + calls.require_approval + calls.deny
  const percent = (count: number): string => `${((100 * count) / Math.max(1, all)).toFixed(1)} %`
  const asks = (calls.require_approval / Math.max(1, sessions)).toFixed(2)
  return (
    `held out, in ${String(parts)} parts: of ${counted(all, 'call')} that it had not seen ${percent(calls.allow)} pass, ` +
    `${percent(calls.require_approval)} are asked about (${asks} a session), ${percent(calls.deny)} are denied`
  )
}

function jsonOf({ learner, policy, check, out }: Made): string {
  return jsonLine({
    schemaVersion,
    type: 'policy-learn',
    out: out ?? null,
    calls: learner.calls,
    leftOut: learner.leftOut,
    rules: policy.rules,
    heldOut: check ?? null,
    policy: out === undefined ? policy.text : null,
  })
}
