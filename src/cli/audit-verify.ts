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
import { placeOf, type PlaceFlags, type WritablePlace } from './places.ts'
import { complaint } from './report-error.ts'
import { jsonLine } from './shown.ts'
import { VerifyProgress } from './verify-progress.ts'
import { reportJson, reportText } from './verify-text.ts'

/** What `capfence audit verify` takes, as it was typed. */
export interface VerifyFlags extends PlaceFlags, PinFlags {
  readonly trustLog?: boolean | undefined
  readonly anchor?: readonly string[] | undefined
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
  const from = stateFrom(flags.state, pin)
  // Read before the log: what they have seen, the log has by then.
  const anchors = [...highWaterOf(place), ...(flags.anchor ?? []).map(anchorFrom)]
  const { verifyLog } = await import('../storage/verify-log.ts')
  const progress = new VerifyProgress(io)
  const { report, state } = await verifyLog(path, {
    pin,
    trustLog: flags.trustLog,
    strict: flags.strict,
    anchors,
    from,
    threads: 2,
    onProgress: (verified, size) => progress.note(verified, size),
  })
  await progress.end()
  if (flags.state !== undefined && state !== undefined) writeState(flags.state, state)
  await say(report, { path, io, json: flags.json === true })
  return codeOf(report.verdict)
}

interface Saying {
  readonly path: string
  readonly io: Io
  readonly json: boolean
}

async function say(report: LogReport, { path, io, json }: Saying): Promise<void> {
  if (json) return io.out.write(jsonLine({ exit: codeOf(report.verdict), ...reportJson(report) }))
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
