import { accessSync, constants, statSync } from 'node:fs'
import path from 'node:path'

import { CapFenceError } from '../errors.ts'

/** A server's start command, as the configuration gives it. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment; see `childEnvironment`. */
  readonly env: Readonly<Record<string, string>>
  /** This process's own directory unless given. */
  readonly cwd?: string
}

/** Where programs are looked for when the environment has no PATH; execvp(3) uses the same. */
const defaultSearchPath = '/bin:/usr/bin'

/**
 * Finds the program of a launch the way execvp(3) would, before anything is started.
 *
 * @returns a path with at least one slash
 * @throws CapFenceError `UPSTREAM_UNAVAILABLE`, naming the command and what to do
 */
export function findProgram(launch: Launch): string {
  const cwd = launch.cwd ?? '.'
  if (!isDirectory(cwd)) throw noDirectory(launch)
  if (launch.command === '') throw notFound(launch)
  const candidates = launch.command.includes('/')
    ? [launch.command]
    : (launch.env['PATH'] ?? defaultSearchPath)
        .split(':')
        .map((directory) => `${directory === '' ? '.' : directory}/${launch.command}`)
  let refused: string | undefined
  for (const candidate of candidates) {
    // The path is looked up again from inside `cwd`, so what is returned stays relative to it.
    const seen = examine(path.resolve(cwd, candidate))
    if (seen === 'executable') return candidate
    if (seen === 'refused') refused ??= candidate
  }
  throw refused === undefined ? notFound(launch) : notExecutable(launch, refused)
}

/** The failure to report for an error of the system while starting. */
export function startFailure(launch: Launch, cause: unknown): CapFenceError {
  const code = errorCode(cause)
  if (code === 'ENOENT') return notFound(launch, cause)
  if (code === 'EACCES') return notExecutable(launch, launch.command, cause)
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new CapFenceError(
    'UPSTREAM_UNAVAILABLE',
    `cannot start \`${launch.command}\`: ${reason}`,
    { cause, hint: hints.get(code) ?? 'try the same command in a terminal' },
  )
}

/** The failure to report when a launch through the shell ended as a shell ends that could not run its command. */
export function shellFailure(launch: Launch, status: number): CapFenceError {
  const what = status === 127 ? 'it or its interpreter was not found' : 'it cannot be executed'
  return new CapFenceError(
    'UPSTREAM_UNAVAILABLE',
    `\`${launch.command}\` ended with status ${status} before its first message: ${what}`,
    { hint: 'what it wrote on standard error says more; try the same command in a terminal' },
  )
}

const hints: ReadonlyMap<string, string> = new Map([
  ['E2BIG', 'its arguments and environment are too long for this system'],
  ['EAGAIN', 'this user may not start more processes; see `ulimit -u`'],
  ['EMFILE', 'too many files are open; see `ulimit -n`'],
  ['ENOMEM', 'there is not enough memory to start it'],
  ['ERR_INVALID_ARG_VALUE', 'look for a NUL character in its command, arguments or environment'],
])

function examine(file: string): 'executable' | 'refused' | 'absent' {
  try {
    if (!statSync(file).isFile()) return 'refused'
    accessSync(file, constants.X_OK)
    return 'executable'
  } catch (error) {
    return errorCode(error) === 'EACCES' ? 'refused' : 'absent'
  }
}

function isDirectory(directory: string): boolean {
  return statSync(directory, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

function noDirectory(launch: Launch): CapFenceError {
  return new CapFenceError(
    'UPSTREAM_UNAVAILABLE',
    `cannot start \`${launch.command}\`: its directory \`${launch.cwd ?? '.'}\` does not exist`,
    { hint: 'correct `cwd` in the configuration, or create the directory' },
  )
}

/** The failure to report when there is no program of that name. */
export function notFound(launch: Launch, cause?: unknown): CapFenceError {
  return new CapFenceError(
    'UPSTREAM_UNAVAILABLE',
    `cannot start \`${launch.command}\`: no such program`,
    { cause, hint: notFoundHint(launch) },
  )
}

function notFoundHint(launch: Launch): string {
  if (/\s/.test(launch.command) && launch.args.length === 0) {
    return 'put the words after the program into `args`: no shell takes the command apart'
  }
  if (launch.command.startsWith('~'))
    return 'write the path of the home directory: no shell expands `~`'
  if (/[/\\]/.test(launch.command)) return 'check the path; a relative one starts at `cwd`'
  const searched = launch.env['PATH'] ?? defaultSearchPath
  return `write its absolute path, or extend PATH under \`env\`; looked in ${searched}`
}

function notExecutable(launch: Launch, file: string, cause?: unknown): CapFenceError {
  return new CapFenceError(
    'UPSTREAM_UNAVAILABLE',
    `cannot start \`${launch.command}\`: \`${file}\` is not an executable file`,
    { cause, hint: `allow it with \`chmod +x\`, or start it through its interpreter` },
  )
}
