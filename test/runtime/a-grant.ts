import { keyId } from '../../src/approval/envelope.ts'
import { openGrant, signGrant, signRevocation, type Grant } from '../../src/approval/grant.ts'
import type { AcceptedGrant } from '../../src/approval/grant-authority.ts'
import { ulid } from '../../src/crypto/ids.ts'
import { systemRandom } from '../../src/crypto/random.ts'
import type { SigningKey } from '../../src/crypto/ed25519.ts'
import { scanStrict, wanted } from '../../src/json/scan.ts'
import { isJsonObject, type JsonObject } from '../../src/json/value.ts'
import { recordGrant, recordRevocation } from '../../src/runtime/grants.ts'
import type { EventFields } from '../../src/event/create.ts'
import type { CallOptions } from '../../src/runtime/prepare.ts'
import type { ApprovalPlace } from './approvals.ts'
import { alice } from './approvals.ts'

/** Conditions, as JSON text: numbers keep every digit. */
export function when(json: string): JsonObject {
  const { value } = scanStrict(Buffer.from(json), wanted({}))
  if (!isJsonObject(value)) throw new Error('no object')
  return value
}

/** A grant that covers the payments of these tests, ten of them within an hour. */
export async function grantOf(
  place: Pick<ApprovalPlace, 'nowMs' | 'store'>,
  keys: readonly SigningKey[],
  changes: Partial<Grant> = {},
): Promise<Grant> {
  const [first] = await place.store.records(0, 1)
  return {
    id: `grt_${ulid(place.nowMs, systemRandom)}`,
    log: first?.log ?? '',
    nonce: '0123456789abcdef'.repeat(2),
    issuers: keys.map((key) => keyId(key.publicKey)).toSorted(),
    capability: 'payment.execute.*',
    actor: 'ops-*',
    environment: 'production',
    server: null,
    tool: null,
    session: null,
    definitionHash: null,
    policyHash: null,
    when: {},
    issuedAtMs: place.nowMs,
    notBeforeMs: place.nowMs,
    expiresAtMs: place.nowMs + 3_600_000,
    uses: 10,
    breakGlass: false,
    reason: 'nightly run',
    ...changes,
  }
}

/** Gives such a grant as somebody would at the command line. */
export async function give(
  place: ApprovalPlace,
  changes: Partial<Grant> = {},
  keys: readonly SigningKey[] = [alice],
): Promise<AcceptedGrant> {
  const text = signGrant(await grantOf(place, keys, changes), keys)
  return recordGrant(place.store, text, place.authority)
}

/** What becomes of the call of these tests. */
export const outcome = async (
  place: ApprovalPlace,
  changes: Partial<EventFields> = {},
  options: CallOptions = {},
): Promise<string> => (await place.call(changes, options)).reasonCode

/** Takes a grant back. */
export async function revoke(place: ApprovalPlace, id: string): Promise<void> {
  const recorded = (await place.store.grants()).find((one) => one.id === id)
  const { grant } = openGrant(recorded?.envelope ?? '')
  const said = { grant: id, log: grant.log, nonce: grant.nonce, reason: 'done' }
  const envelope = signRevocation(said, alice)
  await recordRevocation(place.store, { grant: id, envelope }, place.authority)
}
