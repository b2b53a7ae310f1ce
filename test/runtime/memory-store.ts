import type { RecordedGrant } from '../../src/approval/grant-authority.ts'
import type { RecordedApproval } from '../../src/approval/recorded.ts'
import type { ApprovalRequest } from '../../src/approval/request.ts'
import { decodeRecord, encodeRecord, noLeaf } from '../../src/audit/codec.ts'
import type { Disclosure, RecordType, StoredRecord } from '../../src/audit/record.ts'
import { CapFenceError } from '../../src/errors.ts'
import type {
  Charge,
  Durability,
  Effects,
  LabelChange,
  RecordedFacts,
  RecordedTool,
  Store,
  StoreView,
} from '../../src/runtime/store.ts'

/** Where a commit of the memory store can be made to fail. */
export type FailurePoint =
  | 'before deciding'
  | 'after deciding'
  | 'after storing'
  | 'by throwing at once'
  | 'by never being a promise'

/**
 * A store in memory that encodes records as the real ones do, and can be made to fail at any point of a commit.
 */
export class MemoryStore implements Store {
  nowMs = 1_800_000_000_000
  /** Asked before each commit with its durability; the point at which that commit fails. */
  failure: (durability: Durability) => FailurePoint | undefined = () => undefined
  /** Asked before each commit: what it has to wait for before it may begin. */
  queue: () => Promise<void> = () => Promise.resolve()
  readonly stored: StoredRecord[] = []
  readonly requests: ApprovalRequest[] = []
  readonly disclosed: Disclosure[] = []
  readonly policies: string[] = []
  readonly commits: Durability[] = []
  charges: readonly Charge[] = []
  readonly labels: LabelChange[] = []

  commit<T>(decide: (view: StoreView) => Effects<T>, durability: Durability): Promise<T> {
    const point = this.failure(durability)
    if (point === 'by throwing at once') throw new Error('thrown at once')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a broken store of an untyped program
    if (point === 'by never being a promise') return undefined as unknown as Promise<T>
    return this.#commit(decide, durability, point)
  }

  async #commit<T>(
    decide: (view: StoreView) => Effects<T>,
    durability: Durability,
    point: FailurePoint | undefined,
  ): Promise<T> {
    await this.queue()
    if (point === 'before deciding') throw unavailable()
    // A store may have to decide again; what counts is what the last run returned.
    decide(this.#view())
    const effects = decide(this.#view())
    if (point === 'after deciding') throw unavailable()
    this.#keep(effects)
    this.commits.push(durability)
    // The worst of all: it is stored, and the caller cannot know.
    if (point === 'after storing') throw new Error('the connection was lost')
    return effects.result
  }

  /** Records of one kind, oldest first. */
  ofType(type: RecordType): readonly StoredRecord[] {
    return this.stored.filter((record) => record.type === type)
  }

  /** It signs nothing. */
  syncedHead(): undefined {
    return undefined
  }

  argumentKey(): Uint8Array {
    return new Uint8Array(32).fill(9)
  }

  approvalRequests(): Promise<readonly ApprovalRequest[]> {
    return Promise.resolve(this.requests)
  }

  call(callId: string): Promise<readonly StoredRecord[]> {
    return Promise.resolve(this.stored.filter(({ data }) => data['call'] === callId))
  }

  records(fromSeq: number, count: number): Promise<readonly StoredRecord[]> {
    return Promise.resolve(this.stored.slice(fromSeq, fromSeq + count))
  }

  size(): Promise<number> {
    return Promise.resolve(this.stored.length)
  }

  disclosures(seq: number): Promise<readonly Disclosure[]> {
    const body = Buffer.from(this.stored[seq]?.body ?? []).toString()
    return Promise.resolve(this.disclosed.filter(({ digest }) => body.includes(digest)))
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  grants(): Promise<readonly RecordedGrant[]> {
    return Promise.resolve([])
  }

  readonly rows = notNeeded
  readonly find = notNeeded
  readonly orphans = notNeeded
  readonly policy = notNeeded
  readonly approval = notNeeded
  readonly verify = notNeeded
  readonly pots = notNeeded

  #view(): StoreView {
    return {
      nowMs: this.nowMs,
      nextSeq: this.stored.length,
      log: this.stored[0]?.log ?? '',
      grants: () => [],
      grant: () => undefined,
      approvals: (digest) =>
        this.requests
          .filter((request) => request.bindingDigest === digest && request.expiresAtMs > this.nowMs)
          .map((request) => this.#recorded(request)),
      approval: (id) => {
        const request = this.requests.find((one) => one.id === id)
        return request && this.#recorded(request)
      },
      lapsedApprovals: () => [],
      kept: () => undefined,
      charges: (pot, sinceMs) =>
        this.charges.filter((charge) => charge.pot === pot && charge.atMs > sinceMs),
      label: ({ subject, label, bind }) => {
        const rows = this.labels.filter(
          (row) =>
            row.subject === subject &&
            row.label === label &&
            (bind === undefined || row.bind === bind || row.bind === ''),
        )
        return {
          held: rows.some(({ heldUntilMs }) => heldUntilMs > this.nowMs),
          proven: rows.some(({ provenUntilMs }) => provenUntilMs > this.nowMs),
        }
      },
      recorded: recordedIn(this.stored),
    }
  }

  #recorded(request: ApprovalRequest): RecordedApproval {
    const about = this.stored.filter(({ data }) => data['approval'] === request.id)
    return {
      request,
      log: this.stored[0]?.log ?? '',
      isAsked: about.some(({ type }) => type === 'approval.request'),
      answers: about.flatMap(({ type, seq, ts, data }) => {
        const verdict = answerTypes.get(type)
        if (verdict === undefined) return []
        const { approver, envelope } = data
        return [
          {
            verdict,
            seq,
            atMs: Date.parse(ts),
            approver: String(approver),
            envelope: String(envelope),
          },
        ]
      }),
      useCount: about.filter(({ type }) => type === 'approval.use').length,
      isOver: about.some(({ type }) => type === 'approval.expire'),
      latestMs: this.nowMs,
    }
  }

  #keep(effects: Effects<unknown>): void {
    const encoded: StoredRecord[] = []
    for (const draft of effects.records) {
      const seq = this.stored.length + encoded.length
      const place = {
        log: 'capfence.local/01JD8Q5V7Z0000000000000000',
        seq,
        prev: encoded.at(-1)?.leaf ?? this.stored.at(-1)?.leaf ?? noLeaf,
        ts: new Date(this.nowMs).toISOString(),
        w: '01JD8Q5V7Z0000000000000001',
        wn: seq,
      }
      encoded.push(decodeRecord(encodeRecord(draft, place).body))
    }
    this.stored.push(...encoded)
    this.disclosed.push(...(effects.disclosures ?? []))
    this.requests.push(...(effects.approvalRequests ?? []))
    this.charges = [
      ...this.charges.filter(({ decisionSeq }) => decisionSeq !== effects.returned),
      ...(effects.charges ?? []),
    ]
    this.labels.push(...(effects.labels ?? []))
    this.policies.push(...(effects.policies ?? []).map(({ hash }) => hash))
  }
}

const answerTypes: ReadonlyMap<string, 'approve' | 'deny' | 'revoke'> = new Map([
  ['approval.grant', 'approve'],
  ['approval.deny', 'deny'],
  ['approval.revoke', 'revoke'],
])

/** What records said last, read from the records themselves. */
function recordedIn(records: readonly StoredRecord[]): RecordedFacts {
  const tools = (server: string): Map<string, RecordedTool> => {
    const found = new Map<string, RecordedTool>()
    for (const { type, data } of records) {
      if (type !== 'tool.def' || data['server'] !== server) continue
      const tool = String(data['tool'])
      const sha256 = String(data['sha256'] ?? data['previous'])
      found.set(tool, { tool, sha256, isListed: data['sha256'] !== null })
    }
    return found
  }
  return {
    toolDefinition: (server, tool) => tools(server).get(tool),
    listedTools: (server, after, count) =>
      Array.from(tools(server).values())
        .filter(({ tool, isListed }) => isListed && tool > after)
        .toSorted((one, other) => (one.tool < other.tool ? -1 : 1))
        .slice(0, count),
    configuration: (path) => {
      const last = records.findLast(
        ({ type, data }) => type === 'config.change' && data['path'] === path,
      )
      const sha256 = last?.data['sha256']
      return last && { sha256: typeof sha256 === 'string' ? sha256 : null }
    },
  }
}

/** Nothing was recorded yet. */
export const nothingRecorded: RecordedFacts = recordedIn([])

function notNeeded(): never {
  throw new Error('these tests do not ask this')
}

function unavailable(): CapFenceError {
  return new CapFenceError('AUDIT_UNAVAILABLE', 'the log cannot be written')
}
