import { writeFileSync } from 'node:fs'
import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import { CapFenceError } from '../errors.ts'
import { capabilityName } from '../event/capability.ts'
import type { InvariantProof } from '../policy/analysis/invariants.ts'
import type { CaseResult } from '../policy/tests/run-case.ts'
import { explanationData, explanationLines } from './explanation.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { junitReport } from './junit.ts'
import { schemaVersion } from './log-lines.ts'
import { problemLines } from './problems.ts'
import { complaint } from './report-error.ts'
import { counted, jsonLine, shown } from './shown.ts'
import { styled } from './style.ts'
import { runSuites } from './test-suites.ts'
import type { TestFault, TestSuite } from './test-suites.ts'

/** What `capfence policy test` takes, as it was typed. */
export interface PolicyTestFlags {
  readonly config?: string | undefined
  readonly coverage?: boolean | undefined
  readonly json?: boolean | undefined
  readonly junit?: string | undefined
}

/**
 * `capfence policy test`: asks policies what their tests ask, and says where the answer is another one than expected.
 *
 * Nothing is run unless everything can be: half of the tests passing would look like all of them.
 */
export async function policyTest(
  files: readonly string[],
  flags: PolicyTestFlags,
  io: Io,
): Promise<ExitCode> {
  const { suites, faults } = await runSuites(...whatToRun(files, flags))
  if (faults.length > 0) {
    await io.err.write(faults.map((fault) => faultLines(fault, io)).join(''))
    return exitCodes.usage
  }
  if (flags.junit !== undefined) writeReport(flags.junit, junitReport(suites))
  const print = flags.json === true ? jsonOf : textOf
  for (const suite of suites) {
    // Each waits for a reader that is slower than the tests.
    // oxlint-disable-next-line no-await-in-loop -- one after the other is how they are printed
    await io.out.write(print(suite, { ...flags, io }))
  }
  const passed = suites.every(({ results, proofs }) => {
    return results.every(hasPassed) && proofs.every(isProven)
  })
  return passed ? exitCodes.yes : exitCodes.no
}

function whatToRun(
  files: readonly string[],
  { config }: PolicyTestFlags,
): [files: readonly string[], config: string | undefined] {
  if (files.length > 0) return [files, config]
  const path = config ?? defaultConfigPath
  return [readConfigFile(path).policies, path]
}

function hasPassed({ failure }: CaseResult): boolean {
  return failure === undefined
}

function isProven({ problem }: InvariantProof): boolean {
  return problem === undefined
}

function faultLines({ position, message, code, hint }: TestFault, io: Io): string {
  const place = position && `${position.file}:${position.line}:${position.column}: `
  const coded = code === undefined ? message : `${message} [${code}]`
  return complaint(io, `${place ?? ''}${coded}`, hint)
}

function writeReport(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `cannot write \`--junit\` ${path}: ${reason}`, { cause })
  }
}

interface Printing {
  readonly coverage?: boolean | undefined
  readonly io: Io
}

function textOf(suite: TestSuite, { coverage, io }: Printing): string {
  const { name, policy, results, proofs, untested } = suite
  const failed = results.filter((result) => !hasPassed(result))
  const broken = proofs.flatMap(({ problem }) => problem ?? [])
  const count = countText({ all: results.length, failed: failed.length, ...testWords }, io)
  const proven =
    proofs.length === 0
      ? ''
      : `, ${countText({ all: proofs.length, failed: broken.length, ...invariantWords }, io)}`
  const decided = `${policy.ruleCount - untested.length} of ${counted(policy.ruleCount, 'rule')}`
  const lines = [
    ...failed.flatMap((result) => failureLines(result, io)),
    ...broken.flatMap((problem) => problemLines(problem, io)),
    `${shown(name)}: ${count}${proven}; ${decided} decided in one`,
    ...(coverage === true ? untested : []).map(({ effect, id, position }) => {
      const { file, line, column } = position
      return `  untested: ${effect} ${shown(id)}  ${shown(`${file}:${line}:${column}`)}`
    }),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

const testWords = { one: 'test', good: 'passed', bad: 'failed' }
const invariantWords = { one: 'invariant', good: 'proven', bad: 'not proven' }

function countText(
  {
    all,
    failed,
    one,
    good,
    bad,
  }: { readonly all: number; readonly failed: number } & typeof testWords,
  io: Io,
): string {
  if (failed === 0) return `${counted(all, one)} ${good}`
  return styled(io.out, 'red', `${failed} of ${counted(all, one)} ${bad}`)
}

function failureLines(result: CaseResult, io: Io): readonly string[] {
  const { name, position } = result.case
  const place = `${position.file}:${position.line}:${position.column}`
  const head = `${place}: \`${name}\`: ${result.failure ?? ''}`
  const detail = explanationLines(result, io).map((line) => (line === '' ? '' : `  ${line}`))
  return [styled(io.out, 'bold', shown(head)), ...detail, '']
}

function jsonOf({ name, policy, results, proofs, untested }: TestSuite): string {
  const tests = results.map((result) => {
    const { name: test, position, expected } = result.case
    const { answer, event, deciding, failure } = result
    return jsonLine({
      schemaVersion,
      type: 'test',
      policy: name,
      name: test,
      ...position,
      ok: failure === undefined,
      failure: failure ?? null,
      expected: {
        decision: expected.decision,
        reason: expected.reason ?? null,
        rules: expected.rules.map(({ id }) => id),
      },
      decision: answer.decision,
      reason: answer.reason,
      capability: capabilityName(event.capability),
      deciding: deciding.map(({ id }) => id),
      explanation: failure === undefined ? null : explanationData(result),
    })
  })
  const invariants = proofs.map(({ invariant: { calls }, problem }) =>
    jsonLine({
      schemaVersion,
      type: 'invariant',
      policy: name,
      name: calls.rule.id,
      ...calls.rule.position,
      ok: problem === undefined,
      failure: problem?.message ?? null,
      hint: problem?.hint ?? null,
    }),
  )
  const failed = results.filter((result) => !hasPassed(result)).length
  const unproven = proofs.filter((proof) => !isProven(proof)).length
  const summary = jsonLine({
    schemaVersion,
    type: 'tests',
    policy: name,
    ok: failed + unproven === 0,
    tests: results.length,
    failed,
    invariants: proofs.length,
    unproven,
    rules: policy.ruleCount,
    untested: untested.map(({ id, effect, position }) => ({ id, effect, ...position })),
  })
  return [...tests, ...invariants, summary].join('')
}
