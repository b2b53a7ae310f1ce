import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Io } from './io.ts'

/** A browser that was asked to open an address. */
export interface Opening {
  /** Takes the file away that leads there; it may be called more than once. */
  readonly forget: () => void
}

/**
 * Opens an address in the user's browser; undefined where there is none to be seen.
 *
 * The address holds a code, and what a program is started with can be read by everybody on the machine: so the browser
 * is given a file that only this user can read, which leads there.
 */
export function openBrowser(address: string, variables: Io['variables']): Opening | undefined {
  const opener = openerOf(variables)
  if (opener === undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'capfence-page-'))
  const file = join(folder, 'open.html')
  writeFileSync(file, pageTo(address), { mode: 0o600 })
  const forget = (): void => rmSync(folder, { recursive: true, force: true })
  const [command, ...args] = [...opener, pathToFileURL(file).href]
  const child = spawn(command, args, { stdio: 'ignore', detached: true })
  // The link stands on the terminal as well.
  child.on('error', forget)
  child.unref()
  return { forget }
}

function openerOf(variables: Io['variables']): readonly [string, ...string[]] | undefined {
  if (process.platform === 'darwin') return ['open']
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  const isSeen = [variables['DISPLAY'], variables['WAYLAND_DISPLAY']].some(
    (display) => display !== undefined && display !== '',
  )
  return isSeen ? ['xdg-open'] : undefined
}

/** The address is our own: it has no character that means anything in HTML. */
function pageTo(address: string): string {
  return `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${address}"><title>CapFence</title>
`
}
