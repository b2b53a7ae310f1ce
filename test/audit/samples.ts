import { encodeRecord, noLeaf } from '../../src/audit/codec.ts'
import {
  answerRecord,
  approvalExpireRecord,
  approvalUseRecord,
} from '../../src/audit/approval-drafts.ts'
import { discloseNothing, type SealedDigests } from '../../src/audit/disclosure.ts'
import {
  approvalRequestRecord,
  configChangeRecord,
  decisionRecord,
  outcomeRecord,
  policyLoadRecord,
  refusalRecord,
  toolDefRecord,
} from '../../src/audit/drafts.ts'
import {
  auditGapRecord,
  heartbeatRecord,
  keyAddRecord,
  logOpenRecord,
  logRecoverRecord,
  procStartRecord,
  procStopRecord,
  stateRebuildRecord,
} from '../../src/audit/log-drafts.ts'
import {
  grantCreateRecord,
  grantExpireRecord,
  grantRevokeRecord,
  grantUseRecord,
} from '../../src/audit/grant-drafts.ts'
import type { RecordDraft, RecordPlace, StoredRow } from '../../src/audit/record.ts'
import { printVerifierKey, verifierKey } from '../../src/audit/note.ts'
import { ActionEvent } from '../../src/event/action-event.ts'

const answerOfTests = {
  approval: 'apr_01JD2222222222222222222222',
  approver: 'alice',
  envelope: '{"payload":"e30="}',
  expiresAtMs: 2,
  isReached: true,
}

export const logOfTests = 'capfence.local/01JD0000000000000000000000'
export const writerOfTests = '01JD1111111111111111111111'
export const hexA = 'a'.repeat(64)
const digestA = `${'A'.repeat(42)}A`
const digestB = `${'B'.repeat(42)}A`
const none: SealedDigests = discloseNothing('args').digests

export function callId(index: number): string {
  return `01930000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`
}

export const eventOfTests: ActionEvent = ActionEvent.of({
  actor: 'agent',
  capability: { resource: 'filesystem', action: 'delete', scope: 'workspace' },
  environment: 'production',
  risk: 'high',
  arguments: {},
  context: { server: 'fs', tool: 'delete_file', client: 'claude-code', session: 's1' },
  argumentRoles: { path: ['/path'] },
})

export function decision(
  index: number,
  changes: { readonly forwarded?: boolean } = {},
): RecordDraft {
  const forwarded = changes.forwarded ?? true
  return decisionRecord({
    call: callId(index),
    event: eventOfTests,
    decision: forwarded ? 'allow' : 'deny',
    reason: 'rule',
    rules: [
      {
        id: 'no-rm-rf',
        effect: 'deny',
        position: { file: 'policies/ops.yaml', line: 3, column: 5 },
        value: 'true',
        predicates: [{ predicate: 'contains: "rm -rf"', value: 'true' }],
      },
    ],
    policyHash: hexA,
    toolDefinitionHash: null,
    grant: null,
    approval: null,
    args: { _sd: [digestA, digestB], mode: 'args', withheld: [1] },
    forwarded,
    mode: 'enforce',
  })
}

export function outcome(
  index: number,
  decisionSeq: number,
  status: 'ok' | 'unknown' = 'ok',
): RecordDraft {
  return outcomeRecord({
    call: callId(index),
    decisionSeq,
    status,
    ms: 12,
    bytes: 345,
    result: none,
  })
}

/** The keys that sign the log of the tests, as records name them. */
export const keysOfTests = {
  vkey: printVerifierKey(verifierKey(logOfTests, new Uint8Array(32).fill(1))),
  epochVkey: printVerifierKey(verifierKey(`${logOfTests}/epoch-1`, new Uint8Array(32).fill(2))),
}

/** One of each kind that this version writes. */
export const drafts: Readonly<Record<string, RecordDraft>> = {
  'log.open': logOpenRecord({ software: 'capfence/test', ...keysOfTests }),
  'proc.start': procStartRecord({ software: 'capfence/test', pid: 42 }),
  'proc.stop': procStopRecord('closed'),
  'policy.load': policyLoadRecord({
    files: [{ path: 'ops.yaml', sha256: hexA }],
    policyHash: hexA,
    ruleCount: 4,
    error: null,
  }),
  'policy.load that failed': policyLoadRecord({
    files: [],
    policyHash: null,
    ruleCount: 0,
    error: 'ops.yaml:1:1: no',
  }),
  'config.change': configChangeRecord({
    path: 'capfence.mcp.json',
    sha256: hexA,
    changed: ['actor', 'storage'],
    restart: ['storage'],
    error: null,
  }),
  'tool.def': toolDefRecord({
    server: 'fs',
    tool: 'read',
    change: 'first_seen',
    sha256: hexA,
    previous: null,
    omitted: 0,
  }),
  decision: decision(1),
  refusal: refusalRecord({
    reason: 'duplicate_key',
    client: null,
    session: 's1',
    server: null,
    size: 99,
    message: { _sd: [digestA], mode: 'args', withheld: [] },
    omitted: 0,
  }),
  outcome: outcome(1, 7),
  'approval.request': approvalRequestRecord({
    request: {
      id: 'apr_01JD2222222222222222222222',
      nonce: '0'.repeat(32),
      requestedAtMs: 1,
      expiresAtMs: 2,
      decisionSeq: 0,
      rules: ['big'],
      message: 'över the limit \u2028 "quoted"',
      terms: { presence: 'key', quorum: 2, uses: null },
    },
    call: callId(1),
    binding: { _sd: [digestA], mode: 'args', withheld: [] },
  }),
  'approval.grant': answerRecord('approve', answerOfTests),
  'approval.deny': answerRecord('deny', answerOfTests),
  'approval.revoke': answerRecord('revoke', answerOfTests),
  'approval.use': approvalUseRecord({
    approval: answerOfTests.approval,
    approvers: ['alice', 'bob'],
    call: callId(1),
    decisionSeq: 3,
    grants: [1, 2],
    usesLeft: 0,
  }),
  'approval.expire': approvalExpireRecord(answerOfTests.approval, 2),
  'grant.create': grantCreateRecord({
    grant: 'grt_01JD8Q5V7Z0000000000000000',
    breakGlass: false,
    envelope: '{}',
    expiresAtMs: 2,
    issuers: ['alice'],
    reason: 'nightly run',
    uses: 5,
  }),
  'grant.revoke': grantRevokeRecord({
    grant: 'grt_01JD8Q5V7Z0000000000000000',
    by: 'alice',
    envelope: '{}',
    reason: 'done',
  }),
  'grant.use': grantUseRecord({
    grant: 'grt_01JD8Q5V7Z0000000000000000',
    breakGlass: false,
    call: callId(1),
    createdSeq: 2,
    decisionSeq: 3,
    issuers: ['alice'],
    usesLeft: 4,
  }),
  'grant.expire': grantExpireRecord('grt_01JD8Q5V7Z0000000000000000', 2),
  'audit.gap': auditGapRecord({ reason: 'locked', sinceMs: 1_700_000_000_000, unrecorded: 3 }),
  'key.add': keyAddRecord(keysOfTests),
  'key.rotate': {
    type: 'key.rotate',
    data: { epoch: 2, next: 'next key', previous: 'epoch key', reason: 'daily' },
  },
  anchor: {
    type: 'anchor',
    data: { error: null, kind: 'witness', name: 'w1', ok: true, root: hexA, size: 3 },
  },
  redact: {
    type: 'redact',
    data: { by: 'operator', digests: [digestA], reason: 'asked for', seq: 1 },
  },
  heartbeat: heartbeatRecord(),
  'state.rebuild': stateRebuildRecord({ charges: 2, labels: 1, grants: 3 }),
  'log.recover': logRecoverRecord({
    by: 'ann',
    reason: 'restored from a copy',
    lost: { size: 9, root: hexA },
  }),
}

export function place(changes: Partial<RecordPlace> = {}): RecordPlace {
  return {
    log: logOfTests,
    seq: 3,
    prev: hexA,
    ts: '2026-01-02T03:04:05.678Z',
    w: writerOfTests,
    wn: 2,
    ...changes,
  }
}

/** A log in memory, one row for each draft. */
export function chainOf(
  drafted: readonly RecordDraft[],
  changes: (seq: number) => Partial<RecordPlace> = () => ({}),
): readonly StoredRow[] {
  const rows: StoredRow[] = []
  const counters = new Map<string, number>()
  let prev = noLeaf
  for (const [seq, draft] of drafted.entries()) {
    const w = changes(seq).w ?? writerOfTests
    const wn = counters.get(w) ?? 0
    counters.set(w, wn + 1)
    const at = place({
      seq,
      prev,
      w,
      wn,
      ts: new Date(1_700_000_000_000 + seq).toISOString(),
      ...changes(seq),
    })
    const { body, leaf } = encodeRecord(draft, at)
    rows.push({ seq, body, leaf: Buffer.from(leaf, 'hex') })
    prev = leaf
  }
  return rows
}
