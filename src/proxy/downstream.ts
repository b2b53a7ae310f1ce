/**
 * Where one message of the client came from, and where what belongs to it goes back to.
 *
 * Over stdio that is always the same pipe, over HTTP the answer to the one request that carried the message.
 */
export interface Origin {
  /** The answer of a request; nothing about it comes after. */
  answer(...pieces: readonly Uint8Array[]): void
  /** What belongs to a request and is not its answer: progress, a question of the server. */
  send(...pieces: readonly Uint8Array[]): void
  /** The message was taken and gets no answer. */
  accepted(): void
  /** The message was refused, and this says why; nothing where nobody waits for it. */
  refused(...pieces: readonly Uint8Array[]): void
  /** The client took the request back: it gets no answer. */
  cancelled(): void
}

/** The client's side of a session, whatever carries it. */
export interface Downstream {
  /** @param about the origin of the request that a message seems to belong to; undefined when to none */
  send(about: Origin | undefined, ...pieces: readonly Uint8Array[]): void
}

/** The origin of every message where all of them come and go in one stream. */
export function streamOrigin(downstream: Downstream): Origin {
  const send = (...pieces: readonly Uint8Array[]): void => downstream.send(undefined, ...pieces)
  return {
    answer: send,
    send,
    refused: (...pieces) => {
      if (pieces.length > 0) send(...pieces)
    },
    accepted: () => undefined,
    cancelled: () => undefined,
  }
}
