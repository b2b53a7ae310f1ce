import { existsSync, renameSync, writeFileSync } from 'node:fs'
import type { LogAnchor } from '../audit/anchor-watch.ts'
import type { LogReport, LogVerdict } from '../audit/log-report.ts'
import type { VerifierState } from '../audit/log-verifier.ts'
import { isSamePin, type LogPin } from '../audit/pin.ts'
import { parseVerifierState, printVerifierState } from '../audit/verifier-state.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { pinFrom, textOf, type PinFlags } from './pin-flags.ts'
import { verifyStorage } from './open-storage.ts'
import { placeOf, type PlaceFlags, type WritablePlace } from './places.ts'
import { complaint } from './report-error.ts'
import { jsonLine } from './shown.ts'
import { VerifyProgress } from './verify-progress.ts'
import { continuesOf, linked, verifyArchives } from './verify-archives.ts'
import type { VerifiedArchive, VerifiedArchives } from './verify-archives.ts'
import { grouped, reportJson, reportText } from './verify-text.ts'

/** What `capfence audit verify` takes, as it was typed. */
export interface VerifyFlags extends PlaceFlags, PinFlags {
  readonly trustLog?: boolean | undefined
  readonly anchor?: readonly string[] | undefined
  readonly archive?: readonly string[] | undefined
  readonly state?: string | undefined
  readonly strict?: boolean | undefined
  readonly json?: boolean | undefined
}

/** `capfence audit verify`: everything that can be proved of a log; opened for reading only, and nothing is changed. */
export async function auditVerify(
  log: string | undefined,
  flags: VerifyFlags,
  io: Io,
): Promise<ExitCode> {
  const place = placeNamed(log, flags)
  const { path } = place
  const pin = pinFrom(flags)
  requireOneStart(flags)
  const from = stateFrom(flags.state, pin)
  const before = await archivesBefore(flags, pin)
  const last = before.archives.at(-1)
  if (last !== undefined && before.next === undefined) {
    await say(last.report, { path: last.path, io, json: flags.json === true })
    return codeOf(last.report.verdict)
  }
  // Read before the log: what they have seen, the log has by then.
  const anchors = [...highWaterOf(place), ...(flags.anchor ?? []).map(anchorFrom)]
  const progress = new VerifyProgress(io)
  const { report: found, state } = await verifyStorage(place, {
    pin: before.next === undefined ? pin : before.next.pin,
    trustLog: flags.trustLog,
    strict: flags.strict,
    anchors,
    from,
    threads: 2,
    onProgress: (verified, size) => progress.note(verified, size),
  })
  await progress.end()
  if (flags.state !== undefined && state !== undefined) writeState(flags.state, state)
  const report = found.verdict === 'ok' ? await linked(path, found, before.next) : found
  const { archives } = before
  await say(report, { path, io, json: flags.json === true, archives })
  if (report.verdict === 'ok' && archives.length === 0 && place.postgres === undefined)
    await mention(path, io)
  return codeOf(report.verdict)
}

/** A log that goes on from another is not all that there is. */
async function mention(path: string, io: Io): Promise<void> {
  const before = await continuesOf(path)
  if (before === undefined) return
  const what = `it goes on from ${grouped(before.size)} records of ${before.log}, which were not looked at`
  await io.err.write(complaint(io, what, 'name their file with `--archive`, and give its pin'))
}

function requireOneStart({ archive, state }: VerifyFlags): void {
  if (archive === undefined || state === undefined) return
  throw new CapFenceError('USAGE', '`--archive` and `--state` do not go together', {
    hint: 'what was verified before needs no archive; verify both without `--state` now and then',
  })
}

function archivesBefore(flags: VerifyFlags, pin: LogPin | undefined): Promise<VerifiedArchives> {
  const options = { pin, trustLog: flags.trustLog, strict: flags.strict }
  return verifyArchives(flags.archive ?? [], options, (path) =>
    highWaterOf({ path, keys: undefined, highWater: undefined, postgres: undefined }),
  )
}

interface Saying {
  readonly path: string
  readonly io: Io
  readonly json: boolean
  /** Those that verify, before the log itself. */
  readonly archives?: readonly VerifiedArchive[]
}

async function say(report: LogReport, { path, io, json, archives = [] }: Saying): Promise<void> {
  if (json) {
    const before = archives.map((one) => ({ path: one.path, ...reportJson(one.report) }))
    const all = archives.length === 0 ? {} : { archives: before }
    return io.out.write(jsonLine({ exit: codeOf(report.verdict), ...reportJson(report), ...all }))
  }
  for (const one of archives)
    // oxlint-disable-next-line no-await-in-loop -- oldest first
    await io.out.write(reportText(one.report, one.path, io.out))
  await io.out.write(reportText(report, path, io.out))
  if (report.verdict !== 'cannot_verify' || report.pinned) return
  const hint = 'give the keys that were kept when the log was made: `--pin FILE`'
  if (report.size > 0) await io.err.write(complaint(io, 'nobody has said whose log this is', hint))
}

function codeOf(verdict: LogVerdict): ExitCode {
  switch (verdict) {
    case 'ok':
      return exitCodes.yes
    case 'tampered':
      return exitCodes.unknown
    case 'rolled_back':
    case 'forked':
      return exitCodes.rolledBack
    case 'cannot_verify':
      return exitCodes.cannotVerify
    case 'incomplete':
      return exitCodes.incomplete
    default:
      return verdict satisfies never
  }
}

function placeNamed(log: string | undefined, flags: VerifyFlags): WritablePlace {
  if (log === undefined) return placeOf(flags)
  if (flags.storage === undefined && flags.config === undefined) {
    return placeOf({ storage: log })
  }
  throw new CapFenceError('USAGE', 'the log is named twice', {
    hint: 'write `capfence audit verify LOG`, or `--storage`, or `--config`',
  })
}

/** The file in which every gate notes how far the log has come. */
function highWaterOf({ path, highWater }: WritablePlace): readonly LogAnchor[] {
  const file = highWater ?? `${path}.highwater`
  if (!existsSync(file)) return []
  return [{ name: 'the high-water file', note: noteIn(textOf(file, limits.maxNoteBytes)) }]
}

function anchorFrom(file: string): LogAnchor {
  return { name: file, note: noteIn(textOf(file, limits.maxNoteBytes)) }
}

/** A note ends with its last signature; a file that is written in place has room behind it. */
function noteIn(text: string): string {
  return /^[^]*?\n\n(?:\u2014 [^\n]*\n)+/.exec(text)?.[0] ?? text
}

function stateFrom(file: string | undefined, pin: LogPin | undefined): VerifierState | undefined {
  if (file === undefined || !existsSync(file)) return undefined
  const state = parseVerifierState(textOf(file, limits.maxVerifierStateBytes))
  if (pin === undefined || isSamePin(pin, state.keys.pin)) return state
  throw new CapFenceError('USAGE', `\`${file}\` is about another log than the pinned one`, {
    hint: 'name another file with `--state`',
  })
}

/** Beside the old one first: a verification that is stopped here leaves no half of a file. */
function writeState(file: string, state: VerifierState): void {
  const fresh = `${file}.new`
  writeFileSync(fresh, printVerifierState(state), { mode: 0o600 })
  renameSync(fresh, file)
}
