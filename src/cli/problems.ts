import type { Problem } from '../config/problems.ts'
import { problemLine } from '../config/problems.ts'
import type { Io } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { jsonLine, shown } from './shown.ts'
import { styled } from './style.ts'

/** Prints problems as the answer of a check: `file:line:column: message`, and below it what to do. */
export async function printProblems(problems: readonly Problem[], io: Io): Promise<void> {
  const lines = problems.map((problem) => {
    const hint = problem.hint === undefined ? [] : [`capfence: hint: ${shown(problem.hint)}`]
    return [shown(problemLine(problem)), ...hint.map((line) => styled(io.out, 'dim', line))]
  })
  await io.out.write(
    lines
      .flat()
      .map((line) => `${line}\n`)
      .join(''),
  )
}

/** What a check with `--json` prints about one file. */
export interface CheckAnswer {
  readonly file: string
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/** Prints the answer of a check as one line of JSON Lines for each file. */
export async function printCheckJson(answers: readonly CheckAnswer[], io: Io): Promise<void> {
  const lines = answers.map(({ file, problems, warnings }) =>
    jsonLine({
      schemaVersion,
      type: 'check',
      file,
      ok: problems.length === 0,
      problems: problems.map(flat),
      warnings: warnings.map(flat),
    }),
  )
  await io.out.write(lines.join(''))
}

function flat({ position, message, hint }: Problem): Record<string, unknown> {
  return { ...position, message, hint: hint ?? null }
}
