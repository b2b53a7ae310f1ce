import { requireInvariants } from '../policy/analysis/invariants.ts'
import { lintPolicy } from '../policy/analysis/lint.ts'
import type { LintSetting } from '../policy/analysis/lint.ts'
import type { PolicySource } from '../policy/load-files.ts'
import { loadPolicy } from '../policy/load.ts'
import type { Policy } from '../policy/policy.ts'
import { PolicyError } from '../policy/problem.ts'
import { readTestFile } from '../policy/tests/test-file.ts'
import { checkedSets } from './check-setting.ts'
import type { CheckedSet, SettingFlags } from './check-setting.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { extendedBy } from './policy-files.ts'
import { readPolicySource } from './policy-source.ts'
import type { AnyProblem, CheckAnswer } from './problems.ts'
import { checkLine, printProblems } from './problems.ts'
import { counted, shown } from './shown.ts'
import { isTestFile } from './test-suites.ts'

/** What `capfence policy check` takes, as it was typed. */
export interface PolicyCheckFlags extends SettingFlags {
  readonly json?: boolean | undefined
  /** Whether warnings count as well. */
  readonly strict?: boolean | undefined
}

/**
 * `capfence policy check`: says everything that is wrong with policies, and what is right and hardly meant.
 *
 * Files that are named are checked one by one; the files of a configuration together, as they govern.
 */
export async function policyCheck(
  files: readonly string[],
  flags: PolicyCheckFlags,
  io: Io,
): Promise<ExitCode> {
  const checks = checkedSets(files, flags).map(checkSet)
  const isGood = checks.every(({ problems, warnings }) => {
    return problems.length === 0 && (flags.strict !== true || warnings.length === 0)
  })
  if (flags.json === true) await io.out.write(checks.map(checkLine).join(''))
  else {
    const problems = checks.flatMap((check) => check.problems)
    const warnings = checks.flatMap((check) => check.warnings)
    await printProblems({ problems, warnings }, io)
    await io.out.write(checks.map(({ summary }) => summary).join(''))
  }
  return isGood ? exitCodes.yes : exitCodes.no
}

interface Check extends CheckAnswer {
  readonly warnings: readonly AnyProblem[]
  /** A line about what is good; nothing about what is not. */
  readonly summary: string
}

function checkSet({ files, setting }: CheckedSet): Check {
  const sources = files.map(readPolicySource)
  const [first] = sources
  // `policies/*.yaml` names the tests too.
  if (first !== undefined && files.every(isTestFile)) return checkTests(first)
  const file = sources.map(({ path }) => path).join(', ')
  try {
    const policy = loadPolicy(sources, extendedBy(readPolicySource))
    requireInvariants(policy)
    return goodPolicy(file, policy, setting)
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    return { file, problems: error.problems, warnings: [], summary: '' }
  }
}

function checkTests(source: PolicySource): Check {
  const { cases, problems } = readTestFile(source)
  const { path: file } = source
  const summary = problems.length > 0 ? '' : `${shown(file)}: ${counted(cases.length, 'test')}\n`
  return { file, problems, warnings: [], counts: { tests: cases.length }, summary }
}

function goodPolicy(file: string, policy: Policy, setting: LintSetting): Check {
  const { ruleCount, rules, notes } = policy
  const effects = (['deny', 'require_approval', 'allow'] as const).map((effect) => {
    const count = rules.filter((rule) => rule.effect === effect).length
    return `${count} ${effect}`
  })
  const summary = `${shown(file)}: ${counted(ruleCount, 'rule')} (${effects.join(', ')})\n`
  return {
    file,
    problems: [],
    warnings: [...notes, ...lintPolicy(policy, setting)],
    counts: { rules: ruleCount },
    summary,
  }
}
