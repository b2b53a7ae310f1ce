import { systemRandom } from '../crypto/random.ts'
import { readPageFiles } from '../dashboard/files.ts'
import { servePage } from '../dashboard/listen.ts'
import { PageSessions } from '../dashboard/sessions.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { mayExist } from './storage-kind.ts'
import { letIn, portOf, requireReader, stopAsked } from './page-door.ts'
import { pageFolder } from './page-folder.ts'
import { passkeyPort } from './page-passkeys.ts'
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
  const opened = await openPage(flags, io, parts)
  try {
    await io.out.write(
      flags.json === true
        ? jsonLine({ schemaVersion: 1, type: 'page', url: opened.url, port: opened.port })
        : `${opened.url}\n`,
    )
    if (!mayExist(storageOf(flags))) {
      await io.err.write(complaint(io, 'there is no log yet; the page fills when a gate runs'))
    }
    await opened.letIn(stopAsked(io))
  } finally {
    await opened.close()
  }
  return exitCodes.yes
}

/** The page while it is served. */
export interface OpenPage {
  readonly url: string
  readonly port: number
  /** Shows codes on the terminal until `ended`. */
  letIn(ended: Promise<void>): Promise<void>
  close(): Promise<void>
}

/**
 * Serves the page, and lets nobody in yet.
 *
 * @throws CapFenceError `USAGE` as `ui` does
 */
export async function openPage(flags: UiFlags, io: Io, parts: UiParts): Promise<OpenPage> {
  const port = portOf(flags.port) ?? (await passkeyPort(flags, io)) ?? 0
  // A pin that cannot be read is said now and not when somebody asks for the proof.
  if (flags.pin !== undefined) pinFrom({ pin: flags.pin })
  requireReader('capfence ui', io)
  const sessions = new PageSessions({ random: systemRandom, nowMs: io.nowMs })
  const source = new CommandSource({ flags, io, ...parts })
  const onFailure = (error: unknown): void => {
    void io.err.write(complaint(io, error instanceof Error ? error.message : String(error)))
  }
  const page = await servePage(
    { source, sessions, files: readPageFiles(pageFolder), onFailure },
    port,
  )
  return {
    url: page.url,
    port: page.port,
    letIn: (ended) => letIn(page, { sessions, io, open: flags.open !== false, ended }),
    close: async () => {
      await page.close()
      await source.close()
    },
  }
}
