import { ConfigInvalid, problemLine } from '../config/problems.ts'
import type { ErrorCode } from '../errors.ts'
import { CapFenceError } from '../errors.ts'
import { PolicyError, policyProblemLine } from '../policy/problem.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { shown } from './shown.ts'
import { styled } from './style.ts'

/**
 * Says what went wrong, one `capfence:` line for each problem and one for what to do, and picks the exit code.
 *
 * What is not a `CapFenceError` is a bug and is thrown again, with its stack.
 */
export async function reportError(error: unknown, io: Io): Promise<ExitCode> {
  if (!(error instanceof CapFenceError)) throw error
  const lines = problemsOf(error).map(({ message, hint }) => complaint(io, message, hint))
  await io.err.write(lines.join(''))
  return exitCodeOf(error.code)
}

/** `capfence: message` and, where there is one, `capfence: hint: hint`, as lines for the side of complaints. */
export function complaint(io: Io, message: string, hint?: string): string {
  const lines = message
    .split('\n')
    .map((line) => `${styled(io.err, 'red', 'capfence:')} ${shown(line)}\n`)
  if (hint !== undefined) {
    lines.push(`${styled(io.err, 'dim', 'capfence: hint:')} ${shown(hint)}\n`)
  }
  return lines.join('')
}

interface Line {
  readonly message: string
  readonly hint?: string | undefined
}

function problemsOf(error: CapFenceError): readonly Line[] {
  if (error instanceof ConfigInvalid) {
    return error.problems.map((problem) => ({ message: problemLine(problem), hint: problem.hint }))
  }
  if (error instanceof PolicyError) {
    return error.problems.map((problem) => ({
      message: policyProblemLine(problem),
      hint: problem.hint,
    }))
  }
  return [error]
}

function exitCodeOf(code: ErrorCode): ExitCode {
  switch (code) {
    case 'USAGE':
    case 'CONFIG_INVALID':
    case 'CLIENT_FILE':
    case 'CONFIG_NOT_FOUND':
    case 'EVENT_INVALID':
    case 'GRANT_INVALID':
    case 'JSON_INVALID':
    case 'NOTE_INVALID':
    case 'TRACE_INVALID':
      return exitCodes.usage
    case 'ANCHOR_FAILED':
    case 'APPROVAL_NOT_FOUND':
    case 'APPROVAL_REFUSED':
    case 'GRANT_NOT_FOUND':
    case 'GRANT_REFUSED':
    case 'CALL_BLOCKED':
    case 'PROOF_INVALID':
      return exitCodes.no
    case 'AUDIT_CORRUPT':
    case 'AUDIT_UNAVAILABLE':
    case 'KEY_INVALID':
    case 'LOCK_INVALID':
    case 'LOCK_MISMATCH':
    case 'POLICY_INVALID':
    case 'POLICY_NOT_FOUND':
    case 'RECORD_INVALID':
    case 'SCAN_UNAVAILABLE':
    case 'SIGNATURE_INVALID':
    case 'UPSTREAM_UNAVAILABLE':
      return exitCodes.unknown
    default:
      return code satisfies never
  }
}
