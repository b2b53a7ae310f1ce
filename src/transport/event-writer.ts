import type { ServerResponse } from 'node:http'
import { onOneLine } from './writer.ts'

/** Writes messages as a stream of server-sent events (HTML, section 9.2.6), one event each. */
export class EventWriter {
  readonly #response: ServerResponse

  /** @param response whose head says that a stream of events follows */
  constructor(response: ServerResponse) {
    this.#response = response
  }

  /** Writes one message; large pieces are not copied and must not be changed afterwards. */
  send(pieces: readonly Uint8Array[]): void {
    this.#response.cork()
    this.#response.write(eventStart)
    for (const piece of pieces) this.#response.write(onOneLine(piece))
    this.#response.write(eventEnd)
    this.#response.uncork()
  }

  /** A comment, which says nothing but that the connection is alive. */
  comment(): void {
    this.#response.write(':\n\n')
  }

  end(): void {
    this.#response.end()
  }
}

const eventStart = Buffer.from('event: message\ndata: ')
const eventEnd = Buffer.from('\n\n')
