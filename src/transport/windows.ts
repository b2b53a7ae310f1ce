import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { win32 } from 'node:path'

import { CapFenceError } from '../errors.ts'
import { notFound, type Launch } from './command.ts'
import type { ProcessGroup } from './group.ts'

/** What to hand to `spawn` on Windows. */
export interface WindowsCommand {
  readonly file: string
  readonly args: readonly string[]
  /** The arguments are quoted already. */
  readonly verbatim: boolean
}

/**
 * Works out how a command is started on Windows, where `npx` and its like are batch files.
 *
 * Node refuses to start a batch file without a shell, because `cmd.exe` takes arguments apart once more. So it is
 * started by `cmd.exe` with every argument in quotes, and an argument that quotes cannot hold is refused.
 *
 * @throws CapFenceError `UPSTREAM_UNAVAILABLE` when there is no such program, or it cannot be given these arguments
 */
export function windowsCommand(
  launch: Launch,
  isFile: (file: string) => boolean = isRegularFile,
): WindowsCommand {
  const file = candidates(launch).find(isFile)
  if (file === undefined) throw notFound(launch)
  switch (win32.extname(file).toLowerCase()) {
    case '.exe':
    case '.com':
      return { file, args: launch.args, verbatim: false }
    case '.bat':
    case '.cmd':
      return throughCommandShell(launch, file)
    default:
      throw new CapFenceError(
        'UPSTREAM_UNAVAILABLE',
        `cannot start \`${launch.command}\`: \`${file}\` is not a program`,
        { hint: 'start it through its interpreter, for example `node` with the file in `args`' },
      )
  }
}

/** A process and its descendants; Windows finds them only while the first one runs, and has no way to ask them to end. */
export function windowsTree(pid: number, firstIsGone: () => boolean): ProcessGroup {
  const kill = (): void => {
    if (!firstIsGone()) killTree(pid)
  }
  return { look: () => undefined, empty: firstIsGone, terminate: kill, kill }
}

/** Never looks into the working directory, as Windows would: a project must not bring its own `npx`. */
function candidates(launch: Launch): string[] {
  const { command } = launch
  const found = /[\\/]/.test(command)
    ? [win32.resolve(launch.cwd ?? '.', command)]
    : variable(launch.env, 'PATH')
        .split(';')
        .map((directory) => directory.replaceAll('"', ''))
        .filter((directory) => win32.isAbsolute(directory))
        .map((directory) => win32.join(directory, command))
  const extensions = (variable(launch.env, 'PATHEXT') || '.COM;.EXE;.BAT;.CMD').split(';')
  const bare = win32.extname(command) === '' ? [] : ['']
  return found.flatMap((file) => [...bare, ...extensions].map((extension) => file + extension))
}

function throughCommandShell(launch: Launch, file: string): WindowsCommand {
  const line = [file, ...launch.args].map((word, index) => quoted(launch, word, index)).join(' ')
  // /d: no AutoRun commands from the registry. /v:off: `!` is an ordinary character. /s: only the outer quotes go.
  return {
    file: systemProgram('cmd.exe'),
    args: ['/d', '/v:off', '/s', '/c', `"${line}"`],
    verbatim: true,
  }
}

function quoted(launch: Launch, word: string, index: number): string {
  // In quotes `& | < > ^ ( )` mean nothing. These do, to cmd.exe or to the batch file that gets the words.
  const unsafe = /["%!\r\n\0]/.exec(word)
  if (unsafe !== null) {
    // The argument itself is not shown, since it may be a secret.
    const which = index === 0 ? 'its path' : `its argument ${index}`
    throw new CapFenceError(
      'UPSTREAM_UNAVAILABLE',
      `cannot start \`${launch.command}\`: it is a batch file, and ${which} contains ${JSON.stringify(unsafe[0])}, which cannot be passed to one safely`,
      { hint: 'start the program behind it, for example `node` with the script in `args`' },
    )
  }
  // The program behind the batch file reads `\"` as a quote, so a backslash at the end is written twice.
  return `"${word.replace(/\\+$/, '$&$&')}"`
}

function killTree(pid: number): void {
  const fallback = (): void => {
    try {
      process.kill(pid)
    } catch {
      // It ended meanwhile, which is what we wanted.
    }
  }
  spawn(systemProgram('taskkill.exe'), ['/PID', String(pid), '/T', '/F'], {
    stdio: 'ignore',
    windowsHide: true,
  }).on('error', fallback)
}

/** An absolute path: a name alone could be somebody else's program. */
function systemProgram(name: string): string {
  return win32.join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', name)
}

function variable(env: Launch['env'], upperName: string): string {
  const entry = Object.entries(env).find(([name]) => name.toUpperCase() === upperName)
  return entry?.[1] ?? ''
}

function isRegularFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false
}
