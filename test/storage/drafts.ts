import { discloseArguments, discloseNothing } from '../../src/audit/disclosure.ts'
import type { Sealed } from '../../src/audit/disclosure.ts'
import { decisionRecord, outcomeRecord } from '../../src/audit/drafts.ts'
import type { OutcomeStatus } from '../../src/audit/drafts.ts'
import type { RecordDraft } from '../../src/audit/record.ts'
import type { ApprovalRequest } from '../../src/approval/request.ts'
import { ulid, uuidV7 } from '../../src/crypto/ids.ts'
import { systemRandom } from '../../src/crypto/random.ts'
import { ActionEvent } from '../../src/event/action-event.ts'
import type { Effects } from '../../src/runtime/store.ts'

export const hashOfTests: string = 'a'.repeat(64)

export const newCall = (): string => uuidV7(Date.now(), systemRandom)

export interface DecisionChanges {
  readonly decision?: 'allow' | 'require_approval' | 'deny'
  readonly actor?: string
  readonly server?: string
  readonly tool?: string
  readonly args?: Sealed
}

/** A decision on a call; only an `allow` is forwarded. */
export function decisionOn(call: string, changes: DecisionChanges = {}): RecordDraft {
  const { decision = 'allow', actor = 'agent', server = 'files', tool = 'read', args } = changes
  return decisionRecord({
    call,
    event: ActionEvent.create({ actor, resource: 'fs', action: 'read', scope: 'ws', server, tool }),
    decision,
    reason: 'rule',
    rules: [],
    policyHash: hashOfTests,
    toolDefinitionHash: null,
    grant: null,
    approval: null,
    args: (args ?? discloseNothing('none')).digests,
    forwarded: decision === 'allow',
    mode: 'enforce',
  })
}

export function outcomeOf(
  call: string,
  decisionSeq: number,
  status: OutcomeStatus = 'ok',
): RecordDraft {
  const result = discloseNothing('none').digests
  return outcomeRecord({ call, decisionSeq, status, ms: 1, bytes: 2, result })
}

export function sealedArguments(args: Readonly<Record<string, string>>): Sealed {
  return discloseArguments(args, systemRandom, 'args')
}

/** A `decide` that stores these records whatever it sees. */
export function storing(...records: readonly RecordDraft[]): () => Effects<undefined> {
  return () => ({ records, result: undefined })
}

export function requestFor(bindingDigest: string, decisionSeq: number): ApprovalRequest {
  return {
    id: `apr_${ulid(Date.now(), systemRandom)}`,
    nonce: 'b'.repeat(32),
    bindingDigest,
    binding: {
      actor: 'agent',
      server: 'files',
      tool: 'read',
      definitionHash: null,
      argumentDigest: 'c'.repeat(64),
      capability: { resource: 'fs', action: 'read', scope: 'ws' },
      environment: null,
      policyHash: hashOfTests,
      session: null,
    },
    state: 'pending',
    requestedAtMs: Date.now(),
    expiresAtMs: Date.now() + 60_000,
    decisionSeq,
    rules: ['big'],
    message: null,
    terms: { presence: 'any', quorum: 1, uses: null },
  }
}
