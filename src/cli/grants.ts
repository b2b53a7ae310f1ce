import type { Authority } from '../approval/authority.ts'
import {
  grantComplaint,
  verifyGrant,
  type ReadyGrant,
  type RecordedGrant,
} from '../approval/grant-authority.ts'
import { openGrant, signRevocation } from '../approval/grant.ts'
import { CapFenceError } from '../errors.ts'
import { GrantReadings, recordRevocation } from '../runtime/grants.ts'
import { ownAnswerKey, readAuthority } from './authority.ts'
import { grantCard, grantData, timeText, whenText } from './grant-card.ts'
import { readGrantFile } from './grant-create.ts'
import { signersOf, type SignerFlags } from './grant-signers.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import type { OpenLog, OpenStore, PlaceFlags } from './places.ts'
import { configAndPlace, readConfig, withLog, withStore } from './places.ts'
import { readApprovers } from './read-approvers.ts'
import { complaint } from './report-error.ts'
import { jsonLine, shown } from './shown.ts'
import { styled } from './style.ts'

/** What `capfence grants list` and `show` take, as it was typed. */
export interface GrantsFlags extends PlaceFlags {
  readonly all?: boolean | undefined
  readonly json?: boolean | undefined
}

/** A grant, what it says, and whether it is in force. */
interface Entry {
  readonly recorded: RecordedGrant
  readonly ready: ReadyGrant | undefined
  /** Why it covers nothing; undefined while it is in force. */
  readonly complaint: string | undefined
  readonly issuers: readonly string[]
}

/** `capfence grants list`: prints the grants that are in force, or all. */
export function grantsList(flags: GrantsFlags, io: Io, open: OpenLog): Promise<ExitCode> {
  return withAuthority(flags, io, (authority) =>
    withLog(flags, open, async (reader) => {
      const readings = new GrantReadings()
      const entries = (await reader.grants())
        .map((one) => entryOf(one, readings, authority, io.nowMs()))
        .filter((one) => flags.all === true || one.complaint === undefined)
      const texts = entries.map((one) =>
        flags.json === true ? entryLine(one) : entryText(one, io),
      )
      await io.out.write(texts.join(flags.json === true ? '' : '\n'))
      if (texts.length === 0) {
        const what = flags.all === true ? 'no grant was ever given' : 'no grant is in force'
        await io.err.write(complaint(io, what))
      }
      return exitCodes.yes
    }),
  )
}

/** `capfence grants show ID`: prints everything about one. */
export function grantsShow(
  id: string,
  flags: GrantsFlags,
  io: Io,
  open: OpenLog,
): Promise<ExitCode> {
  return withAuthority(flags, io, (authority) =>
    withLog(flags, open, async (reader) => {
      const recorded = found(await reader.grants(), id)
      const entry = entryOf(recorded, new GrantReadings(), authority, io.nowMs())
      if (flags.json === true) {
        await io.out.write(entryLine(entry))
        return exitCodes.yes
      }
      const { ready, issuers } = entry
      const card =
        ready === undefined ? `${shown(id)}\n` : grantCard(ready.grant, io.nowMs(), io.out)
      const rows = [
        ['state', stateText(entry)],
        ['given', `${timeText(recorded.createdAtMs)} by ${issuers.join(', ')}`],
        ['used', `${recorded.useCount} times`],
      ]
      const lines = rows.map(([name = '', text = '']) => `  ${name.padEnd(9)} ${shown(text)}\n`)
      await io.out.write(`${card}${lines.join('')}`)
      return exitCodes.yes
    }),
  )
}

/** What `capfence grants revoke` takes, as it was typed. */
export interface RevokeFlags extends PlaceFlags, SignerFlags {
  readonly reason?: string | undefined
  readonly json?: boolean | undefined
}

/** `capfence grants revoke ID`: takes a grant back; no key is asked for, because it only narrows what may happen. */
export async function grantsRevoke(
  id: string,
  flags: RevokeFlags,
  io: Io,
  open: OpenStore,
): Promise<ExitCode> {
  const { config, place } = await configAndPlace(flags, io)
  return withStore(place, open, async (store) => {
    const recorded = found(await store.grants(), id)
    const { grant } = openGrant(recorded.envelope)
    const key =
      flags.as === undefined
        ? ownAnswerKey(place, recorded.log)
        : await signersOf(flags, { config, place, io }, recorded.log)[0]?.open()
    if (key === undefined) throw new CapFenceError('USAGE', 'say whose key signs: `--as NAME`')
    const { reason = '' } = flags
    const said = { grant: id, log: recorded.log, nonce: grant.nonce, reason }
    const envelope = signRevocation(said, key)
    const authority = readAuthority(config?.approvals, place)
    const { by } = await recordRevocation(store, { grant: id, envelope }, authority)
    await io.out.write(
      flags.json === true
        ? jsonLine({ schemaVersion: 1, type: 'grant.revocation', id, by, reason })
        : `${shown(`${id} revoked by ${by}: it covers no call any more`)}\n`,
    )
    return exitCodes.yes
  })
}

/** What `capfence grants verify` takes, as it was typed. */
export interface VerifyFlags {
  readonly config?: string | undefined
  readonly approvers?: string | undefined
  readonly json?: boolean | undefined
}

/** `capfence grants verify FILE`: says who signed a grant, from its text and the list of approvers alone. */
export async function grantsVerify(path: string, flags: VerifyFlags, io: Io): Promise<ExitCode> {
  const { ready } = readGrantFile(path)
  const approvals =
    flags.approvers === undefined
      ? (await readConfig(flags.config, io)).approvals
      : { approvers: flags.approvers, approversSha256: undefined }
  const { approvers } = readApprovers(approvals)
  const signers = verifyGrant(ready, { approvers, answerKey: undefined })
  const { grant } = ready
  const isOver = io.nowMs() >= grant.expiresAtMs
  const why = typeof signers === 'string' ? signers : isOver ? 'its time is up' : undefined
  if (flags.json === true) {
    const facts = typeof signers === 'string' ? {} : signers
    const head = { schemaVersion: 1, type: 'grant.verification', ok: why === undefined }
    await io.out.write(jsonLine({ ...head, complaint: why ?? null, ...facts, ...grantData(grant) }))
  } else {
    await io.err.write(grantCard(grant, io.nowMs(), io.err))
    const text =
      typeof signers === 'string' || why !== undefined
        ? `${grant.id} does not count: ${why ?? ''}`
        : `${grant.id} is signed by ${signers.issuers.join(', ')}, for the log ${grant.log}`
    await io.out.write(`${shown(text)}\n`)
  }
  return why === undefined ? exitCodes.yes : exitCodes.no
}

/** Who may approve is known where there is a configuration; without one only the key beside the database is. */
async function withAuthority<T>(
  flags: GrantsFlags,
  io: Io,
  use: (authority: Authority) => Promise<T>,
): Promise<T> {
  const { config, place } = await configAndPlace(flags, io)
  return use(readAuthority(config?.approvals, place))
}

function found(grants: readonly RecordedGrant[], id: string): RecordedGrant {
  const one = grants.find((grant) => grant.id === id)
  if (one !== undefined) return one
  throw new CapFenceError('GRANT_NOT_FOUND', `no grant has the id ${id}`, {
    hint: '`capfence grants list --all` shows those there are',
  })
}

function entryOf(
  recorded: RecordedGrant,
  readings: GrantReadings,
  authority: Authority,
  nowMs: number,
): Entry {
  const ready = readings.ready(recorded.envelope)
  if (ready === undefined) return { recorded, ready, complaint: 'it is none', issuers: [] }
  const signers = verifyGrant(ready, authority)
  const unsigned = typeof signers === 'string' ? signers : undefined
  const issuers = typeof signers === 'string' ? [] : signers.issuers
  return {
    recorded,
    ready,
    complaint: grantComplaint(recorded, ready.grant, nowMs) ?? unsigned,
    issuers,
  }
}

function stateText({ complaint: why }: Entry): string {
  return why === undefined ? 'in force' : `covers nothing: ${why}`
}

function entryText(entry: Entry, io: Io): string {
  const { recorded, ready, issuers } = entry
  const { id, useCount } = recorded
  if (ready === undefined) return `${shown(id)}  ${stateText(entry)}\n`
  const { grant } = ready
  const names = [grant.server, grant.tool, grant.session].filter((one) => one !== null)
  const lines = [
    `${grant.actor} in ${grant.environment}${names.length === 0 ? '' : `, ${names.join(' ')}`}, ${whenText(grant)}`,
    `${useCount} of ${grant.uses} used, until ${timeText(grant.expiresAtMs)}, by ${issuers.join(', ')}`,
    ...(grant.reason === '' ? [] : [`reason ${grant.reason}`]),
    stateText(entry),
  ]
  const mark = grant.breakGlass ? '  emergency' : ''
  const head = styled(io.out, 'bold', shown(`${id}  ${grant.capability}${mark}`))
  return `${head}\n${lines.map((line) => `  ${shown(line)}\n`).join('')}`
}

function entryLine(entry: Entry): string {
  const { recorded, ready, issuers, complaint: why } = entry
  return jsonLine({
    schemaVersion: 1,
    type: 'grant',
    ...(ready === undefined ? { id: recorded.id } : grantData(ready.grant)),
    issuers,
    used: recorded.useCount,
    inForce: why === undefined,
    complaint: why ?? null,
    createdSeq: recorded.createdSeq,
    createdAt: timeText(recorded.createdAtMs),
    envelope: recorded.envelope,
  })
}
