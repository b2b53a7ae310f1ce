/** A two-way stream of whole messages, whatever carries them: a pipe, a child process, HTTP. */
export interface Channel {
  /**
   * Queues one message, given as pieces that are written back to back, without the framing.
   *
   * @returns false when the other side does not keep up: stop reading from where messages come until `onDrain`
   */
  send(...pieces: readonly Uint8Array[]): boolean
  /** Stops handing over messages; what has arrived stays in the pipe. */
  pause(): void
  resume(): void
  /** How much is queued and not yet in the pipe, bytes. */
  readonly backlogBytes: number
}

/** What a channel tells its owner; every message is complete, without its framing, and owned by the receiver. */
export interface ChannelEvents {
  /**
   * @param about over HTTP, the id of the request in whose answer the message came, or `nobody` for a message of the
   *   server's own accord; undefined where messages come in one stream
   */
  onMessage(message: Uint8Array, about?: number | 'nobody'): void
  /** A message over the limit of the channel is dropped; the channel lives on. */
  onOversize(limitBytes: number): void
  /**
   * The bytes of that message as they are dropped, piece by piece from its start; undefined at its end.
   *
   * For who has to know whom it was for: the pieces belong to the receiver but must not be kept.
   */
  onOversizePart?(piece: Uint8Array | undefined): void
  onDrain(): void
  /** Over HTTP, where each message has a fate of its own: one did not arrive, or its answer will not come. */
  onFailed?(failure: MessageFailure): void
  /** The other side is gone; nothing more will arrive. Called once. */
  onClose(reason: CloseReason): void
}

/** What became of one message that was sent over HTTP. */
export interface MessageFailure {
  /** The id of the request; undefined for what gets no answer: a notification, or an answer of our own. */
  readonly id: number | undefined
  /** Goes on after the server's name. */
  readonly reason: string
  /** False only when not one byte of it was written. */
  readonly sent: boolean
}

/** How the other side ended. */
export interface CloseReason {
  readonly code: number | null
  readonly signal: string | null
  /** Set when the other side could not be started. */
  readonly error?: Error
  /** How it ended, where it is no process; goes on after the server's name. */
  readonly text?: string
}
