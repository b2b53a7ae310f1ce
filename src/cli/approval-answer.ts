import { existsSync } from 'node:fs'
import { signAnswer, type AnswerVerdict } from '../approval/answer.ts'
import type { Approver } from '../approval/approver-list.ts'
import type { AcceptedAnswer } from '../approval/give-answer.ts'
import type { RecordedApproval } from '../approval/recorded.ts'
import type { Config } from '../config/config.ts'
import type { SigningKey } from '../crypto/ed25519.ts'
import { CapFenceError } from '../errors.ts'
import { recordAnswer } from '../runtime/answers.ts'
import type { Store } from '../runtime/store.ts'
import { approvalCard } from './approval-card.ts'
import { approvalOf, entryOf, type RequestEntry } from './approval-entry.ts'
import { scopeOf } from './approval-scope.ts'
import { keyPath, openKey, type SecretFlags } from './approver-files.ts'
import { ownAnswerKey, readAuthority } from './authority.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import type { OpenStore, PlaceFlags, WritablePlace } from './places.ts'
import { configAndPlace, withStore } from './places.ts'
import { jsonLine, shown } from './shown.ts'

/** What `capfence approvals approve`, `deny` and `revoke` take, as it was typed. */
export interface AnswerFlags extends PlaceFlags, SecretFlags {
  readonly as?: string | undefined
  readonly key?: string | undefined
  readonly session?: boolean | undefined
  readonly minutes?: string | undefined
  readonly showSecrets?: boolean | undefined
  readonly json?: boolean | undefined
}

/** One answer on its way from what was typed into the log. */
interface Giving {
  readonly verdict: AnswerVerdict
  readonly flags: AnswerFlags
  readonly io: Io
  readonly config: Config | undefined
  readonly place: WritablePlace
  readonly approval: RecordedApproval
  readonly entry: RequestEntry
}

/** `capfence approvals approve | deny | revoke ID`: shows what is asked, signs the answer and records it. */
export async function approvalsAnswer(
  verdict: AnswerVerdict,
  id: string,
  flags: AnswerFlags,
  io: Io,
  open: OpenStore,
): Promise<ExitCode> {
  const where = await configAndPlace(flags, io)
  return withStore(where.place, open, async (store) => {
    const approval = await approvalOf(store, id)
    const { showSecrets = false } = flags
    const entry = await entryOf(store, approval.request, { showSecrets })
    await io.err.write(approvalCard(approval, entry, io.nowMs(), io.err))
    const accepted = await answered({ verdict, flags, io, ...where, approval, entry }, store)
    await io.out.write(
      flags.json === true
        ? answerLine(accepted, approval)
        : `${shown(outcomeText(accepted, approval))}\n`,
    )
    return exitCodes.yes
  })
}

async function answered(giving: Giving, store: Store): Promise<AcceptedAnswer> {
  const { approval, config, place } = giving
  const scope = scopeOf({ ...giving, nowMs: giving.io.nowMs() })
  const { key, presence } = await signerOf(giving)
  const { request, log } = approval
  const envelope = signAnswer(
    {
      log,
      approval: request.id,
      binding: request.bindingDigest,
      nonce: request.nonce,
      verdict: giving.verdict,
      presence,
      ...scope,
    },
    key,
  )
  const authority = readAuthority(config?.approvals, place)
  return recordAnswer(store, { approval: request.id, envelope }, authority)
}

interface Signer {
  readonly key: SigningKey
  readonly presence: 'any' | 'key'
}

/** A no needs no key: it takes nothing but the call that was asked about. */
async function signerOf(giving: Giving): Promise<Signer> {
  const { verdict, flags, io, approval, config, place } = giving
  const { presence } = approval.request.terms
  if (presence === 'passkey' && verdict === 'approve') {
    throw new CapFenceError('APPROVAL_REFUSED', 'its rule asks for a passkey', {
      hint: 'a passkey signs in a browser: `capfence ui`',
    })
  }
  if (flags.as === undefined && (presence === 'any' || verdict !== 'approve')) {
    return { key: ownAnswerKey(place, approval.log), presence: 'any' }
  }
  if (config === undefined) {
    throw new CapFenceError('USAGE', 'the configuration says who may approve', {
      hint: 'name it with `--config FILE` instead of `--storage`',
    })
  }
  const path = flags.key ?? keyPath(config, approverFor(giving, config).name)
  return { key: await openKey(path, flags, io), presence: 'key' }
}

/** Who approves: whoever was named, or the only one whose key is here. */
function approverFor({ flags, place }: Giving, config: Config): Approver {
  const { approvers } = readAuthority(config.approvals, place)
  const candidates = approvers.filter(({ name }) =>
    flags.as === undefined ? existsSync(keyPath(config, name)) : name === flags.as,
  )
  const [only, ...others] = candidates
  if (only !== undefined && others.length === 0) return only
  if (approvers.length === 0) {
    throw new CapFenceError('APPROVAL_REFUSED', 'its rule asks for a key, and nobody has one', {
      hint: '`capfence keys approver add NAME`, and `approvals.approvers` in the configuration',
    })
  }
  const names = approvers.map(({ name }) => name).join(', ')
  throw new CapFenceError('USAGE', 'say whose key signs: `--as NAME`', {
    hint: `there are: ${names}`,
  })
}

function outcomeText(accepted: AcceptedAnswer, { request }: RecordedApproval): string {
  const { answer, approver, isReached, approvals } = accepted
  const until = new Date(answer.expiresAtMs).toISOString()
  switch (answer.verdict) {
    case 'deny':
      return `${request.id} denied by ${approver}: the same call is refused until ${until}`
    case 'revoke':
      return `${request.id} revoked by ${approver}: it lets no call pass any more`
    case 'approve':
  }
  if (!isReached) {
    const missing = request.terms.quorum - approvals
    return `${request.id} approved by ${approver}; ${String(missing)} more must approve before the call passes`
  }
  const often = answer.uses === 1 ? 'once' : `up to ${String(answer.uses)} times`
  const where = answer.session === null ? '' : ' in the same session'
  return `${request.id} approved by ${approver}: the same call passes ${often}${where} until ${until}`
}

/** What was recorded, as the line that `--json` prints. */
export function answerLine(accepted: AcceptedAnswer, { request }: RecordedApproval): string {
  const { answer, approver, isReached, approvals } = accepted
  return jsonLine({
    schemaVersion: 1,
    type: 'approval.answer',
    id: request.id,
    verdict: answer.verdict,
    approver,
    presence: answer.presence,
    uses: answer.uses,
    expiresAt: new Date(answer.expiresAtMs).toISOString(),
    session: answer.session,
    approvals,
    quorum: request.terms.quorum,
    reached: isReached,
  })
}
