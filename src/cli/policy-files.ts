import { readFileSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, relative, resolve } from 'node:path'

import { sha256Hex } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { PolicySource, ReadExtended } from '../policy/load-files.ts'
import { loadPolicy } from '../policy/load.ts'
import { parsersReady } from '../policy/parsers.ts'
import type { Policy } from '../policy/policy.ts'
import type { GoverningPolicy, PolicyFile } from '../runtime/policy.ts'
import { installParsers } from './parsers.ts'

installParsers()

/** A policy and what it was read from. */
export interface LoadedPolicy extends GoverningPolicy {
  readonly policy: Policy
}

/**
 * Loads policy files as one policy that governs a gate: one that can read what its rules ask about, and for which its
 * invariants are proven. Only a policy that has some loads what proves them.
 *
 * @throws CapFenceError as `loadPolicyFiles`, and `POLICY_INVALID` for an invariant that does not hold or is not proven
 */
export async function loadGoverningPolicy(
  paths: readonly string[],
  folder: string,
): Promise<GoverningPolicy> {
  const loaded = loadPolicyFiles(paths, folder)
  await parsersReady()
  if (loaded.policy.invariants.length > 0) {
    const { requireInvariants } = await import('../policy/analysis/invariants.ts')
    requireInvariants(loaded.policy)
  }
  return loaded
}

/**
 * Loads policy files as one policy, whose invariants are not proven yet.
 *
 * @param folder what rules say they stand in is relative to it: a model that meets a rule learns no more of the machine
 * @throws CapFenceError `POLICY_NOT_FOUND` when a file cannot be read, `POLICY_INVALID` with every problem
 */
export function loadPolicyFiles(paths: readonly string[], folder: string): LoadedPolicy {
  const files: PolicyFile[] = []
  const read = (path: string): PolicySource => {
    const file = readPolicyFile(path)
    files.push(file)
    const text = decode(path, file.bytes)
    return { path: shownPath(path, folder), text, location: realPath(path) }
  }
  const policy = loadPolicy(paths.map(read), extendedBy(read))
  return {
    policy,
    hash: policyHash(files),
    ruleCount: policy.ruleCount,
    rules: policy.rules,
    limits: policy.limits,
    files,
    asksState: (event) => policy.asksState(event),
    decide: (event, state) => policy.decide(event, state),
    explain: (event, state) => policy.explain(event, state),
  }
}

/** Tells a policy by its files, in the order in which they were read: the hash that its decisions carry. */
export function policyHash(files: readonly { readonly sha256: string }[]): string {
  return sha256Hex(files.map(({ sha256 }) => `${sha256}\n`).join(''))
}

/**
 * Gives the files that policy files extend, relative to where these really lie.
 *
 * @param read reads a policy file, or throws
 */
export function extendedBy(read: (path: string) => PolicySource): ReadExtended {
  return (name, from) => {
    try {
      return read(resolve(dirname(from.location ?? from.path), name))
    } catch (error) {
      if (!(error instanceof CapFenceError)) throw error
      return { fault: faultOf(error) }
    }
  }
}

function faultOf({ cause, message }: CapFenceError): string {
  const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  return isMissing
    ? 'does not exist'
    : `cannot be read: ${cause instanceof Error ? cause.message : message}`
}

/** Where a file really lies, so that it is the same file under each of its names. */
export function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // It was read a moment ago; if it is gone since, its name tells it apart as well.
    return resolve(path)
  }
}

/** A path as it is shown: relative to a folder, or the name alone of what lies outside of it. */
export function shownPath(path: string, folder: string): string {
  const inside = relative(folder, path)
  return inside.startsWith('..') || isAbsolute(inside) ? basename(path) : inside
}

function readPolicyFile(path: string): PolicyFile {
  try {
    if (statSync(path).size > limits.maxPolicyBytes) {
      throw new CapFenceError(
        'POLICY_INVALID',
        `${path}: the file is larger than ${String(limits.maxPolicyBytes)} bytes`,
      )
    }
    const bytes = readFileSync(path)
    return { path, bytes, sha256: sha256Hex(bytes) }
  } catch (cause) {
    if (cause instanceof CapFenceError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('POLICY_NOT_FOUND', `cannot read the policy ${path}: ${reason}`, {
      hint: 'it is named on the command line, or under `policies` in the configuration',
      cause,
    })
  }
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new CapFenceError('POLICY_INVALID', `${path}:1:1: the file is not UTF-8 text`, { cause })
  }
}

/**
 * The text of a policy file.
 *
 * @throws CapFenceError `POLICY_NOT_FOUND`, or `POLICY_INVALID` when it is no UTF-8
 */
export function readPolicyText(path: string): string {
  return decode(path, readPolicyFile(path).bytes)
}
