import type { CaseResult } from '../policy/tests/run-case.ts'
import type { Io, Output } from './io.ts'
import { explanationLines } from './explanation.ts'
import { shown } from './shown.ts'
import type { TestSuite } from './test-suites.ts'

/** Results of tests in the form that build servers read; no times, so that the same results are the same file. */
export function junitReport(suites: readonly TestSuite[]): string {
  const all = suites.flatMap(({ results }) => results)
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="capfence policy test" ${countsOf(all)}>`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function suiteLines({ name, results }: TestSuite): readonly string[] {
  return [
    `  <testsuite name="${escaped(name)}" ${countsOf(results)}>`,
    ...results.flatMap((result) => caseLines(name, result)),
    '  </testsuite>',
  ]
}

function countsOf(results: readonly CaseResult[]): string {
  const failures = results.filter(({ failure }) => failure !== undefined).length
  return `tests="${results.length}" failures="${failures}" errors="0" skipped="0"`
}

function caseLines(suite: string, result: CaseResult): readonly string[] {
  const { name, position } = result.case
  const attributes = [
    `name="${escaped(name)}"`,
    `classname="${escaped(suite)}"`,
    `file="${escaped(position.file)}"`,
    `line="${position.line}"`,
  ].join(' ')
  if (result.failure === undefined) return [`    <testcase ${attributes}/>`]
  const detail = explanationLines(result, plain).map(escaped).join('\n')
  return [
    `    <testcase ${attributes}>`,
    `      <failure type="policy-test" message="${escaped(result.failure)}">${detail}</failure>`,
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
