import type { RecordData, StoredRecord } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import { redact } from '../runtime/redact.ts'
import type { HeldBack, Redacted } from '../runtime/redact.ts'
import { SQLiteEngine } from '../storage/sqlite-engine.ts'
import type { Sweep } from '../storage/leftovers.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import type { PlaceFlags } from './places.ts'
import { requireSqlite } from './storage-kind.ts'
import { placeToWrite } from './places.ts'
import { recordNamed } from './receipt.ts'
import { complaint } from './report-error.ts'
import { jsonLine, shown } from './shown.ts'
import { parseTime } from './time.ts'
import { VerifyProgress } from './verify-progress.ts'
import { grouped } from './verify-text.ts'
import { version } from './version.ts'

/** What `capfence audit redact` takes, as it was typed. */
export interface AuditRedactFlags extends PlaceFlags {
  readonly olderThan?: string | undefined
  readonly by: string
  readonly reason: string
  readonly dryRun?: boolean | undefined
  readonly json?: boolean | undefined
}

/** Records that one commit redacts, count: the gates wait no longer than for one of their own. */
const recordsPerCommit = 100
/** Records that are looked at in one step, count. */
const recordsPerPage = 1000
/** What of a text is enough to find it again in a file, characters; see `SQLiteEngine.sweep`. */
const tellingLength = 32

/**
 * `capfence audit redact`: erases arguments and results from a log that goes on to verify, and records who did it and why.
 *
 * A record is named by its number or the id of a call, and takes everything with it that was kept of that call: its
 * outcome, and whatever else is about the same approval.
 */
export async function auditRedact(
  which: string | undefined,
  flags: AuditRedactFlags,
  io: Io,
): Promise<ExitCode> {
  const { olderThan } = flags
  if ((which === undefined) === (olderThan === undefined)) {
    throw new CapFenceError('USAGE', 'name either one record or an age', {
      hint: '`capfence audit redact 12 …`, or `capfence audit redact --older-than 90d …`',
    })
  }
  const beforeMs = olderThan === undefined ? undefined : parseTime(olderThan, io.nowMs())
  const clock = { nowMs: io.nowMs, elapsedMs: () => performance.now() }
  const place = placeToWrite(flags)
  requireSqlite(place, 'capfence audit redact')
  const software = `capfence/${version}`
  const store = SQLiteEngine.open({ ...place, clock, rotateHours: 0, software })
  try {
    const seqs =
      beforeMs === undefined ? await aboutTheSame(store, which ?? '') : olderOnes(store, beforeMs)
    const erasing = new Erasing(store, flags, new VerifyProgress(io))
    const found = await erasing.all(seqs)
    return await report(found, flags, io)
  } finally {
    await store.close()
  }
}

/** What became of it all. */
interface Found {
  /** Only records of which something was erased or is kept. */
  readonly records: readonly Redacted[]
  readonly sweep: Sweep
}

class Erasing {
  readonly #store: SQLiteEngine
  readonly #flags: AuditRedactFlags
  readonly #progress: VerifyProgress
  readonly #records: Redacted[] = []
  /** Beginnings of the texts that are erased. */
  readonly #texts: string[] = []

  constructor(store: SQLiteEngine, flags: AuditRedactFlags, progress: VerifyProgress) {
    this.#store = store
    this.#flags = flags
    this.#progress = progress
  }

  async all(seqs: AsyncIterable<number> | Iterable<number>): Promise<Found> {
    const size = await this.#store.size()
    let waiting: number[] = []
    for await (const seq of seqs) {
      waiting.push(seq)
      if (waiting.length < recordsPerCommit) continue
      await this.#some(waiting)
      this.#progress.note(seq, size)
      waiting = []
    }
    await this.#some(waiting)
    await this.#progress.end()
    const isDry = this.#flags.dryRun === true
    const sweep = isDry ? { isCompacted: false, left: [] } : this.#store.sweep(this.#texts)
    return { records: this.#records, sweep }
  }

  async #some(seqs: readonly number[]): Promise<void> {
    if (seqs.length === 0) return
    const { by, reason, dryRun } = this.#flags
    const texts = new Map<string, string>()
    for (const seq of seqs) {
      // oxlint-disable-next-line no-await-in-loop -- one connection answers them
      for (const { digest, encoded } of await this.#store.disclosures(seq)) {
        // A copy: a part of a text would keep all of it in memory.
        texts.set(digest, Buffer.from(encoded.slice(0, tellingLength)).toString('latin1'))
      }
    }
    const done = await this.#store.commit((view) => {
      const effects = redact(view, { seqs, by, reason })
      return dryRun === true ? { records: [], result: effects.result } : effects
    }, 'power')
    for (const one of done) {
      if (one.erased.length > 0 || one.held !== undefined) this.#records.push(one)
      for (const digest of one.erased) this.#texts.push(texts.get(digest) ?? '')
    }
  }
}

/** The records that say something of the call of one, or of its approval. */
async function aboutTheSame(store: SQLiteEngine, which: string): Promise<readonly number[]> {
  const named = await recordNamed(store, which)
  const seqs = new Set([named.seq])
  const { call, approval } = named.data
  if (typeof call === 'string') for (const { seq } of await store.call(call)) seqs.add(seq)
  const asked = typeof approval === 'string' ? await store.approval(approval) : undefined
  if (asked === undefined) return [...seqs]
  const { id, decisionSeq } = asked.request
  for await (const { seq, data } of recordsOf(store, { from: decisionSeq })) {
    if (data['approval'] !== id) continue
    seqs.add(seq)
    // Every try has an outcome of its own.
    if (typeof data['call'] === 'string')
      for (const record of await store.call(data['call'])) seqs.add(record.seq)
  }
  return [...seqs].toSorted((one, other) => one - other)
}

async function* olderOnes(store: SQLiteEngine, toMs: number): AsyncIterable<number> {
  for await (const { seq, data } of recordsOf(store, { toMs })) if (isSealed(data)) yield seq
}

async function* recordsOf(
  store: SQLiteEngine,
  where: { readonly from?: number; readonly toMs?: number },
): AsyncIterable<StoredRecord> {
  let from: number | null = where.from ?? 0
  // What this command appends itself is not looked at.
  const size = await store.size()
  while (from !== null && from < size) {
    // oxlint-disable-next-line no-await-in-loop -- one page after the other: a log may be larger than the memory
    const page = await store.find({ ...where, from, order: 'oldest', count: recordsPerPage })
    yield* page.records
    from = page.next
  }
}

/** Whether something beside a record may be left that its digests stand for. */
function isSealed(data: RecordData): boolean {
  return Object.values(data).some(
    (value) => typeof value === 'object' && value !== null && '_sd' in value,
  )
}

async function report(
  { records, sweep }: Found,
  flags: AuditRedactFlags,
  io: Io,
): Promise<ExitCode> {
  const erased = records.reduce((sum, one) => sum + one.erased.length, 0)
  if (flags.json === true) {
    await io.out.write(
      jsonLine({
        schemaVersion,
        type: 'audit-redact',
        dryRun: flags.dryRun === true,
        erased,
        records: records.map(recordJson),
        left: [...sweep.left],
      }),
    )
  } else {
    await io.out.write(`${summary(records, erased, flags)}\n`)
    for (const { seq, held } of records)
      // oxlint-disable-next-line no-await-in-loop -- in their order
      if (held !== undefined) await io.out.write(`${heldText(seq, held)}\n`)
  }
  if (sweep.left.length > 0) {
    const files = sweep.left.map((path) => `\`${path}\``).join(', ')
    await io.err.write(complaint(io, `something of it is still in ${files}`, leftHint))
    return exitCodes.unknown
  }
  return erased > 0 ? exitCodes.yes : exitCodes.no
}

const leftHint =
  'a process that reads the log without a pause keeps it there; it goes when that one and the gates have stopped'

function recordJson({ seq, erased, held }: Redacted): RecordData {
  const base = { seq, erased: erased.length }
  if (held === undefined) return { ...base, held: null }
  // What cannot be read is kept without end.
  const until = Number.isFinite(held.untilMs) ? new Date(held.untilMs).toISOString() : null
  const approval = held.why === 'approval' ? held.approval : null
  return { ...base, held: { why: held.why, approval, until } }
}

function summary(records: readonly Redacted[], erased: number, flags: AuditRedactFlags): string {
  const count = records.filter((one) => one.erased.length > 0).length
  if (erased === 0) return 'nothing was erased: nothing is kept there, or it still counts'
  const what = `${grouped(erased)} ${erased === 1 ? 'value' : 'values'} of ${grouped(count)} ${count === 1 ? 'record' : 'records'}`
  return flags.dryRun === true
    ? `would erase ${what}`
    : `erased ${what}; the log says so, and still verifies`
}

function heldText(seq: number, held: HeldBack): string {
  const until = Number.isFinite(held.untilMs) ? new Date(held.untilMs).toISOString() : 'ever'
  return held.why === 'approval'
    ? shown(`record ${seq} stays: approval ${held.approval} counts until ${until}`)
    : `record ${seq} keeps what limits and labels count until ${until}`
}
