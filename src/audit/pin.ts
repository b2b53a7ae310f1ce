import { CapFenceError } from '../errors.ts'
import { parseVerifierKey, printVerifierKey, type VerifierKey } from './note.ts'

/**
 * What a reader must have from elsewhere than the log itself: its own key, and the key of its first epoch.
 *
 * The keys of later epochs follow from it by the log's rotations.
 */
export interface LogPin {
  /** Its name is the log's origin. */
  readonly stable: VerifierKey
  readonly genesis: VerifierKey
}

/** The name of an epoch's key; epochs count from 1. */
export function epochKeyName(origin: string, epoch: number): string {
  return `${origin}/epoch-${epoch}`
}

/** The epoch of a key of this name; undefined when it is no epoch key of this log. */
export function epochOf(origin: string, name: string): number | undefined {
  const start = `${origin}/epoch-`
  const digits = name.startsWith(start) ? name.slice(start.length) : ''
  return /^[1-9][0-9]{0,8}$/.test(digits) ? Number(digits) : undefined
}

/**
 * Reads a pin: two lines, the log's key and that of its first epoch.
 *
 * @throws CapFenceError `NOTE_INVALID` for anything else
 */
export function parsePin(text: string): LogPin {
  const [first, second, ...rest] = text.trim().split(/\r?\n/)
  if (first === undefined || second === undefined || rest.length > 0) {
    throw new CapFenceError('NOTE_INVALID', "not a pin: two lines, the log's key and its epoch's")
  }
  return pinOf(parseVerifierKey(first.trim()), parseVerifierKey(second.trim()))
}

/**
 * The pin of two keys.
 *
 * @throws CapFenceError `NOTE_INVALID` when the second is not of the first epoch of the first one's log
 */
export function pinOf(stable: VerifierKey, genesis: VerifierKey): LogPin {
  const name = epochKeyName(stable.name, 1)
  if (genesis.name !== name) {
    throw new CapFenceError(
      'NOTE_INVALID',
      `not a pin: the second key must be called \`${name}\`, not \`${genesis.name}\``,
    )
  }
  return { stable, genesis }
}

/** Whether two pins are of the same keys. */
export function isSamePin(left: LogPin, right: LogPin): boolean {
  return printPin(left) === printPin(right)
}

/** A pin as text, which `parsePin` reads. */
export function printPin({ stable, genesis }: LogPin): string {
  return `${printVerifierKey(stable)}\n${printVerifierKey(genesis)}\n`
}
