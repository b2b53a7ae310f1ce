import { sha256Hex } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import type { Policy } from '../policy/policy.ts'
import type { ReplayedPolicy } from '../replay/simulation.ts'
import type { TracePolicy } from '../replay/trace-policies.ts'
import { policyHash } from './policy-files.ts'
import { policyOfBytes } from './stored-policy.ts'

/**
 * Makes a policy of the texts that a trace has of it.
 *
 * @returns undefined when this version reads them no more: what it decided cannot be evaluated then
 * @throws CapFenceError `TRACE_INVALID` when they are not those of its hash
 */
export function loadTracePolicy({ hash, files }: TracePolicy): ReplayedPolicy | undefined {
  // A folder that is nowhere: files that are extended are looked for among these and nowhere else.
  const stored = files.map(({ path, text }) => ({
    path: `/${path.replaceAll('\\', '/')}`,
    bytes: Buffer.from(text, 'utf8'),
  }))
  if (policyHash(stored.map(({ bytes }) => ({ sha256: sha256Hex(bytes) }))) !== hash) {
    throw new CapFenceError('TRACE_INVALID', `the texts of the policy ${hash} are others`, {
      hint: 'the trace was changed since it was written; export it again',
    })
  }
  try {
    return replayed(hash, policyOfBytes({ hash, files: stored }, '/'))
  } catch (error) {
    if (error instanceof CapFenceError && error.code === 'POLICY_INVALID') return undefined
    throw error
  }
}

function replayed(hash: string, policy: Policy): ReplayedPolicy {
  return {
    hash,
    rules: policy.rules,
    asksState: (event) => policy.asksState(event),
    decide: (event, state) => policy.decide(event, state),
    explain: (event, state) => policy.explain(event, state),
  }
}
