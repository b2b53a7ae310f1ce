import { CapFenceError } from '../errors.ts'
import { openCheckpoint, type Checkpoint } from './checkpoint.ts'
import { parseVerifierKey, printVerifierKey, type Note, type VerifierKey } from './note.ts'
import { epochKeyName, isSamePin, pinOf, type LogPin } from './pin.ts'
import type { ReadRecord } from './read-row.ts'

/** The keys of a log at one place in it. */
export interface KeyState {
  /** As the log names its first keys, whether pinned or not. */
  readonly pin: LogPin
  /** The number of the epoch in force, from 1. */
  readonly epoch: number
  /** The key of that epoch. */
  readonly current: VerifierKey
  /** Records from here on were signed when they were written. */
  readonly signedFrom: number
  /** The key of the epoch before, and the size of the checkpoint that it closes with. */
  readonly closed: { readonly key: VerifierKey; readonly size: number } | undefined
}

/** Where a checkpoint stands. */
interface CheckpointPlace {
  /** Records that were read so far. */
  readonly size: number
  readonly isHead: boolean
}

/**
 * Follows the keys of a log through its records, and says whose signatures a checkpoint must have.
 *
 * Only the first keys are taken on trust, from a pin: each later one was announced by a record, and the key before it
 * has signed the checkpoint that ends with that record.
 */
export class KeyHistory {
  readonly #pin: LogPin | undefined
  #state: KeyState | undefined

  /** @param pin undefined to believe the log about its own keys */
  constructor(pin: LogPin | undefined, state?: KeyState) {
    this.#pin = pin
    this.#state = state
  }

  /** Undefined while the log has named no keys. */
  get state(): KeyState | undefined {
    return this.#state
  }

  /** What is wrong with a record, before it is accepted. */
  complaint(record: ReadRecord): string | undefined {
    const next = this.#after(record)
    return typeof next === 'string' ? next : undefined
  }

  /** Takes a record about which there is no complaint. */
  accept(record: ReadRecord): void {
    const next = this.#after(record)
    if (typeof next !== 'string') this.#state = next
  }

  /**
   * Reads a checkpoint that the log keeps, which must have exactly the signatures that belong there.
   *
   * @returns what is wrong when it is no such checkpoint
   */
  open(note: string, { size, isHead }: CheckpointPlace): Checkpoint | string {
    if (this.#state === undefined) return 'nobody can have signed it: the log names no keys before'
    const { pin, closed, current } = this.#state
    const two = [pin.stable, current]
    if (closed?.size !== size) return openWith(note, pin.stable.name, two)
    const opened = openWith(note, pin.stable.name, [pin.stable, closed.key, current])
    // The head may be that very checkpoint, or one that the new epoch has signed alone.
    return isHead && typeof opened === 'string' ? openWith(note, pin.stable.name, two) : opened
  }

  /** Keys after a record, or why it cannot follow. */
  #after(record: ReadRecord): KeyState | string | undefined {
    const { type, said } = record
    if (type === 'log.open') return this.#opened(record)
    if (type === 'key.rotate') return this.#rotated(record)
    if (type !== 'key.add') return this.#state
    if (this.#state !== undefined) return 'keys for a log that has keys'
    return this.#named(record, said['vkey'], said['epoch_vkey'])
  }

  #opened(record: ReadRecord): KeyState | string | undefined {
    const { vkey, epoch_vkey: genesis } = record.said
    if (vkey === null && (genesis === null || genesis === undefined)) return undefined
    return this.#named(record, vkey, genesis)
  }

  #named({ log, seq }: ReadRecord, vkey: unknown, genesis: unknown): KeyState | string {
    const [stable, first] = [keyOf(vkey), keyOf(genesis)]
    if (stable === undefined || first === undefined) return 'it names keys that cannot be read'
    if (stable.name !== log) return 'it names the key of another log'
    if (first.name !== epochKeyName(log, 1)) return 'it names the key of another epoch'
    const pin = pinOf(stable, first)
    if (this.#pin !== undefined && !isSamePin(pin, this.#pin)) {
      return `it names other keys than the pinned ones (the pin is of \`${this.#pin.stable.name}\`)`
    }
    return { pin, epoch: 1, current: first, signedFrom: seq, closed: undefined }
  }

  #rotated({ log, seq, said }: ReadRecord): KeyState | string {
    const state = this.#state
    if (state === undefined) return 'a rotation of keys that the log does not have'
    const epoch = state.epoch + 1
    if (said['epoch'] !== epoch) return `a rotation to another epoch than ${epoch}`
    if (said['previous'] !== printVerifierKey(state.current)) {
      return 'a rotation from a key that is not in force'
    }
    const next = keyOf(said['next'])
    if (next === undefined || next.name !== epochKeyName(log, epoch)) {
      return 'a rotation to a key that cannot be read, or is of another epoch'
    }
    if (Buffer.from(next.key.publicKey).equals(state.current.key.publicKey)) {
      return 'a rotation to the same key'
    }
    return { ...state, epoch, current: next, closed: { key: state.current, size: seq + 1 } }
  }
}

function keyOf(text: unknown): VerifierKey | undefined {
  if (typeof text !== 'string') return undefined
  try {
    return parseVerifierKey(text)
  } catch (error) {
    if (error instanceof CapFenceError) return undefined
    throw error
  }
}

function openWith(
  signed: string,
  origin: string,
  keys: readonly VerifierKey[],
): Checkpoint | string {
  try {
    const { size, root, note } = openCheckpoint(signed, origin, keys)
    return isSignedInOrder(note, keys)
      ? { origin, size, root }
      : 'it has other signatures than those that belong there'
  } catch (error) {
    if (error instanceof CapFenceError) return error.message
    throw error
  }
}

/** A line more, or in another place, was not written by the gate. */
function isSignedInOrder({ signatures }: Note, keys: readonly VerifierKey[]): boolean {
  return (
    signatures.length === keys.length &&
    keys.every(({ name, id }, index) => {
      const signature = signatures[index]
      return signature?.name === name && signature.id === id
    })
  )
}
