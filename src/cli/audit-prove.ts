import { writeFileSync } from 'node:fs'
import { inclusionRanges, RangeRoots, verifyInclusion } from '../audit/merkle-proof.ts'
import { leafHash } from '../audit/codec.ts'
import { printProof } from '../audit/proof-file.ts'
import { CapFenceError } from '../errors.ts'
import type { Storage } from '../config/config.ts'
import type { LogSnapshot } from '../storage/log-snapshot.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { withSnapshotOf } from './open-storage.ts'
import { storageOf, type PlaceFlags } from './places.ts'
import { jsonLine } from './shown.ts'
import { damaged, signedHeadOf } from './signed-log.ts'
import { VerifyProgress } from './verify-progress.ts'

/** What `capfence audit prove` takes, as it was typed. */
export interface ProveFlags extends PlaceFlags {
  readonly output?: string | undefined
  readonly json?: boolean | undefined
}

/** `capfence audit prove`: writes a file that proves to a stranger that a record is in the log. */
export async function auditProve(seq: string, flags: ProveFlags, io: Io): Promise<ExitCode> {
  const index = seqOf(seq)
  const made = await proveRecord(storageOf(flags), index, io)
  const { output } = flags
  if (output !== undefined) writeProof(output, made.proof)
  if (flags.json === true) {
    const where = output === undefined ? { proof: made.proof } : { file: output }
    const { log, size, root } = made
    await io.out.write(
      jsonLine({ schemaVersion, type: 'audit-proof', log, seq: index, size, root, ...where }),
    )
  } else if (output === undefined) {
    await io.out.write(made.proof)
  }
  return exitCodes.yes
}

/**
 * Proves that a record is in the log as its head was signed; reads the whole log for it.
 *
 * @throws CapFenceError `USAGE` when there is no such record, `AUDIT_CORRUPT` when the log is not as it was signed
 */
export async function proveRecord(storage: Storage, index: number, io: Io): Promise<MadeProof> {
  return withSnapshotOf(storage, (snapshot) => prove(snapshot, index, io))
}

interface MadeProof {
  /** The file's text. */
  readonly proof: string
  readonly log: string
  readonly size: number
  readonly root: string
}

/** Checks what it made: a proof that does not hold is not written, because its log is not as it was signed. */
async function prove(snapshot: LogSnapshot, index: number, io: Io): Promise<MadeProof> {
  const { note, size, root, origin } = signedHeadOf(snapshot)
  if (index >= size) {
    throw new CapFenceError('USAGE', `there is no record ${index}: the log has ${size}`, {
      hint: 'the numbers of records are those of `capfence logs`',
    })
  }
  const progress = new VerifyProgress(io)
  const roots = new RangeRoots(inclusionRanges(index, size))
  let record: Uint8Array = new Uint8Array(0)
  for (const row of snapshot.rows(0)) {
    roots.push(Buffer.from(row.leaf).toString('hex'))
    if (row.seq === index) record = row.body
    if (row.seq % recordsPerLook === 0) progress.note(row.seq, size)
  }
  await progress.end()
  const hashes = roots.roots()
  if (!verifyInclusion({ index, size, leaf: leafHash(record), proof: hashes, root })) {
    throw damaged('the log does not hold the records that its head was signed over')
  }
  return { proof: printProof({ record, index, hashes, checkpoint: note }), log: origin, size, root }
}

const recordsPerLook = 10_000

function seqOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new CapFenceError('USAGE', `\`${text}\` is no number of a record`, {
    hint: 'the numbers of records are those of `capfence logs`',
  })
}

/** A proof that was given away is evidence: it is not replaced by another one. */
export function writeProof(file: string, proof: string): void {
  try {
    writeFileSync(file, proof, { flag: 'wx' })
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `\`${file}\` cannot be written: ${message}`, {
      cause,
      hint: 'name a file that is not there yet',
    })
  }
}
