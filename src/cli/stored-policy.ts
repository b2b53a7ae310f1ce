import { basename, dirname, resolve } from 'node:path'
import { sha256Hex } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import type { PolicySource, ReadExtended } from '../policy/load-files.ts'
import { loadPolicy } from '../policy/load.ts'
import type { Policy } from '../policy/policy.ts'
import type { StoredPolicy } from '../runtime/store.ts'
import { policyHash, shownPath } from './policy-files.ts'

/**
 * Makes a policy of the bytes that the log keeps of it, exactly as it governed.
 *
 * @param folder what the names of its files are shown relative to
 * @throws CapFenceError `AUDIT_CORRUPT` when the bytes are not those of the hash, `POLICY_INVALID` when this version
 *   reads them no more
 */
export function policyOfBytes({ hash, files }: StoredPolicy, folder: string): Policy {
  if (policyHash(files.map(({ bytes }) => ({ sha256: sha256Hex(bytes) }))) !== hash) {
    throw new CapFenceError('AUDIT_CORRUPT', `the bytes kept of the policy ${hash} are others`)
  }
  const sources = files.map(({ path, bytes }): PolicySource => {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { path: shownPath(path, folder), text, location: path }
  })
  // Files that others extend stand among them; each counts once, in whichever way it is found.
  return loadPolicy(sources, among(sources))
}

function among(sources: readonly PolicySource[]): ReadExtended {
  return (name, from) => {
    const path = resolve(dirname(from.location ?? from.path), name)
    const exact = sources.find(({ location }) => location === path)
    // A file that was loaded under another name of itself is relative to a folder that is not known any more.
    const alike = sources.filter(({ location = '' }) => basename(location) === basename(name))
    const [first] = alike
    return exact ?? (alike.length === 1 && first !== undefined ? first : notKept)
  }
}

const notKept = { fault: 'is not among the files that the log keeps of this policy' }
