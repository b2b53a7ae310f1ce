import { existsSync } from 'node:fs'
import { systemRandom } from '../crypto/random.ts'
import { readPageFiles } from '../dashboard/files.ts'
import { servePage, type ServedPage } from '../dashboard/listen.ts'
import { PageSessions } from '../dashboard/sessions.ts'
import { CapFenceError } from '../errors.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { openBrowser, type Opening } from './open-browser.ts'
import { pageFolder } from './page-folder.ts'
import { CommandSource } from './page-source.ts'
import { pinFrom } from './pin-flags.ts'
import type { OpenLog, OpenStore, PlaceFlags } from './places.ts'
import { storageOf } from './places.ts'
import { complaint } from './report-error.ts'
import { jsonLine } from './shown.ts'

/** What `capfence ui` takes, as it was typed. */
export interface UiFlags extends PlaceFlags {
  readonly port?: string | undefined
  readonly pin?: string | undefined
  /** False for `--no-open`. */
  readonly open?: boolean | undefined
  readonly json?: boolean | undefined
}

/** What the page is served with. */
export interface UiParts {
  readonly openLog: OpenLog
  readonly openStore: OpenStore
}

/**
 * `capfence ui`: serves the operator's page on this machine until it is stopped.
 *
 * A browser is let in by a code that works once and for two minutes. It is shown on a terminal and nowhere else: what a
 * program prints into a pipe, an agent may read.
 *
 * @throws CapFenceError `USAGE` for a port that is none or taken, or when the page cannot be shown to anybody
 */
export async function ui(flags: UiFlags, io: Io, parts: UiParts): Promise<ExitCode> {
  const port = portOf(flags.port)
  const { path } = storageOf(flags)
  // A pin that cannot be read is said now and not when somebody asks for the proof.
  if (flags.pin !== undefined) pinFrom({ pin: flags.pin })
  requireReader(io)
  const sessions = new PageSessions({ random: systemRandom, nowMs: io.nowMs })
  const source = new CommandSource({ flags, io, ...parts })
  const onFailure = (error: unknown): void => {
    void io.err.write(complaint(io, error instanceof Error ? error.message : String(error)))
  }
  const page = await servePage(
    { source, sessions, files: readPageFiles(pageFolder), onFailure },
    port,
  )
  try {
    await io.out.write(
      flags.json === true
        ? jsonLine({ schemaVersion: 1, type: 'page', url: page.url, port: page.port })
        : `${page.url}\n`,
    )
    if (!existsSync(path)) {
      await io.err.write(complaint(io, 'there is no log yet; the page fills when a gate runs'))
    }
    await letIn(page, { sessions, flags, io })
  } finally {
    await page.close()
    await source.close()
  }
  return exitCodes.yes
}

function requireReader(io: Io): void {
  if (io.err.isTerminal) return
  throw new CapFenceError('USAGE', '`capfence ui` needs a terminal', {
    hint: 'the code that lets a browser in is shown on a terminal only, where no agent reads it',
  })
}

interface LettingIn {
  readonly sessions: PageSessions
  readonly flags: UiFlags
  readonly io: Io
}

/** Shows a code, and another whenever somebody presses Enter, until the program is stopped. */
async function letIn(page: ServedPage, { sessions, flags, io }: LettingIn): Promise<void> {
  let opening: Opening | undefined
  const offer = async (): Promise<void> => {
    opening?.forget()
    const address = `${page.url}#code=${sessions.newCode()}`
    if (flags.open !== false) opening = openBrowser(address, io.variables)
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
    await ended(io)
  } finally {
    process.stdin.off('data', more).pause()
    opening?.forget()
  }
}

function ended(io: Io): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      process.off('SIGINT', end).off('SIGTERM', end)
      resolve()
    }
    process.on('SIGINT', end).on('SIGTERM', end)
    io.stopped.addEventListener('abort', end, { once: true })
  })
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65_535) return port
  throw new CapFenceError('USAGE', `\`--port ${text}\` is no port`, {
    hint: 'write a number from 1 to 65535, or leave it out for any that is free',
  })
}
