import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import { loadPolicy } from '../policy/load.ts'
import type { Policy } from '../policy/policy.ts'
import { PolicyError } from '../policy/problem.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { extendedBy } from './policy-files.ts'
import { readPolicySource } from './policy-source.ts'
import { checkLine, printProblems } from './problems.ts'
import { counted, shown } from './shown.ts'

/** What `capfence policy check` takes, as it was typed. */
export interface PolicyCheckFlags {
  readonly config?: string | undefined
  readonly json?: boolean | undefined
}

/**
 * `capfence policy check`: says everything that is wrong with policies.
 *
 * Files that are named are checked one by one; the files of a configuration together, as they govern.
 */
export async function policyCheck(
  files: readonly string[],
  flags: PolicyCheckFlags,
  io: Io,
): Promise<ExitCode> {
  const sets = files.length > 0 ? files.map((file) => [file]) : [configured(flags.config)]
  const checks = sets.map(checkSet)
  if (flags.json === true) await io.out.write(checks.map(jsonOf).join(''))
  else {
    await printProblems(
      checks.flatMap(({ result }) =>
        result instanceof PolicyError ? result.problems : result.notes,
      ),
      io,
    )
    await io.out.write(checks.map(summaryOf).join(''))
  }
  return checks.some(({ result }) => result instanceof PolicyError) ? exitCodes.no : exitCodes.yes
}

function configured(config: string | undefined): readonly string[] {
  return readConfigFile(config ?? defaultConfigPath).policies
}

interface Check {
  readonly files: string
  readonly result: Policy | PolicyError
}

function checkSet(files: readonly string[]): Check {
  const sources = files.map(readPolicySource)
  const names = sources.map(({ path }) => path).join(', ')
  try {
    return { files: names, result: loadPolicy(sources, extendedBy(readPolicySource)) }
  } catch (error) {
    if (error instanceof PolicyError) return { files: names, result: error }
    throw error
  }
}

function jsonOf({ files, result }: Check): string {
  if (result instanceof PolicyError) return checkLine({ file: files, problems: result.problems })
  const counts = { rules: result.ruleCount }
  return checkLine({ file: files, problems: [], warnings: result.notes, counts })
}

function summaryOf({ files, result }: Check): string {
  if (result instanceof PolicyError) return ''
  const effects = (['deny', 'require_approval', 'allow'] as const).map((effect) => {
    const count = result.rules.filter((rule) => rule.effect === effect).length
    return `${count} ${effect}`
  })
  return `${shown(files)}: ${counted(result.ruleCount, 'rule')} (${effects.join(', ')})\n`
}
