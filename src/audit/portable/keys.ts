import { isSigned, nameOfEpoch, readKey, type NoteKey, type Pin, type SignedHead } from './note.ts'
import type { Json, LogRecord } from './record.ts'
import { insist } from './refused.ts'

/** Follows the keys of a log: the pin vouches for the first ones, and each epoch's key for the next. */
export class EpochKeys {
  readonly #pin: Pin
  #current: NoteKey
  #epoch = 1
  /** The key of the epoch before, while the checkpoint that both sign has not been seen. */
  #closing: NoteKey | undefined
  /** Undefined until the log names the keys of the pin. */
  #signedFrom: number | undefined

  constructor(pin: Pin) {
    this.#pin = pin
    this.#current = pin.genesis
  }

  /** Epochs so far. */
  get epochs(): number {
    return this.#epoch
  }

  /** The first record that was signed when it was written; undefined when there is none yet. */
  get signedFrom(): number | undefined {
    return this.#signedFrom
  }

  /** Whether the next thing must be the checkpoint with which an epoch ends. */
  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /** @throws Refused when a record names keys that cannot follow */
  record({ type, seq, data }: LogRecord): void {
    if (type === 'log.open') {
      if (data['vkey'] === null && (data['epoch_vkey'] ?? null) === null) return
      this.#begin(data['vkey'], data['epoch_vkey'], seq)
    }
    if (type === 'key.add') {
      insist(this.#signedFrom === undefined, 'keys for a log that has keys', seq)
      this.#begin(data['vkey'], data['epoch_vkey'], seq)
    }
    if (type === 'key.rotate') this.#rotate(data, seq)
  }

  /** @throws Refused when a checkpoint lacks a signature; one that closes an epoch has that of the next one too */
  checkpoint(head: SignedHead): void {
    insist(this.#signedFrom !== undefined, 'a checkpoint before the log had keys')
    insist(isSigned(head, this.#pin.stable), 'a checkpoint without a signature of the log')
    insist(isSigned(head, this.#current), 'a checkpoint without a signature of its epoch')
    if (this.#closing === undefined) return
    insist(isSigned(head, this.#closing), 'an epoch began that the one before did not sign')
    this.#closing = undefined
  }

  #begin(stable: Json | undefined, genesis: Json | undefined, seq: number): void {
    const { stable: pinned, genesis: first } = this.#pin
    insist(stable === pinned.text && genesis === first.text, 'not the keys of the pin', seq)
    this.#signedFrom = seq
  }

  #rotate(data: LogRecord['data'], seq: number): void {
    const epoch = this.#epoch + 1
    insist(this.#signedFrom !== undefined, 'a rotation of keys that the log does not have', seq)
    insist(data['epoch'] === epoch, `a rotation to another epoch than ${epoch}`, seq)
    insist(data['previous'] === this.#current.text, 'a rotation from another key', seq)
    insist(typeof data['next'] === 'string', 'a rotation to no key', seq)
    const next = readKey(data['next'])
    insist(next.name === nameOfEpoch(this.#pin.origin, epoch), 'a key of another epoch', seq)
    insist(next.text.slice(-44) !== this.#current.text.slice(-44), 'the same key again', seq)
    this.#closing = this.#current
    this.#current = next
    this.#epoch = epoch
  }
}
