import { relative } from 'node:path'
import type { PolicySource } from '../policy/load-files.ts'
import { readPolicyText, realPath } from './policy-files.ts'

/**
 * Reads a policy file under the name that somebody in this folder would give it.
 *
 * @throws CapFenceError `POLICY_NOT_FOUND` when it cannot be read, `POLICY_INVALID` when it is not UTF-8
 */
export function readPolicySource(path: string): PolicySource {
  const fromHere = relative(process.cwd(), path)
  const isInside = fromHere !== '' && !fromHere.startsWith('..')
  const text = readPolicyText(path)
  return { path: isInside ? fromHere : path, text, location: realPath(path) }
}
