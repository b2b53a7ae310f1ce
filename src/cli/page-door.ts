import type { ServedPage } from '../dashboard/listen.ts'
import type { PageSessions } from '../dashboard/sessions.ts'
import { CapFenceError } from '../errors.ts'
import type { Io } from './io.ts'
import { openBrowser, type Opening } from './open-browser.ts'

/**
 * Refuses to serve a page that nobody can be let in to.
 *
 * @throws CapFenceError `USAGE` without a terminal
 */
export function requireReader(command: string, io: Io): void {
  if (io.err.isTerminal) return
  throw new CapFenceError('USAGE', `\`${command}\` needs a terminal`, {
    hint: 'the code that lets a browser in is shown on a terminal only, where no agent reads it',
  })
}

/**
 * The port of `--port`; undefined where none was named.
 *
 * @throws CapFenceError `USAGE` for one that is none
 */
export function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw new CapFenceError('USAGE', `\`--port ${text}\` is no port`, {
    hint: 'write a number from 1 to 65535, or leave it out',
  })
}

/** Who is let in, and how long. */
export interface LettingIn {
  readonly sessions: PageSessions
  readonly io: Io
  /** Whether to open a browser. */
  readonly open: boolean
  /** When the page is done with; its failure is passed on. */
  readonly ended: Promise<void>
}

/** Shows a code, and another whenever somebody presses Enter, until the page is done with. */
export async function letIn(
  page: ServedPage,
  { sessions, io, open, ended }: LettingIn,
): Promise<void> {
  let opening: Opening | undefined
  const offer = async (): Promise<void> => {
    opening?.forget()
    const address = `${page.url}#code=${sessions.newCode()}`
    if (open) opening = openBrowser(address, io.variables)
    const what =
      opening === undefined ? 'open this in a browser' : 'a browser opens; if it does not'
    await io.err.write(
      `${what}, within two minutes:\n  ${address}\nEnter makes another code, Ctrl-C ends.\n`,
    )
  }
  await offer()
  const more = (): void => void offer()
  process.stdin.on('data', more)
  try {
    await ended
  } finally {
    process.stdin.off('data', more).pause()
    opening?.forget()
  }
}

/** Ends when the program is asked to stop. */
export function stopAsked(io: Io): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      process.off('SIGINT', end).off('SIGTERM', end)
      resolve()
    }
    process.on('SIGINT', end).on('SIGTERM', end)
    io.stopped.addEventListener('abort', end, { once: true })
  })
}
