import { existsSync } from 'node:fs'
import type { Approver } from '../approval/approver-list.ts'
import { keyId } from '../approval/envelope.ts'
import type { Config } from '../config/config.ts'
import type { SigningKey } from '../crypto/ed25519.ts'
import { CapFenceError } from '../errors.ts'
import { keyPath, openKey, type SecretFlags } from './approver-files.ts'
import { ownAnswerKey, readAuthority } from './authority.ts'
import type { Io } from './io.ts'
import type { WritablePlace } from './places.ts'

/** Who signs, as it was typed. */
export interface SignerFlags extends SecretFlags {
  readonly as?: readonly string[] | undefined
  readonly key?: string | undefined
}

/** Where keys are looked for. */
export interface SignerPlace {
  readonly config: Config | undefined
  readonly place: WritablePlace
  readonly io: Io
}

/** Somebody who signs: the key is asked for only when there is something to sign. */
export interface GrantSigner {
  /** `keyId` of the key. */
  readonly id: string
  readonly name: string
  readonly open: () => Promise<SigningKey>
}

/**
 * Whoever was named, or the only approver whose key is here; without approvers the key beside the database.
 *
 * @param log the origin of the log
 * @throws CapFenceError `USAGE` when nobody, or not only one, is meant
 */
export function signersOf(flags: SignerFlags, where: SignerPlace, log: string): GrantSigner[] {
  const { config, place } = where
  const { approvers } = readAuthority(config?.approvals, place)
  const names = flags.as ?? []
  if (approvers.length === 0 && names.length === 0) {
    const key = ownAnswerKey(place, log)
    return [{ id: keyId(key.publicKey), name: 'anyone', open: async () => key }]
  }
  if (config === undefined) {
    throw new CapFenceError('USAGE', 'the configuration says who may approve', {
      hint: 'name it with `--config FILE` instead of `--storage`',
    })
  }
  if (flags.key !== undefined && names.length > 1) {
    throw new CapFenceError('USAGE', '`--key` is the key of one approver')
  }
  const chosen =
    names.length > 0 ? names.map((name) => named(name, approvers)) : [only(approvers, config)]
  return chosen.map(({ keyId: id, name }) => ({
    id,
    name,
    open: () => openKey(flags.key ?? keyPath(config, name), flags, where.io),
  }))
}

/**
 * The approver of a name.
 *
 * @throws CapFenceError `USAGE`
 */
export function named(name: string, approvers: readonly Approver[]): Approver {
  const found = approvers.find((one) => one.name === name)
  if (found !== undefined) return found
  throw new CapFenceError('USAGE', `no approver is called \`${name}\``, {
    hint: `there are: ${approvers.map((one) => one.name).join(', ')}`,
  })
}

function only(approvers: readonly Approver[], config: Config): Approver {
  const here = approvers.filter(({ name }) => existsSync(keyPath(config, name)))
  const [first, ...others] = here
  if (first !== undefined && others.length === 0) return first
  const names = approvers.map(({ name }) => name).join(', ')
  throw new CapFenceError('USAGE', 'say whose key signs: `--as NAME`', {
    hint: `there are: ${names}`,
  })
}
