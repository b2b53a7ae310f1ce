import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import {
  approverListFingerprint,
  noApprovers,
  printApproverList,
  type ApproverList,
} from '../approval/approver-list.ts'
import type { Config } from '../config/config.ts'
import type { SigningKey } from '../crypto/ed25519.ts'
import { parseLockedKey, unlockKey } from '../crypto/locked-key.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Io } from './io.ts'
import { readApprovers, readBounded, unreadable } from './read-approvers.ts'

/** Where the list of a configuration is, or would be. */
export function approversPath({ folder, approvals }: Config): string {
  return approvals.approvers ?? join(folder, 'approvers.json')
}

/** The list at the place where it would be; empty when there is none yet. */
export function approversSoFar(config: Config): ApproverList {
  const path = approversPath(config)
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return noApprovers
  return readApprovers({ ...config.approvals, approvers: path })
}

/** Puts a list in the place of the one before: readers see the one or the other. */
export function writeApprovers(path: string, list: ApproverList): string {
  const text = printApproverList(list)
  const beside = `${path}.${String(process.pid)}.new`
  writeFileSync(beside, text, { flag: 'wx', mode: 0o644, flush: true })
  renameSync(beside, path)
  return approverListFingerprint(text)
}

/** Where the key of an approver is kept when nothing else is said: beside the list. */
export function keyPath(config: Config, name: string): string {
  return join(dirname(approversPath(config)), 'approvers', `${name}.key`)
}

/**
 * Keeps a locked key, and never in the place of another.
 *
 * @throws CapFenceError `USAGE` when there is a file of that name
 */
export function writeKeyFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600, flush: true })
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    if (!isThere) throw unreadable(path, cause)
    throw new CapFenceError('USAGE', `there is a file ${path} already`, {
      hint: 'a key is never replaced: take another name, or another place with `--key`',
      cause,
    })
  }
}

/** How a passphrase is given. */
export interface SecretFlags {
  readonly passphraseStdin?: boolean | undefined
}

/** Asks for a passphrase, on the terminal unless the flags say otherwise. */
export function askPassphrase(question: string, flags: SecretFlags, io: Io): Promise<string> {
  return flags.passphraseStdin === true
    ? io.secrets.fromInput()
    : io.secrets.fromTerminal(`${question}: `)
}

/**
 * Opens the key of an approver with its passphrase.
 *
 * @throws CapFenceError `KEY_INVALID` when the file is none, `USAGE` for a wrong passphrase
 */
export async function openKey(path: string, flags: SecretFlags, io: Io): Promise<SigningKey> {
  const locked = parseLockedKey(readBounded(path, limits.maxLockedKeyBytes))
  return unlockKey(locked, await askPassphrase(`passphrase of ${locked.name}`, flags, io))
}
