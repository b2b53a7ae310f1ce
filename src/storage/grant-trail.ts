import { decodeRecord } from '../audit/codec.ts'
import { grantAfter, type GrantRow, type GrantState } from './grant-rows.ts'

const tellTale = '"t":"grant.'
/** `d` comes before it and holds no such text: within a text its quotes would be escaped. */
const behindTime = '","v":'
const timeCharacters = 24

/** Works out what grants stand at, from the bodies of a log's records in their order. */
export class GrantTrail {
  readonly #rows = new Map<string, GrantRow>()
  #latestMs = 0

  note(body: Buffer): void {
    const isOfGrant = body.includes(tellTale)
    if (isOfGrant) this.#noteGrant(body)
    // Before there is one, no time counts.
    if (this.#rows.size > 0) this.#latestMs = Math.max(this.#latestMs, timeOf(body))
  }

  get state(): GrantState {
    return { rows: [...this.#rows.values()], latestMs: this.#latestMs }
  }

  #noteGrant(body: Buffer): void {
    const { type, data, seq, ts } = decodeRecord(body)
    const id = data['grant']
    if (!type.startsWith('grant.') || typeof id !== 'string') return
    const atMs = Date.parse(ts)
    const after = grantAfter({ type, data }, this.#rows.get(id), { seq, atMs })
    if (after === undefined) return
    if (type === 'grant.create') this.#latestMs = atMs
    this.#rows.set(id, after)
  }
}

/** The time that a record bears, without reading all of it. */
function timeOf(body: Buffer): number {
  const end = body.lastIndexOf(behindTime)
  return Date.parse(body.toString('latin1', end - timeCharacters, end))
}
