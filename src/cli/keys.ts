import { isApproverName } from '../approval/approver-entry.ts'
import { changeApproverList, type Approver, type ApproverList } from '../approval/approver-list.ts'
import type { Config } from '../config/config.ts'
import type { SigningKey } from '../crypto/ed25519.ts'
import { newLockedKey } from '../crypto/locked-key.ts'
import { systemRandom } from '../crypto/random.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import {
  approversPath,
  approversSoFar,
  askPassphrase,
  keyPath,
  openKey,
  writeApprovers,
  writeKeyFile,
} from './approver-files.ts'
import type { SecretFlags } from './approver-files.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { readConfig } from './places.ts'
import { complaint } from './report-error.ts'
import { jsonLine } from './shown.ts'

/** What the commands of `capfence keys approver` take, as it was typed. */
export interface ApproverFlags extends SecretFlags {
  readonly config?: string | undefined
  /** Who signs the change. */
  readonly by?: string | undefined
  /** The file of the approver's key, where it is not at its usual place. */
  readonly key?: string | undefined
  /** The file of the signer's key. */
  readonly byKey?: string | undefined
  readonly json?: boolean | undefined
}

/** `capfence keys approver add NAME`: makes a key with a passphrase, and enters it in the list of approvers. */
export async function approverAdd(name: string, flags: ApproverFlags, io: Io): Promise<ExitCode> {
  const config = await readConfig(flags.config, io)
  if (!isApproverName(name)) {
    throw new CapFenceError('USAGE', `\`${name}\` cannot be the name of an approver`, {
      hint: 'use letters, digits, `.`, `_` and `-`, at most 64',
    })
  }
  const list = approversSoFar(config)
  if (list.known.has(name)) {
    throw new CapFenceError('USAGE', `\`${name}\` is or was an approver`, {
      hint: 'names are not used again: take another one',
    })
  }
  const signer = list.approvers.length === 0 ? undefined : await signerOf(list, config, flags, io)
  const passphrase = await newPassphrase(name, flags, io)
  const { key, text } = await newLockedKey(name, passphrase, systemRandom)
  const path = flags.key ?? keyPath(config, name)
  const changed = changeApproverList(list, {
    change: 'add',
    name,
    publicKey: key.publicKey,
    signer: signer ?? key,
  })
  writeKeyFile(path, text)
  return storeList(config, changed, [`the key of \`${name}\` is in ${path}`], io)
}

/** `capfence keys approver remove NAME`: takes somebody off the list; what they signed no longer counts. */
export async function approverRemove(
  name: string,
  flags: ApproverFlags,
  io: Io,
): Promise<ExitCode> {
  const config = await readConfig(flags.config, io)
  const list = approversSoFar(config)
  const { key } = approverOf(list, name)
  const signer = await signerOf(list, config, flags, io)
  const changed = changeApproverList(list, {
    change: 'remove',
    name,
    publicKey: key.publicKey,
    signer,
  })
  return storeList(config, changed, [`\`${name}\` is no approver any more`], io)
}

/** `capfence keys approver list`: who is on the list, and the fingerprint to pin it by. */
export async function approverList(flags: ApproverFlags, io: Io): Promise<ExitCode> {
  const config = await readConfig(flags.config, io)
  const { approvers, entries } = approversSoFar(config)
  const texts = approvers.map((approver) =>
    flags.json === true ? approverLine(approver) : approverText(approver),
  )
  await io.out.write(texts.join(''))
  if (entries.length === 0) await io.err.write(complaint(io, 'there are no approvers'))
  return exitCodes.yes
}

function approverText({ name, keyId, passkeys }: Approver): string {
  const lines = passkeys.map((one) => `${name}  ${one.keyId}  passkey, ${one.origin}\n`)
  return [`${name}  ${keyId}\n`, ...lines].join('')
}

function approverLine({ name, keyId, passkeys }: Approver): string {
  const facts = passkeys.map(({ keyId: id, origin }) => ({ keyId: id, origin }))
  return jsonLine({ schemaVersion: 1, type: 'approver', name, keyId, passkeys: facts })
}

/**
 * The approver of a name.
 *
 * @throws CapFenceError `USAGE` when there is none
 */
export function approverOf({ approvers }: ApproverList, name: string): Approver {
  const found = approvers.find((one) => one.name === name)
  if (found !== undefined) return found
  const names = approvers.map((one) => one.name).join(', ')
  throw new CapFenceError('USAGE', `\`${name}\` is not an approver`, {
    hint:
      names === '' ? '`capfence keys approver add NAME` makes the first' : `there are: ${names}`,
  })
}

/**
 * The key of whoever signs a change of the list.
 *
 * @throws CapFenceError `USAGE` when nobody was named, or the passphrase is wrong
 */
export async function signerOf(
  list: ApproverList,
  config: Config,
  flags: ApproverFlags,
  io: Io,
): Promise<SigningKey> {
  if (flags.by === undefined) {
    throw new CapFenceError('USAGE', 'an approver has to sign this change', {
      hint: `write \`--by NAME\`; there are: ${list.approvers.map(({ name }) => name).join(', ')}`,
    })
  }
  const { name } = approverOf(list, flags.by)
  return openKey(flags.byKey ?? keyPath(config, name), flags, io)
}

async function newPassphrase(name: string, flags: ApproverFlags, io: Io): Promise<string> {
  const passphrase = await askPassphrase(`new passphrase for ${name}`, flags, io)
  const least = limits.minPassphraseCharacters
  if (Array.from(passphrase).length < least) {
    throw new CapFenceError('USAGE', `a passphrase has at least ${String(least)} characters`, {
      hint: 'five words that do not belong together are better than one with digits in it',
    })
  }
  if (flags.passphraseStdin === true) return passphrase
  if ((await askPassphrase('the same again', flags, io)) === passphrase) return passphrase
  throw new CapFenceError('USAGE', 'the two passphrases differ')
}

/** Stores the list, and says what the configuration must say of it. */
export async function storeList(
  config: Config,
  list: ApproverList,
  lines: readonly string[],
  io: Io,
): Promise<ExitCode> {
  const path = approversPath(config)
  const fingerprint = writeApprovers(path, list)
  const { approvers } = config.approvals
  const told = [
    ...lines,
    `${path} has ${String(list.approvers.length)} of them; its fingerprint is ${fingerprint}`,
    ...(approvers === undefined
      ? [`name it in ${config.file}: "approvals": {"approvers": "approvers.json"}`]
      : []),
  ]
  await io.err.write(told.map((line) => complaint(io, line)).join(''))
  return exitCodes.yes
}
