import { answerWith, unsignedAnswer } from '../approval/answer.ts'
import { signedBytes } from '../approval/envelope.ts'
import { assertionBytes, challengeOf, type Passkey } from '../approval/passkey.ts'
import type { PageSignature, PageStatement } from '../dashboard/source.ts'
import { CapFenceError } from '../errors.ts'
import { recordAnswer } from '../runtime/answers.ts'
import type { LogReader, Store } from '../runtime/store.ts'
import { answerLine } from './approval-answer.ts'
import { approvalOf, entryOf } from './approval-entry.ts'
import { scopeOf } from './approval-scope.ts'
import { readAuthority } from './authority.ts'
import type { Io } from './io.ts'
import type { configAndPlace, PlaceFlags } from './places.ts'
import { readConfig } from './places.ts'
import { readApprovers } from './read-approvers.ts'

type Where = Awaited<ReturnType<typeof configAndPlace>>

/** Who may approve, and with which passkeys, as one JSON text. */
export function pageApprovers({ config, place }: Where): string {
  const { approvers } = readAuthority(config?.approvals, place)
  return JSON.stringify(
    approvers.map(({ name, keyId, passkeys }) => ({
      name,
      keyId,
      passkeys: passkeys.map((one) => ({
        keyId: one.keyId,
        credential: one.credential,
        origin: one.origin,
      })),
    })),
  )
}

/**
 * What a passkey has to sign so that an answer is one, as one JSON text.
 *
 * @throws CapFenceError `APPROVAL_NOT_FOUND`, `USAGE` for what cannot be chosen or a passkey of nobody on the list
 */
export async function passkeyStatement(
  reader: LogReader,
  id: string,
  { verdict, minutes, session, passkey: keyid }: PageStatement,
  { config, place, nowMs }: Where & { readonly nowMs: number },
): Promise<string> {
  const passkey = passkeyOf({ config, place }, keyid)
  const approval = await approvalOf(reader, id)
  const { request, log } = approval
  const entry = await entryOf(reader, request, { showSecrets: false })
  const flags = { minutes: minutes === undefined ? undefined : String(minutes), session }
  const { payload, payloadType } = unsignedAnswer({
    log,
    approval: request.id,
    binding: request.bindingDigest,
    nonce: request.nonce,
    verdict,
    presence: 'passkey',
    key: passkey.keyId,
    ...scopeOf({ verdict, flags, nowMs, approval, entry }),
  })
  return JSON.stringify({
    challenge: challengeOf(signedBytes(payloadType, payload)),
    credential: passkey.credential,
    payload: Buffer.from(payload).toString('base64url'),
    payloadType,
  })
}

/**
 * Records an answer that a passkey has signed; everything about it is checked as it is of any other.
 *
 * @throws CapFenceError `APPROVAL_NOT_FOUND`, `APPROVAL_REFUSED` with the reason, or `AUDIT_UNAVAILABLE`
 */
export async function recordSigned(
  store: Store,
  id: string,
  { passkey, payload, ...assertion }: PageSignature,
  { config, place }: Where,
): Promise<string> {
  const approval = await approvalOf(store, id)
  const envelope = answerWith(payload, passkey, assertionBytes(assertion))
  const authority = readAuthority(config?.approvals, place)
  const accepted = await recordAnswer(store, { approval: approval.request.id, envelope }, authority)
  return answerLine(accepted, approval).trimEnd()
}

function passkeyOf({ config, place }: Where, keyid: string): Passkey {
  const { approvers } = readAuthority(config?.approvals, place)
  const passkeys = approvers.flatMap((approver) => approver.passkeys)
  const found = passkeys.find(({ keyId }) => keyId === keyid)
  if (found !== undefined) return found
  throw new CapFenceError('USAGE', 'no approver has this passkey', {
    hint: '`capfence keys approver list` shows who has which',
  })
}

/**
 * The port at which the passkeys of the list were made: on another they do not sign.
 *
 * @returns undefined where there are none, or nobody can say: then the page is there all the same
 */
export async function passkeyPort(flags: PlaceFlags, io: Io): Promise<number | undefined> {
  if (flags.storage !== undefined && flags.config === undefined) return undefined
  try {
    const { approvals } = await readConfig(flags.config, io)
    const passkeys = readApprovers(approvals).approvers.flatMap((one) => one.passkeys)
    const newest = passkeys.at(-1)
    return newest === undefined ? undefined : Number(new URL(newest.origin).port)
  } catch (error) {
    if (error instanceof CapFenceError) return undefined
    throw error
  }
}
