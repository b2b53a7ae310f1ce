import { readFileSync, statSync } from 'node:fs'
import { parseVerifierKey } from '../audit/note.ts'
import { parsePin, pinOf, type LogPin } from '../audit/pin.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'

/** How somebody says which keys a log must have. */
export interface PinFlags {
  /** A file that `capfence audit key` has written. */
  readonly pin?: string | undefined
  /** The same two keys, as text. */
  readonly vkey?: readonly string[] | undefined
}

/**
 * The pin that was given; undefined when none was.
 *
 * @throws CapFenceError `USAGE` or `NOTE_INVALID` when it is no pin
 */
export function pinFrom({ pin, vkey }: PinFlags): LogPin | undefined {
  if (pin !== undefined && vkey !== undefined) {
    throw new CapFenceError('USAGE', '`--pin` and `--vkey` do not go together')
  }
  if (pin !== undefined) return parsePin(textOf(pin, limits.maxNoteBytes))
  if (vkey === undefined) return undefined
  const [stable, genesis, ...rest] = vkey
  if (stable === undefined || genesis === undefined || rest.length > 0) {
    throw new CapFenceError('USAGE', "`--vkey` is needed twice: the log's key and its epoch's", {
      hint: '`capfence audit key` prints both',
    })
  }
  return pinOf(parseVerifierKey(stable), parseVerifierKey(genesis))
}

/**
 * The text of a file that somebody named.
 *
 * @throws CapFenceError `USAGE` when it cannot be read or passes the bound
 */
export function textOf(file: string, maxBytes: number): string {
  try {
    const { size } = statSync(file)
    if (size <= maxBytes) return readFileSync(file, 'utf8')
    throw new CapFenceError('USAGE', `\`${file}\` has ${size} bytes, the bound is ${maxBytes}`)
  } catch (cause) {
    if (cause instanceof CapFenceError) throw cause
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `\`${file}\` cannot be read: ${message}`, { cause })
  }
}
