import { spawn, type ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'

import { findProgram, type Launch } from './command.ts'
import { windowsCommand } from './windows.ts'

/** A server whose process was started, or has just failed to. */
export interface SpawnedServer {
  readonly process: ChildProcess
  /** A shell ran first: status 126 or 127 means that it could not run the server. */
  readonly throughShell: boolean
}

/** What a new server is made known to (reaper.ts). */
export interface Registry {
  /** Takes `+pid` from the new process itself; undefined when there is nobody to take it. */
  readonly pipe: Writable | undefined
  /** Takes the pid from us, as soon as we know it. */
  watch(group: number): void
}

/**
 * Starts the process of a server, in a group of its own on POSIX, known to the reaper before it runs.
 *
 * @throws whatever the system or `findProgram` says, or nothing: some failures arrive as `error` events
 */
export function spawnServer(launch: Launch, reaper: Registry | undefined): SpawnedServer {
  if (process.platform === 'win32') return { process: onWindows(launch), throughShell: false }
  const program = findProgram(launch)
  const pipe = shellKeeps(launch.env) ? reaper?.pipe : undefined
  const child = pipe === undefined ? directly(launch) : throughShell(launch, program, pipe)
  if (child.pid !== undefined) reaper?.watch(child.pid)
  return { process: child, throughShell: pipe !== undefined }
}

function directly(launch: Launch): ChildProcess {
  return spawn(launch.command, launch.args, {
    ...surroundings(launch),
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

const registerAndRun = `trap '' PIPE; echo "+$$" >&3 2>/dev/null; trap - PIPE; exec 3>&-; exec "$@"`

// The child itself tells the reaper its group, and only then becomes the server: whenever the gate is killed, there is
// no server that the reaper does not know. A reaper that died this moment must not take it along (SIGPIPE); the next one
// hears of it from us. No text of the configuration is part of the script, only its arguments.
function throughShell(launch: Launch, program: string, reaper: Writable): ChildProcess {
  const script = `${unsetAdded(launch.env)}${registerAndRun}`
  return spawn('/bin/sh', ['-c', script, 'capfence-start', program, ...launch.args], {
    ...surroundings(launch),
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit', reaper],
  })
}

function onWindows(launch: Launch): ChildProcess {
  const { file, args, verbatim } = windowsCommand(launch)
  return spawn(file, args, {
    ...surroundings(launch),
    windowsHide: true,
    windowsVerbatimArguments: verbatim,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
}

function surroundings(launch: Launch): { env: NodeJS.ProcessEnv; cwd?: string } {
  const env = { ...launch.env }
  return launch.cwd === undefined ? { env } : { env, cwd: launch.cwd }
}

/** Shells export these by themselves; the server gets them only if it was given them. */
function unsetAdded(env: Launch['env']): string {
  const added = ['OLDPWD', 'PWD', 'SHLVL', '_'].filter((name) => !Object.hasOwn(env, name))
  return added.length === 0 ? '' : `unset ${added.join(' ')}; `
}

// Shells drop variables whose names they cannot use, and set or obey a few. An environment with such names is handed to
// the server directly; the reaper hears of it a moment later.
const shellName = /^[A-Za-z_][A-Za-z0-9_]*$/
const usedByShells: ReadonlySet<string> = new Set([
  ...['BASHOPTS', 'BASH_ENV', 'ENV', 'EUID', 'IFS', 'LINENO', 'OPTARG', 'OPTERR', 'OPTIND'],
  ...['POSIXLY_CORRECT', 'PPID', 'PS4', 'RANDOM', 'SECONDS', 'SHELLOPTS', 'UID'],
])

function shellKeeps(env: Launch['env']): boolean {
  return Object.keys(env).every((name) => shellName.test(name) && !usedByShells.has(name))
}
