import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { decodeRecord } from '../audit/codec.ts'
import type { RowWithDisclosures } from '../audit/read-row.ts'
import type { StoredRecord } from '../audit/record.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import { headerLine, noChecksum, policyLine } from '../replay/trace-lines.ts'
import { parseDisclosures } from '../storage/disclosure-row.ts'
import type { LogSnapshot } from '../storage/log-snapshot.ts'
import type { ExportOptions } from './export-options.ts'
import { fieldOf, textOf } from './record-fields.ts'
import { signedHeadOf, soundRows } from './signed-log.ts'
import { StateBefore } from './state-before.ts'
import { isCarryKept, traceLineOf, tracedTypes } from './trace-lines-of-record.ts'
import { writeWhole } from './write-whole.ts'

/** Which part of the log becomes a trace. */
export interface TraceRange {
  /** Inclusive; milliseconds since the epoch. */
  readonly sinceMs: number | undefined
  /** Exclusive. */
  readonly untilMs: number | undefined
}

/** What was written. */
export interface ExportedTrace {
  readonly log: string
  readonly calls: number
  readonly policies: number
  readonly isComplete: boolean
}

/**
 * Writes a log as a trace that can be replayed; the file is there when it is whole, and replaces an earlier one.
 *
 * @throws CapFenceError `AUDIT_CORRUPT` when the log is damaged; `USAGE` when the file cannot be written
 */
export function exportTrace(
  snapshot: LogSnapshot,
  options: ExportOptions,
  range: TraceRange,
): ExportedTrace {
  return writeWhole(options.to, (file) => writeTrace(snapshot, options, { range, file }))
}

function writeTrace(
  snapshot: LogSnapshot,
  { hasDisclosures, onProgress }: ExportOptions,
  { range, file }: { readonly range: TraceRange; readonly file: number },
): ExportedTrace {
  const { size, origin } = signedHeadOf(snapshot)
  const found = survey(snapshot, range)
  const policies = policyLines(snapshot, found.policies)
  const { calls, isComplete } = found
  const first = [...policies.lines, ...found.carried]
  const lines = found.lines + first.length
  const header = headerLine({
    source: 'log',
    log: origin,
    isComplete,
    policies: [...found.policies],
    calls,
    lines,
  })
  const out = new Writing(file)
  out.write(header)
  for (const line of first) out.write(line)
  let done = 0
  for (const row of soundRows(snapshot, 0)) {
    done += 1
    const record = decodeRecord(row.body)
    if (isTraced(record, range)) {
      out.write(traceLineOf(record, parseDisclosures(row.disclosures), hasDisclosures))
    }
    if (done % rowsBetweenNotes === 0) onProgress(size + done, 2 * size)
  }
  writeSync(file, out.end(), header.indexOf(noChecksum))
  return { log: origin, calls, policies: policies.count, isComplete }

  function isTraced(record: StoredRecord, within: TraceRange): boolean {
    return tracedTypes.has(record.type) && isWithin(record, within)
  }
}

const rowsBetweenNotes = 1024

interface Survey {
  readonly calls: number
  readonly lines: number
  /** Those that decided, in the order of the log. */
  readonly policies: ReadonlySet<string>
  readonly isComplete: boolean
  /** What limits and labels stand at where a part of a log begins. */
  readonly carried: readonly string[]
}

/** What a header says has to be known before its lines are written. */
function survey(snapshot: LogSnapshot, range: TraceRange): Survey {
  const policies = new Set<string>()
  let [calls, lines] = [0, 0]
  const before = range.sinceMs === undefined ? undefined : new StateBefore(range.sinceMs)
  let isComplete = true
  for (const row of snapshot.rows(0)) {
    const record = decodeRecord(row.body)
    if (record.type === 'log.open') isComplete &&= fieldOf(record.data, 'continues') === null
    if (record.type === 'state.carry') isComplete = isCarried(row, record)
    if (before !== undefined && Date.parse(record.ts) < (range.sinceMs ?? 0)) {
      before.note(record, parseDisclosures(row.disclosures))
    }
    if (!tracedTypes.has(record.type) || !isWithin(record, range)) continue
    lines += 1
    if (record.type !== 'decision') continue
    calls += 1
    policies.add(textOf(record.data, 'policy_hash'))
  }
  if (policies.size > limits.maxTracePolicies) {
    throw new CapFenceError(
      'USAGE',
      `${policies.size} policies decided the calls, a trace holds ${limits.maxTracePolicies}`,
      { hint: 'export a shorter time: `--since` and `--until`' },
    )
  }
  isComplete &&= before?.isKnown ?? true
  return { calls, lines, policies, isComplete, carried: before?.lines ?? [] }
}

function isCarried({ disclosures }: RowWithDisclosures, record: StoredRecord): boolean {
  return isCarryKept(record, parseDisclosures(disclosures))
}

function isWithin({ ts }: StoredRecord, { sinceMs = 0, untilMs = Infinity }: TraceRange): boolean {
  const atMs = Date.parse(ts)
  return atMs >= sinceMs && atMs < untilMs
}

/** The files of the policies that decided, as far as the log keeps them. */
function policyLines(
  snapshot: LogSnapshot,
  wanted: ReadonlySet<string>,
): { readonly lines: readonly string[]; readonly count: number } {
  const files = new Map<string, { readonly path: string; readonly text: string }[]>()
  for (const { hash, path, bytes } of snapshot.policyFiles()) {
    if (!wanted.has(hash)) continue
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    files.set(hash, [...(files.get(hash) ?? []), { path, text }])
  }
  const lines = [...files].flatMap(([hash, found]) => {
    const folder = sharedFolder(found.map(({ path }) => path))
    return found.map(({ path, text }, index) =>
      policyLine({ hash, index, count: found.length, path: path.slice(folder.length), text }),
    )
  })
  return { lines, count: files.size }
}

/** What all paths begin with, up to the last separator: a trace does not say where on a machine its policies lay. */
function sharedFolder(paths: readonly string[]): string {
  const folders = paths.map((path) => path.slice(0, path.search(/[^/\\]*$/)))
  const [first = '', ...others] = folders
  let shared = first
  while (!others.every((one) => one.startsWith(shared))) {
    shared = shared.slice(0, -1).replace(/[^/\\]*$/, '')
  }
  return shared
}

/** Writes in large pieces, and makes the checksum of all of it. */
class Writing {
  readonly #file: number
  readonly #sha256 = createHash('sha256')
  #text = ''

  constructor(file: number) {
    this.#file = file
  }

  write(text: string): void {
    this.#text += text
    if (this.#text.length >= charactersPerWrite) this.#flush()
  }

  /** The checksum, once everything is written. */
  end(): string {
    this.#flush()
    return this.#sha256.digest('hex')
  }

  #flush(): void {
    const bytes = Buffer.from(this.#text, 'utf8')
    this.#text = ''
    this.#sha256.update(bytes)
    for (let at = 0; at < bytes.length; at += writeSync(this.#file, bytes, at));
  }
}

const charactersPerWrite = 262_144
