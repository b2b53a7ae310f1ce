import { checkProof, parseProof, type ProvenRecord } from '../audit/proof-file.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { pinFrom, textOf, type PinFlags } from './pin-flags.ts'
import { complaint } from './report-error.ts'
import { jsonLine, shown, shownJson } from './shown.ts'

/** What `capfence audit check-proof` takes, as it was typed. */
export interface CheckProofFlags extends PinFlags {
  readonly json?: boolean | undefined
}

/** `capfence audit check-proof`: whether a file proves that its record is in the pinned log; needs no log. */
export async function auditCheckProof(
  file: string,
  flags: CheckProofFlags,
  io: Io,
): Promise<ExitCode> {
  const pin = pinFrom(flags)
  if (pin === undefined) {
    throw new CapFenceError('USAGE', 'a proof is checked against the keys of its log', {
      hint: 'give them with `--pin FILE`, as `capfence audit key` printed them',
    })
  }
  const text = textOf(file, limits.maxProofCharacters)
  try {
    const proven = checkProof(parseProof(text), pin)
    await io.out.write(flags.json === true ? provenJson(proven) : provenText(proven))
    if (!proven.isEpochVerified) await io.err.write(complaint(io, laterEpoch))
    return exitCodes.yes
  } catch (error) {
    if (!(error instanceof CapFenceError) || error.code !== 'PROOF_INVALID') throw error
    if (flags.json !== true) throw error
    await io.out.write(jsonLine({ ...common, ok: false, reason: error.message }))
    return exitCodes.no
  }
}

const laterEpoch =
  "warning: signed in a later epoch than the pinned one, so that the proof rests on the log's own key alone"

const common = { schemaVersion, type: 'audit-check-proof' } as const

function provenJson({ record, checkpoint, isEpochVerified }: ProvenRecord): string {
  const { origin: log, size, root } = checkpoint
  const { seq, type, ts, leaf, data } = record
  return jsonLine({
    ...common,
    ok: true,
    log,
    size,
    root,
    epochVerified: isEpochVerified,
    record: { seq, type, ts, leaf, data },
  })
}

function provenText({ record, checkpoint }: ProvenRecord): string {
  const { seq, type, ts, data } = record
  const lines = JSON.stringify(data, undefined, 2).split('\n').map(shownJson)
  return (
    `ok: record ${seq} is in ${shown(checkpoint.origin)}, signed when it had ${checkpoint.size}\n` +
    `${type} at ${ts}\n${lines.join('\n')}\n`
  )
}
