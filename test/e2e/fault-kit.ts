import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogReport } from '../../src/audit/log-report.ts'
import type { StoredRecord } from '../../src/audit/record.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { capfence } from '../cli/capture.ts'
import type { GateFiles, Wire } from './gate.ts'

/**
 * From here on a running process cannot write beyond this size in any file, as on a disk that is full; undefined for no limit.
 *
 * Node ignores the signal that comes with it, so that the write itself fails.
 */
export function limitFiles(pid: number, bytes: number | undefined): void {
  const soft = bytes === undefined ? 'unlimited' : String(bytes)
  const { status, stderr } = spawnSync('prlimit', [`--pid=${String(pid)}`, `--fsize=${soft}:`])
  if (status !== 0) throw new Error(`prlimit: ${String(stderr)}`)
}

/** Keeps the log's keys from elsewhere, as whoever verifies it has done: the path of the pin. */
export async function pinOf(files: GateFiles): Promise<string> {
  const { code, out, err } = await capfence(['audit', 'key', '--config', files.config])
  if (code !== 0) throw new Error(err)
  const path = join(files.folder, 'log.pin')
  writeFileSync(path, out)
  return path
}

/** The answer of the command that verifies, with the pin. */
export async function verifyWith(pin: string, files: GateFiles): Promise<LogReport> {
  const args = ['audit', 'verify', files.database, '--pin', pin, '--json']
  return JSON.parse((await capfence(args)).out) as LogReport
}

/** The seqs of the calls that the command lists as those whose end nobody knows. */
export async function listedOrphans(files: GateFiles): Promise<readonly number[]> {
  const { out } = await capfence(['logs', '--orphans', '--json', '--config', files.config])
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { readonly seq: number }).seq)
}

/** What stands in a log, read once. */
export interface LogContents {
  readonly records: readonly StoredRecord[]
  /** The argument `marker` of each call that it says was forwarded, by the seq of the decision. */
  readonly forwarded: ReadonlyMap<number, string>
  /** Seqs of forwarded decisions of which no outcome, or only that it is unknown, was recorded. */
  readonly open: readonly number[]
}

/** Reads a log without asking the tables that the gate keeps beside the records. */
export async function contentsOf(files: GateFiles): Promise<LogContents> {
  const log = SQLiteLog.open(files.database)
  try {
    const records = await log.records(0, 1_000_000)
    const forwarded = new Map<number, string>()
    const open = new Set<number>()
    for (const { seq, type, data } of records) {
      if (type === 'outcome' && data['status'] !== 'unknown') {
        open.delete(Number(data['decision_seq']))
      }
      if (type !== 'decision' || data['forwarded'] !== true) continue
      open.add(seq)
      for (const { encoded } of await log.disclosures(seq)) {
        const [, , value] = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as unknown[]
        forwarded.set(seq, String(value))
      }
    }
    return { records, forwarded, open: [...open] }
  } finally {
    await log.close()
  }
}

/** The marker of a call that reached a server. */
export function markerOf({ params }: Wire): string {
  return String((params?.['arguments'] as { marker?: string } | undefined)?.marker)
}

/** Why the gate says that it did not forward a call; undefined when it is the server that answered. */
export function blockedFor({ result }: Wire): string | undefined {
  const meta = result?.['_meta'] as Record<string, { readonly reason?: string }> | undefined
  return meta?.['dev.capfence/decision']?.reason
}
