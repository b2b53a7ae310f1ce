import { CapFenceError } from '../errors.ts'
import { nearestName } from '../event/nearest.ts'
import type { Position } from './answer.ts'

/** What kind of thing is wrong with a policy; printed behind each line, so that it can be looked up. */
export type ProblemCode =
  /** It is not YAML 1.2, or uses a part of YAML that could hide a control. */
  | 'policy-yaml'
  /** A bound of `limits.ts` is passed. */
  | 'policy-limit'
  /** A key that the language does not know. */
  | 'policy-key'
  | 'policy-duplicate-key'
  /** A file that another one extends and that cannot be taken. */
  | 'policy-extends'
  /** A part of the language, or of the original one, that this version does not evaluate. */
  | 'policy-unsupported'
  /** A value of another type than its key takes. */
  | 'policy-type'
  /** A value of the right type that cannot be meant, or could never match. */
  | 'policy-value'
  | 'policy-capability'
  | 'policy-id'
  /** Nothing where something has to stand. */
  | 'policy-empty'
  /** A note: what is written has no effect, or another one than its author may expect. */
  | 'policy-note'
  /** Something that has to hold for the policy does not, or could not be proven. */
  | 'policy-invariant'
  /** A warning: what is written is right, and hardly meant. */
  | 'policy-lint'
  /** A note: characters that an editor hides or shows in another order. */
  | 'policy-hidden'

/** One thing that is wrong with a policy file. */
export interface Problem {
  readonly position: Position
  readonly code: ProblemCode
  /** One line, lower case, the author's own words in backticks. */
  readonly message: string
  /** What to write instead, where that can be said. */
  readonly hint?: string
}

/** Every problem of a policy at once, so that nobody mends a file one line per try. */
export class PolicyError extends CapFenceError {
  /** In the order of the files and of their lines; at least one. */
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const hint = problems.find((problem) => problem.hint !== undefined)?.hint
    super(
      'POLICY_INVALID',
      problems.map(policyProblemLine).join('\n'),
      hint === undefined ? {} : { hint },
    )
    this.problems = problems
  }
}

/**
 * `file:line:column: what is wrong [code]`, the form that editors and terminals make a link of.
 */
export function policyProblemLine({ position, message, code }: Problem): string {
  return `${position.file}:${position.line}:${position.column}: ${message} [${code}]`
}

/** The hint for a misspelt name: the known one that was most likely meant, if any is near. */
export function nearestHint(written: string, known: Iterable<string>): string | undefined {
  const name = nearestName(written, known)
  return name === undefined ? undefined : `did you mean \`${name}\`?`
}
