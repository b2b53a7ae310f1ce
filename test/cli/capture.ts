import { CapFenceError } from '../../src/errors.ts'
import type { ExitCode, Io, Output } from '../../src/cli/io.ts'
import { runCommand } from '../../src/cli/program.ts'

/** What a command is run with; a pipe and no colours when nothing is said. */
export interface CaptureOptions {
  readonly nowMs?: number
  readonly columns?: number
  readonly hasColour?: boolean
  /** Of the environment; none when nothing is said. */
  readonly variables?: Readonly<Record<string, string>>
  /** Passphrases, in the order in which they are asked for; without one there is no terminal. */
  readonly secrets?: readonly string[]
  /** Called with each text that is written as an answer; `stop` is what a closed pipe does. */
  readonly onAnswer?: (text: string, stop: () => void) => void
}

/** What a command answered. */
export interface Captured {
  readonly code: ExitCode
  readonly out: string
  readonly err: string
}

/** When the tests take place. */
export const testNowMs: number = Date.parse('2026-11-25T14:00:00.000Z')

/** Runs a command in this process, as a function of its arguments. */
export async function capfence(
  args: readonly string[],
  options: CaptureOptions = {},
): Promise<Captured> {
  const stopped = new AbortController()
  const texts = { out: '', err: '' }
  const output = (name: 'out' | 'err'): Output => ({
    write: async (text) => {
      texts[name] += text
      if (name === 'out') options.onAnswer?.(text, () => stopped.abort())
    },
    isTerminal: options.columns !== undefined,
    columns: options.columns,
    hasColour: options.hasColour ?? false,
  })
  const secrets = [...(options.secrets ?? [])]
  const secret = async (): Promise<string> => {
    const next = secrets.shift()
    if (next === undefined) throw new CapFenceError('USAGE', 'there is no terminal')
    return next
  }
  const io: Io = {
    out: output('out'),
    err: output('err'),
    variables: options.variables ?? {},
    nowMs: () => options.nowMs ?? testNowMs,
    secrets: { fromTerminal: secret, fromInput: secret },
    stopped: stopped.signal,
  }
  return { code: await runCommand(args, io), ...texts }
}
