import type { Position } from '../policy/answer.ts'
import type { Io } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { jsonLine, shown } from './shown.ts'
import { styled } from './style.ts'

/** One thing that is wrong with a file, whatever kind of file; some kinds have codes. */
export interface AnyProblem {
  readonly position: Position
  readonly message: string
  readonly code?: string
  readonly hint?: string
}

/** Prints the answer of a check: `file:line:column: message [code]`, and below it what to do. */
export async function printProblems(
  { problems, warnings = [] }: Pick<CheckAnswer, 'problems' | 'warnings'>,
  io: Io,
): Promise<void> {
  const lines = [...problems, ...warnings.map(asWarning)].flatMap((one) => problemLines(one, io))
  await io.out.write(lines.map((line) => `${line}\n`).join(''))
}

/** The lines about one problem: where and what, and below it what to do, where that is known. */
export function problemLines(
  { position: { file, line, column }, message, code, hint }: AnyProblem,
  io: Io,
): readonly string[] {
  const coded = code === undefined ? message : `${message} [${code}]`
  const problem = shown(`${file}:${line}:${column}: ${coded}`)
  if (hint === undefined) return [problem]
  return [problem, `${styled(io.out, 'dim', 'capfence: hint:')} ${shown(hint)}`]
}

function asWarning(warning: AnyProblem): AnyProblem {
  return { ...warning, message: `warning: ${warning.message}` }
}

/** What a check with `--json` prints about one file or set of files. */
export interface CheckAnswer {
  readonly file: string
  readonly problems: readonly AnyProblem[]
  readonly warnings?: readonly AnyProblem[]
  /** What else is known of a file without problems. */
  readonly counts?: Readonly<Record<string, number>>
}

/** The answer of a check as one line of JSON Lines. */
export function checkLine({ file, problems, warnings = [], counts = {} }: CheckAnswer): string {
  return jsonLine({
    schemaVersion,
    type: 'check',
    file,
    ok: problems.length === 0,
    ...counts,
    problems: problems.map(flat),
    warnings: warnings.map(flat),
  })
}

function flat({ position, message, code, hint }: AnyProblem): Record<string, unknown> {
  return { ...position, message, code: code ?? null, hint: hint ?? null }
}
