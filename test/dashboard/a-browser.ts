import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { type GateFiles, gateCommand, layOut, RawClient } from '../e2e/gate.ts'
import { cli } from '../support/dist.ts'
import { requireOrSkip } from '../support/needs.ts'
import { noTerminal } from '../support/terminal.ts'
import { root } from '../support/root.ts'

const chromiumPath = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path))

/** Whether the page cannot be looked at here. */
export const noBrowser: boolean =
  requireOrSkip('chromium, in which the page is looked at', chromiumPath !== undefined) ||
  noTerminal

/** Starts the browser; its sandbox needs what a container does not give. */
export async function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath ?? 'chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
}

/** Runs a command on a pseudo-terminal until it is stopped, and passes on what it shows and what is typed. */
const pseudoTerminal = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
sys.stdout.write('pid %d\\n' % pid)
sys.stdout.flush()
sources = [fd, 0]
while True:
    ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        typed = os.read(0, 4096)
        if typed:
            os.write(fd, typed)
        else:
            sources = [fd]
    if fd in ready:
        try:
            chunk = os.read(fd, 4096)
        except OSError:
            break
        if not chunk:
            break
        os.write(1, chunk)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
`

/** How long a test waits for a terminal, milliseconds; a busy machine is slow. */
const patienceMs = 40_000

/** `capfence ui`, or another command with a page, on a terminal of its own. */
export class TerminalPage {
  readonly #child: ChildProcess
  #shown = ''

  constructor(args: readonly string[], command: readonly string[] = ['ui']) {
    const whole = [process.execPath, cli, ...command, '--no-open', ...args]
    this.#child = spawn('python3', ['-c', pseudoTerminal, ...whole], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#shown += chunk.toString()
    })
    onTestFinished(() => this.stop())
  }

  /** The link with its code, once it stands on the terminal. */
  link(): Promise<string> {
    return this.shows(/http:\/\/localhost:\d+\/#code=[\w-]+/)
  }

  /** What is looked for, once it stands on the terminal. */
  async shows(wanted: RegExp): Promise<string> {
    const deadline = Date.now() + patienceMs
    for (;;) {
      const found = wanted.exec(this.#shown)?.[0]
      if (found !== undefined) return found
      if (Date.now() > deadline) throw new Error(`no ${String(wanted)}: ${this.#shown}`)
      await new Promise((resolve) => {
        setTimeout(resolve, 50)
      })
    }
  }

  /** Types a line. */
  type(text: string): void {
    this.#child.stdin?.write(`${text}\r`)
  }

  /** The exit code, once it has ended by itself. */
  ended(): Promise<number | null> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`it does not end: ${this.#shown}`)),
        patienceMs,
      )
      const end = (code: number | null): void => {
        clearTimeout(timer)
        resolve(code)
      }
      if (this.#child.exitCode !== null) end(this.#child.exitCode)
      else this.#child.once('exit', end)
    })
  }

  /** What the terminal has shown so far. */
  get shown(): string {
    return this.#shown
  }

  /** Ends the command as Ctrl-C does. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const pid = await this.shows(/^pid \d+/)
    // A signal between the fork and the start of the command would be lost.
    await this.link()
    const ended = this.ended()
    process.kill(Number(pid.slice(4)), 'SIGINT')
    await ended
  }
}

/** A gate with a client, and the page over its log. */
export interface Scene {
  readonly files: GateFiles
  readonly client: RawClient
  readonly terminal: TerminalPage
}

/** Lays out a gate in front of the operations server and starts both, and the page. */
export async function setScene(
  policy: string,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-page-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const files = layOut(folder, { servers: { ops: 'ops' }, policy, config })
  const { command, args } = gateCommand(files)
  const client = new RawClient(command, args)
  onTestFinished(() => void client.process.kill('SIGKILL'))
  await client.initialize()
  return { files, client, terminal: new TerminalPage(['--config', files.config]) }
}

/** Opens the page, signed in by the link of the terminal. */
export async function opened(browser: Browser, scene: Scene, size = wide): Promise<Page> {
  const context = await browser.newContext({ viewport: size, colorScheme: 'light' })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  page.on('pageerror', (error) => {
    throw error
  })
  await page.goto(await scene.terminal.link())
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  return page
}

const wide = { width: 1280, height: 900 }
/** A telephone, or a window beside another. */
export const narrow = { width: 400, height: 800 }

const artefacts = join(root, 'test-artefacts')

/** Keeps what the page looks like, for people. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  mkdirSync(artefacts, { recursive: true })
  await page.screenshot({ path: join(artefacts, `${name}.png`), fullPage: true })
}
