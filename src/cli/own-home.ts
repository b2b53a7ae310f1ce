import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GateLaunch } from '../clients/wrap.ts'
import { surroundingsOf, type Surroundings } from '../clients/locate.ts'
import type { Io } from './io.ts'

/** Where CapFence keeps what belongs to a user rather than to a project. */
export interface OwnHome {
  /** `$CAPFENCE_HOME`, or `.capfence` in the home folder. */
  readonly folder: string
  /** The configuration for clients that were wrapped without naming one. */
  readonly config: string
  readonly around: Surroundings
}

/** The configuration that `init` makes; undefined where the environment names no home. */
export function ownConfigPath(variables: Io['variables']): string | undefined {
  const home = variables['HOME'] ?? variables['USERPROFILE']
  const folder = variables['CAPFENCE_HOME'] ?? (home === undefined ? home : join(home, '.capfence'))
  return folder === undefined ? undefined : join(folder, 'capfence.mcp.json')
}

/**
 * Where it is for whoever runs a command.
 *
 * @param project the folder in which files of projects are looked for; the current one when undefined
 */
export function ownHome(io: Io, project: string | undefined): OwnHome {
  const around = surroundingsOf(io.variables, resolve(project ?? '.'))
  const folder = io.variables['CAPFENCE_HOME'] ?? join(around.home, '.capfence')
  return { folder, config: join(folder, 'capfence.mcp.json'), around }
}

/** The program that clients start in a server's place, by its whole path: some start with hardly any `PATH`. */
export const mainPath: string =
  ['main.js', '../main.js', '../../dist/cli/main.js']
    // The build puts this module into one of several files, beside the program or one folder below; the sources have it apart.
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path)) ?? fileURLToPath(new URL('main.js', import.meta.url))

/** How a client starts the gate for one server. */
export function gateLaunch(config: string): GateLaunch {
  return (server) => ({
    command: process.execPath,
    args: [mainPath, 'run', '--config', config, '--server', server],
  })
}
