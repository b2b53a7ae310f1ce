import { relative } from 'node:path'
import type { PolicySource } from '../policy/load.ts'
import { readPolicyText } from './policy-files.ts'

/**
 * Reads a policy file under the name that somebody in this folder would give it.
 *
 * @throws CapFenceError `POLICY_NOT_FOUND` when it cannot be read, `POLICY_INVALID` when it is not UTF-8
 */
export function readPolicySource(path: string): PolicySource {
  const fromHere = relative(process.cwd(), path)
  const isInside = fromHere !== '' && !fromHere.startsWith('..')
  return { path: isInside ? fromHere : path, text: readPolicyText(path) }
}
