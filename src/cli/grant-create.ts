import { writeFileSync } from 'node:fs'
import { readyGrant, type AcceptedGrant, type ReadyGrant } from '../approval/grant-authority.ts'
import { addSignature, openGrant, signGrant, type Grant } from '../approval/grant.ts'
import { compileGrant } from '../approval/grant-rule.ts'
import { ulid } from '../crypto/ids.ts'
import { systemRandom } from '../crypto/random.ts'
import type { SigningKey } from '../crypto/ed25519.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { recordGrant } from '../runtime/grants.ts'
import type { LogReader, Store } from '../runtime/store.ts'
import { approvalOf } from './approval-entry.ts'
import { readAuthority } from './authority.ts'
import { grantCard, grantData, timeText } from './grant-card.ts'
import { coverageOf, coverageText } from './grant-coverage.ts'
import { named, signersOf, type GrantSigner, type SignerFlags } from './grant-signers.ts'
import { termsOf, type LikeCall, type TermFlags } from './grant-terms.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import type { OpenStore, PlaceFlags } from './places.ts'
import { configAndPlace, withStore } from './places.ts'
import { readBounded } from './read-approvers.ts'
import { jsonLine, shown } from './shown.ts'

/** What `capfence grants create` takes, as it was typed. */
export interface CreateFlags extends PlaceFlags, SignerFlags, TermFlags {
  readonly like?: string | undefined
  readonly lookBack?: string | undefined
  readonly with?: readonly string[] | undefined
  readonly out?: string | undefined
  readonly json?: boolean | undefined
}

const usualLookBack = 200
const mostLookBack = 10_000

/** `capfence grants create`: shows what is to be granted and what it would have meant, then signs and records it. */
export async function grantsCreate(flags: CreateFlags, io: Io, open: OpenStore): Promise<ExitCode> {
  const where = { ...(await configAndPlace(flags, io)), io }
  const lookBack = lookBackOf(flags.lookBack)
  return withStore(where.place, open, async (store) => {
    const log = await originOf(store)
    const like = flags.like === undefined ? undefined : await likeCall(store, flags.like)
    const nowMs = io.nowMs()
    const terms = termsOf(flags, like, { config: where.config, nowMs })
    const rule = compileGrant({ ...terms, id: '', log, nonce: '', issuers: [] })
    const authority = readAuthority(where.config?.approvals, where.place)
    const signers = signersOf(flags, where, log)
    const others = (flags.with ?? []).map((name) => named(name, authority.approvers))
    if (others.length > 0 && flags.out === undefined) {
      throw new CapFenceError('USAGE', 'others have to sign it before it is recorded', {
        hint: 'write it to a file with `--out FILE`, for `capfence grants sign`',
      })
    }
    const issuers = [...signers.map(({ id }) => id), ...others.map(({ keyId }) => keyId)]
    const grant: Grant = {
      ...terms,
      id: `grt_${ulid(nowMs, systemRandom)}`,
      log,
      nonce: Buffer.from(systemRandom(16)).toString('hex'),
      issuers: issuers.toSorted(),
    }
    await io.err.write(grantCard(grant, nowMs, io.err))
    await io.err.write(coverageText(await coverageOf(store, { grant, rule }, lookBack)))
    const envelope = signGrant(grant, await keysOf(signers))
    if (flags.out !== undefined) return written(flags.out, envelope, grant, flags, io)
    // The key beside the database may have been made just now.
    const counting = readAuthority(where.config?.approvals, where.place)
    return recorded(await recordGrant(store, envelope, counting), flags, io)
  })
}

/** What `capfence grants import` and `sign` take, as it was typed. */
export interface GrantFileFlags extends PlaceFlags, SignerFlags {
  readonly json?: boolean | undefined
}

/** `capfence grants import FILE`: records a grant that was signed somewhere else. */
export async function grantsImport(
  path: string,
  flags: GrantFileFlags,
  io: Io,
  open: OpenStore,
): Promise<ExitCode> {
  const { envelope, ready } = readGrantFile(path)
  const { config, place } = await configAndPlace(flags, io)
  return withStore(place, open, async (store) => {
    await io.err.write(grantCard(ready.grant, io.nowMs(), io.err))
    await io.err.write(coverageText(await coverageOf(store, ready, usualLookBack)))
    const authority = readAuthority(config?.approvals, place)
    return recorded(await recordGrant(store, envelope, authority), flags, io)
  })
}

/** `capfence grants sign FILE`: adds the signature of another issuer to a grant. */
export async function grantsSign(path: string, flags: GrantFileFlags, io: Io): Promise<ExitCode> {
  const { envelope, ready } = readGrantFile(path)
  const { config, place } = await configAndPlace(flags, io)
  await io.err.write(grantCard(ready.grant, io.nowMs(), io.err))
  const [signer, ...more] = signersOf(flags, { config, place, io }, ready.grant.log)
  if (signer === undefined || more.length > 0) {
    throw new CapFenceError('USAGE', 'one approver signs at a time: `--as NAME`')
  }
  const signed = addSignature(openGrant(envelope), await signer.open())
  return written(path, signed, ready.grant, flags, io)
}

/**
 * A grant in a file, as it was written by `--out`.
 *
 * @throws CapFenceError `GRANT_INVALID` or `SIGNATURE_INVALID` when there is none in it
 */
export function readGrantFile(path: string): {
  readonly envelope: string
  readonly ready: ReadyGrant
} {
  const envelope = readBounded(path, limits.maxEnvelopeBytes + 1).replace(/\n$/, '')
  return { envelope, ready: readyGrant(envelope) }
}

/** The origin of a log, which is what its grants are bound to. */
async function originOf(reader: LogReader): Promise<string> {
  const [first] = await reader.records(0, 1)
  if (first !== undefined) return first.log
  throw new CapFenceError('AUDIT_UNAVAILABLE', 'the log holds no record yet', {
    hint: 'the first `capfence run` begins it',
  })
}

async function likeCall(store: Store, id: string): Promise<LikeCall> {
  const { request } = await approvalOf(store, id)
  const [record] = await store.records(request.decisionSeq, 1)
  if (record !== undefined) return { request, record }
  throw new CapFenceError('AUDIT_CORRUPT', `the log has lost the decision that asked ${id}`)
}

async function keysOf(signers: readonly GrantSigner[]): Promise<readonly SigningKey[]> {
  const keys: SigningKey[] = []
  // oxlint-disable-next-line no-await-in-loop -- one passphrase after the other
  for (const signer of signers) keys.push(await signer.open())
  return keys
}

async function written(
  path: string,
  envelope: string,
  grant: Grant,
  flags: { readonly json?: boolean | undefined },
  io: Io,
): Promise<ExitCode> {
  writeFileSync(path, `${envelope}\n`, { mode: 0o600 })
  const { signatures } = openGrant(envelope).envelope
  const missing = grant.issuers.length - signatures.length
  await io.out.write(
    flags.json === true
      ? jsonLine({ schemaVersion: 1, type: 'grant.file', file: path, missing, ...grantData(grant) })
      : `${shown(`${grant.id} is in ${path}, and counts nowhere yet: ${nextText(path, missing)}`)}\n`,
  )
  return exitCodes.yes
}

function nextText(path: string, missing: number): string {
  return missing === 0
    ? `\`capfence grants import ${path}\``
    : `${String(missing)} more must sign it with \`capfence grants sign ${path}\``
}

async function recorded(
  { grant, issuers, presence }: AcceptedGrant,
  flags: { readonly json?: boolean | undefined },
  io: Io,
): Promise<ExitCode> {
  const often = grant.uses === 1 ? 'one call' : `up to ${String(grant.uses)} calls`
  const text = `${grant.id} given by ${issuers.join(', ')}: ${often} until ${timeText(grant.expiresAtMs)}`
  await io.out.write(
    flags.json === true
      ? jsonLine({ schemaVersion: 1, type: 'grant', issuers, presence, ...grantData(grant) })
      : `${shown(text)}\n`,
  )
  return exitCodes.yes
}

function lookBackOf(text: string | undefined): number {
  if (text === undefined) return usualLookBack
  const count = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (count >= 0 && count <= mostLookBack) return count
  throw new CapFenceError('USAGE', `\`--look-back\` takes a number up to ${mostLookBack}`)
}
