import type { Io, Output } from './io.ts'
import { processSecrets } from './secret-input.ts'

/** The input and output of this process. */
export function processIo(): Io {
  const stop = new AbortController()
  const end = (): void => stop.abort()
  const variables = process.env
  return {
    out: streamOutput(process.stdout, variables, end),
    // Nobody stops because complaints are not read.
    err: streamOutput(process.stderr, variables, () => {}),
    variables,
    nowMs: () => Date.now(),
    secrets: processSecrets(),
    stopped: stop.signal,
  }
}

function streamOutput(
  stream: NodeJS.WriteStream,
  variables: Io['variables'],
  onGone: () => void,
): Output {
  let gone = false
  const resume: (() => void)[] = []
  const flush = (): void => {
    for (const go of resume.splice(0)) go()
  }
  // `capfence logs | head` closes the pipe when it has seen enough: the end of the work, not an error.
  stream.on('error', () => {
    gone = true
    onGone()
    flush()
  })
  stream.on('drain', flush)
  return {
    write: async (text) => {
      if (gone || stream.write(text)) return
      await new Promise<void>((go) => resume.push(go))
    },
    isTerminal: stream.isTTY,
    columns: stream.isTTY ? stream.columns : undefined,
    hasColour: wantsColour(stream.isTTY, variables),
  }
}

/**
 * Colour on a terminal that has it, unless somebody said no (no-color.org) or yes.
 *
 * @internal exported for its test
 */
export function wantsColour(isTerminal: boolean, variables: Io['variables']): boolean {
  const { NO_COLOR: never, FORCE_COLOR: always, TERM: terminal } = variables
  if (never !== undefined && never !== '') return false
  if (always !== undefined && always !== '') return always !== '0'
  return isTerminal && terminal !== 'dumb'
}
