import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signAnswer } from '../../src/approval/answer.ts'
import type { Answer } from '../../src/approval/answer.ts'
import { signingKey, verifyingKey } from '../../src/crypto/ed25519.ts'
import { keyId } from '../../src/approval/envelope.ts'
import { signGrant, signRevocation } from '../../src/approval/grant.ts'
import type { Grant } from '../../src/approval/grant.ts'
import { Bindings } from '../../src/event/binding.ts'
import { toJsonObject } from '../../src/json/from-js.ts'
import { loadPolicyFiles } from '../../src/cli/policy-files.ts'
import { ActionRuntime } from '../../src/runtime/action-runtime.ts'
import { recordAnswer } from '../../src/runtime/answers.ts'
import type { DisclosureMode } from '../../src/audit/disclosure.ts'
import type { OutcomeStatus } from '../../src/audit/drafts.ts'
import type { RecordDraft } from '../../src/audit/record.ts'
import type { Draws } from '../../src/runtime/parts.ts'
import { recordGrant, recordRevocation } from '../../src/runtime/grants.ts'
import { RefusalLog } from '../../src/runtime/refusals.ts'
import type { Store } from '../../src/runtime/store.ts'
import type { Verdict } from '../../src/runtime/verdict.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { root } from '../support/root.ts'
import { testNowMs } from './capture.ts'

/** A call, as a test writes it down. */
export interface TestCall {
  readonly tool: string
  readonly arguments?: Readonly<Record<string, unknown>>
  readonly actor?: string
  /** How it ended; undefined when it has not. */
  readonly outcome?: OutcomeStatus
}

const bindings = new Bindings([
  [
    'ops',
    {
      tools: new Map([
        ['delete_path', { capability: 'filesystem.delete.workspace', risk: 'high' as const }],
        ['execute_payment', { capability: 'payment.execute.high_value' }],
        ['read_file', { capability: 'filesystem.read.workspace', risk: 'low' as const }],
      ]),
    },
  ],
])

/** The key beside the database. */
const answerKey = signingKey(new Uint8Array(32).fill(9))
const authority = { approvers: [], answerKey: verifyingKey(answerKey.publicKey) }

/** What a log is written with; `policies/ops.yaml` in enforcing mode when nothing is said. */
export interface TestLogOptions {
  readonly mode?: 'enforce' | 'observe'
  readonly disclosure?: DisclosureMode
  readonly policies?: readonly string[]
  /** The text of a policy, in place of files. */
  readonly policy?: string
  /** What the names of policy files are shown relative to. */
  readonly folder?: string
  /** The log of another one, which has ended, is gone on with. */
  readonly goesOn?: TestLog
}

/** A real log in a folder of its own, written by the real runtime, one call a second from 13:00 on. */
export class TestLog {
  readonly folder: string
  readonly path: string
  readonly #store: Store
  readonly #runtime: ActionRuntime
  readonly #refusals: RefusalLog
  #nowMs = testNowMs - 3_600_000
  #drawn = 0

  constructor(options: TestLogOptions = {}) {
    const { policy, folder = root, goesOn, ...rest } = options
    this.folder = goesOn?.folder ?? mkdtempSync(join(tmpdir(), 'capfence-log-'))
    this.path = join(this.folder, 'log.db')
    if (goesOn !== undefined) {
      this.#nowMs = goesOn.#nowMs
      this.#drawn = goesOn.#drawn
    }
    const written = join(this.folder, 'policy.yaml')
    if (policy !== undefined) writeFileSync(written, policy)
    const usual = policy === undefined ? [join(root, 'policies/ops.yaml')] : [written]
    const { policies = usual } = options
    const clock = { nowMs: () => this.#nowMs, elapsedMs: () => this.#nowMs }
    this.#store = SQLiteEngine.open({ path: this.path, software: 'capfence/test', clock })
    const draws: Draws = {
      bytes: (count) => this.#bytes(count),
      uuid: () => `00000000-0000-7000-8000-${this.#next()}`,
      ulid: () => `01M89S9FWWDTME${this.#next()}`,
    }
    this.#runtime = new ActionRuntime({
      policy: loadPolicyFiles(policies, folder),
      store: this.#store,
      draws,
      clock: () => this.#nowMs,
      authority: () => authority,
      durability: 'process',
      ...rest,
    })
    this.#refusals = new RefusalLog({
      store: this.#store,
      draws,
      now: () => this.#nowMs,
      onFailure: (error) => {
        throw error
      },
    })
  }

  async call({ tool, arguments: args = {}, actor = 'agent', outcome }: TestCall): Promise<Verdict> {
    this.#nowMs += 1000
    const event = bindings.bind({
      server: 'ops',
      tool,
      arguments: toJsonObject(args),
      actor,
      environment: 'development',
      context: { client: 'claude-code' },
    })
    const verdict = await this.#runtime.execute(event)
    if (outcome !== undefined && verdict.authorized) await this.settle(verdict, outcome)
    return verdict
  }

  async settle(verdict: Verdict, status: OutcomeStatus, result: object = {}): Promise<void> {
    if (!verdict.authorized) throw new Error(`not forwarded: ${verdict.reason}`)
    this.#nowMs += 12
    this.#runtime.settle(verdict, {
      status,
      result: Buffer.from(JSON.stringify(result)),
      value: () => toJsonObject({ ...result }),
    })
    await this.#runtime.flush()
  }

  /** Answers the question that a verdict has asked, as whoever has the key beside the database. */
  async answer(asked: Verdict, said: Partial<Answer> = {}): Promise<void> {
    if (asked.decision !== 'require_approval') throw new Error(`was ${asked.decision}`)
    this.#nowMs += 1000
    const known = await this.#store.approval(asked.approvalId)
    if (known === undefined) throw new Error('nobody asked')
    const { request, log } = known
    const answer: Omit<Answer, 'key'> = {
      log,
      approval: request.id,
      binding: request.bindingDigest,
      nonce: request.nonce,
      verdict: 'approve',
      presence: 'any',
      expiresAtMs: request.expiresAtMs,
      uses: said.verdict === undefined || said.verdict === 'approve' ? 1 : 0,
      session: null,
      ...said,
    }
    const envelope = signAnswer(answer, answerKey)
    await recordAnswer(this.#store, { approval: request.id, envelope }, authority)
  }

  /** Lets calls pass in advance, as whoever has the key beside the database. */
  async grant(changes: Partial<Grant> = {}): Promise<Grant> {
    this.#nowMs += 1000
    const [first] = await this.#store.records(0, 1)
    const grant: Grant = {
      id: `grt_01M89S9FWWDTME${this.#next()}`,
      log: first?.log ?? '',
      nonce: this.#next().padStart(32, '0'),
      issuers: [keyId(answerKey.publicKey)],
      capability: 'payment.execute.*',
      actor: '*',
      environment: 'development',
      server: null,
      tool: null,
      session: null,
      definitionHash: null,
      policyHash: null,
      when: {},
      issuedAtMs: this.#nowMs,
      notBeforeMs: this.#nowMs,
      expiresAtMs: this.#nowMs + 60_000,
      uses: 10,
      breakGlass: false,
      reason: 'a nightly run',
      ...changes,
    }
    await recordGrant(this.#store, signGrant(grant, [answerKey]), authority)
    return grant
  }

  /** Takes a grant back. */
  async revoke({ id, log, nonce }: Grant): Promise<void> {
    this.#nowMs += 1000
    const envelope = signRevocation({ grant: id, log, nonce, reason: 'done' }, answerKey)
    await recordRevocation(this.#store, { grant: id, envelope }, authority)
  }

  /** Another policy decides from here on. */
  async reload(policy: string): Promise<void> {
    const path = join(this.folder, 'reloaded.yaml')
    writeFileSync(path, policy)
    await this.#runtime.reload(loadPolicyFiles([path], this.folder))
  }

  async refuse(reason: string): Promise<void> {
    this.#nowMs += 1000
    const bytes = Buffer.from('{"a":1,"a":2}')
    this.#refusals.note({ reason, bytes, client: 'claude-code', session: 's', server: null })
    // The note is written in the background; a commit behind it waits for it.
    await this.#store.commit(() => ({ records: [], result: undefined }), 'process')
  }

  async write(...records: readonly RecordDraft[]): Promise<void> {
    this.#nowMs += 1000
    await this.#store.commit(() => ({ records, result: undefined }), 'process')
  }

  /** Goes on from another time. */
  now(ms: number): void {
    this.#nowMs = ms
  }

  /** Ends the writer in order; the log stays. */
  async end(): Promise<void> {
    await this.#store.close()
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Never the same twice. */
  #bytes(count: number): Uint8Array {
    this.#drawn += 1
    const bytes = Buffer.alloc(count, this.#drawn)
    if (this.#drawn > 255) bytes.writeUInt16BE(this.#drawn)
    return bytes
  }

  #next(): string {
    this.#drawn += 1
    return String(this.#drawn).padStart(12, '0')
  }
}

/** Writes a log, hands it to `use` and removes it again. */
export async function withLog<T>(
  write: (log: TestLog) => Promise<void>,
  use: (log: TestLog) => Promise<T>,
  options: TestLogOptions = {},
): Promise<T> {
  const log = new TestLog(options)
  try {
    await write(log)
    await log.end()
    return await use(log)
  } finally {
    log.remove()
  }
}
