import type { InvariantProof } from '../policy/analysis/invariants.ts'
import type { Position } from '../policy/answer.ts'
import type { CaseResult } from '../policy/tests/run-case.ts'
import type { Io, Output } from './io.ts'
import { explanationLines } from './explanation.ts'
import { shown } from './shown.ts'
import type { TestSuite } from './test-suites.ts'

/** Results of tests in the form that build servers read; no times, so that the same results are the same file. */
export function junitReport(suites: readonly TestSuite[]): string {
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="capfence policy test" ${countsOf(suites)}>`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function suiteLines(suite: TestSuite): readonly string[] {
  const { name, results, proofs } = suite
  return [
    `  <testsuite name="${escaped(name)}" ${countsOf([suite])}>`,
    ...results.flatMap((result) => caseLines(name, result)),
    ...proofs.flatMap((proof) => proofLines(name, proof)),
    '  </testsuite>',
  ]
}

function countsOf(suites: readonly TestSuite[]): string {
  const failed = suites.flatMap(({ results, proofs }) => [
    ...results.map(({ failure }) => failure !== undefined),
    ...proofs.map(({ problem }) => problem !== undefined),
  ])
  const failures = failed.filter((one) => one).length
  return `tests="${failed.length}" failures="${failures}" errors="0" skipped="0"`
}

function caseLines(suite: string, result: CaseResult): readonly string[] {
  const { name, position } = result.case
  const { failure: message } = result
  const failure =
    message === undefined ? undefined : { message, detail: explanationLines(result, plain) }
  return elementLines(suite, { name, position, failure })
}

function proofLines(suite: string, { invariant, problem }: InvariantProof): readonly string[] {
  const { id, position } = invariant.calls.rule
  const failure = problem && {
    message: problem.message,
    detail: problem.hint === undefined ? [] : [problem.hint],
  }
  return elementLines(suite, { name: `invariant ${id}`, position, failure })
}

interface CaseElement {
  readonly name: string
  readonly position: Position
  readonly failure: { readonly message: string; readonly detail: readonly string[] } | undefined
}

function elementLines(suite: string, { name, position, failure }: CaseElement): readonly string[] {
  const attributes = [
    `name="${escaped(name)}"`,
    `classname="${escaped(suite)}"`,
    `file="${escaped(position.file)}"`,
    `line="${position.line}"`,
  ].join(' ')
  if (failure === undefined) return [`    <testcase ${attributes}/>`]
  const detail = failure.detail.map(escaped).join('\n')
  return [
    `    <testcase ${attributes}>`,
    `      <failure type="policy-test" message="${escaped(failure.message)}">${detail}</failure>`,
    '    </testcase>',
  ]
}

/** A report has no colours, whatever the terminal has. */
const nowhere: Output = {
  write: async () => undefined,
  isTerminal: false,
  columns: undefined,
  hasColour: false,
}
const plain: Pick<Io, 'out'> = { out: nowhere }

/**
 * Text for XML 1.0, in an element or between quotes.
 *
 * Characters that a document must not hold (section 2.2) do not show on a terminal either, and are already written out.
 */
function escaped(text: string): string {
  return shown(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&apos;')
}
