import type { SecretInput } from './secret-input.ts'

/** Where a command writes; a pipe, a file, a terminal, or an array in a test. */
export interface Output {
  /**
   * Writes text and waits until there is room for more, so that a slow reader does not fill the memory.
   *
   * When the reader is gone the text is dropped and `Io.stopped` is aborted; nothing is thrown.
   */
  write(text: string): Promise<void>
  readonly isTerminal: boolean
  /** How wide a line is; undefined where lines may be of any length. */
  readonly columns: number | undefined
  readonly hasColour: boolean
}

/** Everything a command may touch of its process, so that a test can run it as a function. */
export interface Io {
  /** Answers. */
  readonly out: Output
  /** Everything else. */
  readonly err: Output
  readonly variables: Readonly<Record<string, string | undefined>>
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number
  /** Where passphrases come from. */
  readonly secrets: SecretInput
  /** Aborted when nobody wants more: the reader of the answers is gone. */
  readonly stopped: AbortSignal
}

/**
 * The exit codes of every command (docs: they never change their meaning).
 *
 * `no` is an answer, such as a policy with mistakes; `usage` is wrong input; `unknown` means it could not be found out,
 * or that what was kept is damaged. Of `audit verify`, `unknown` means tampered with, and the last three say what else.
 */
export const exitCodes = {
  yes: 0,
  no: 1,
  usage: 2,
  unknown: 3,
  rolledBack: 4,
  cannotVerify: 5,
  incomplete: 6,
} as const

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
