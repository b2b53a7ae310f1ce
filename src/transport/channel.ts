/** A two-way stream of whole messages, whatever carries them: a pipe, a child process, later HTTP. */
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
  onMessage(message: Uint8Array): void
  /** A message over the limit of the channel is dropped; the channel lives on. */
  onOversize(limitBytes: number): void
  /**
   * The bytes of that message as they are dropped, piece by piece from its start; undefined at its end.
   *
   * For who has to know whom it was for: the pieces belong to the receiver but must not be kept.
   */
  onOversizePart?(piece: Uint8Array | undefined): void
  onDrain(): void
  /** The other side is gone; nothing more will arrive. Called once. */
  onClose(reason: CloseReason): void
}

/** How the other side ended. */
export interface CloseReason {
  readonly code: number | null
  readonly signal: string | null
  /** Set when the other side could not be started. */
  readonly error?: Error
}
