import type { Authority } from '../approval/authority.ts'
import {
  acceptGrant,
  acceptRevocation,
  readyGrant,
  type AcceptedGrant,
  type AcceptedRevocation,
  type ReadyGrant,
  type RecordedGrant,
} from '../approval/grant-authority.ts'
import { grantCreateRecord, grantExpireRecord, grantRevokeRecord } from '../audit/grant-drafts.ts'
import { openGrant } from '../approval/grant.ts'
import type { RecordDraft } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Store } from './store.ts'

/**
 * Records a grant, once it is durable: calls that it covers need nobody's answer from then on.
 *
 * Grants whose time is up are recorded as that first: whatever the clock says later, none of them comes to life again.
 *
 * @throws CapFenceError `GRANT_REFUSED` with the reason, or `AUDIT_UNAVAILABLE`
 */
export function recordGrant(
  store: Pick<Store, 'commit'>,
  envelope: string,
  authority: Authority,
): Promise<AcceptedGrant> {
  return store.commit((view) => {
    const { log, nowMs } = view
    const [lapsed, active] = byTime(view.grants(), nowMs)
    const known = idOf(envelope).map((id) => view.grant(id))[0]
    const accepted = acceptGrant(
      envelope,
      { log, nowMs, known, activeCount: active.length },
      authority,
    )
    if (typeof accepted === 'string') throw refused('the grant was not taken', accepted)
    const { grant, issuers } = accepted
    const { id, breakGlass, expiresAtMs, reason, uses } = grant
    const record = grantCreateRecord({
      grant: id,
      breakGlass,
      envelope,
      expiresAtMs,
      issuers,
      reason,
      uses,
    })
    return { records: [...lapsed, record], result: accepted }
  }, 'power')
}

/**
 * Records that a grant was taken back, once it is durable: it covers no call from then on.
 *
 * @throws CapFenceError `GRANT_NOT_FOUND`, `GRANT_REFUSED` with the reason, or `AUDIT_UNAVAILABLE`
 */
export function recordRevocation(
  store: Pick<Store, 'commit'>,
  { grant: id, envelope }: { readonly grant: string; readonly envelope: string },
  authority: Authority,
): Promise<AcceptedRevocation> {
  return store.commit((view) => {
    const recorded = view.grant(id)
    if (recorded === undefined) {
      throw new CapFenceError('GRANT_NOT_FOUND', 'no grant has this id')
    }
    const accepted = acceptRevocation(envelope, recorded, authority)
    if (typeof accepted === 'string') throw refused('the revocation was not taken', accepted)
    const { by, reason } = accepted
    const record = grantRevokeRecord({ grant: id, by, envelope, reason })
    return { records: [record], result: accepted }
  }, 'power')
}

/**
 * Grants as they are read and compiled, each once: what a text says never changes, only whether it counts.
 *
 * Nothing about authority is remembered here (THREATS B28).
 */
export class GrantReadings {
  readonly #known = new Map<string, ReadyGrant | undefined>()

  /** @returns undefined for a text that is no grant, which then covers nothing */
  readonly ready = (envelope: string): ReadyGrant | undefined => {
    if (this.#known.has(envelope)) return this.#known.get(envelope)
    const made = readOrNothing(envelope)
    if (this.#known.size >= limits.maxActiveGrants) this.#known.clear()
    this.#known.set(envelope, made)
    return made
  }
}

function readOrNothing(envelope: string): ReadyGrant | undefined {
  try {
    return readyGrant(envelope)
  } catch (error) {
    if (error instanceof CapFenceError) return undefined
    throw error
  }
}

/** The records of those whose time is up, and those whose time is not. */
function byTime(
  grants: readonly RecordedGrant[],
  nowMs: number,
): readonly [readonly RecordDraft[], readonly RecordedGrant[]] {
  const isUp = ({ expiresAtMs, latestMs }: RecordedGrant): boolean =>
    Math.max(nowMs, latestMs) >= expiresAtMs
  const lapsed = grants
    .filter(isUp)
    .map(({ id, expiresAtMs }) => grantExpireRecord(id, expiresAtMs))
  return [lapsed, grants.filter((one) => !isUp(one))]
}

/** The id that a text claims; none when it is no grant. */
function idOf(envelope: string): readonly string[] {
  try {
    return [openGrant(envelope).grant.id]
  } catch (error) {
    if (error instanceof CapFenceError) return []
    throw error
  }
}

function refused(what: string, why: string): CapFenceError {
  return new CapFenceError('GRANT_REFUSED', `${what}: ${why}`)
}
