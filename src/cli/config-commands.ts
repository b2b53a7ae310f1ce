import { existsSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import { ConfigInvalid } from '../config/problems.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { checkLine, printProblems } from './problems.ts'
import { counted, shown } from './shown.ts'

/** What `capfence config check` takes, as it was typed. */
export interface CheckFlags {
  readonly json?: boolean | undefined
}

/** `capfence config check`: says everything that is wrong with a configuration, or names its servers. */
export async function configCheck(
  path: string | undefined,
  flags: CheckFlags,
  io: Io,
): Promise<ExitCode> {
  const file = path ?? defaultConfigPath
  const config = readOrProblems(file)
  const problems = config instanceof ConfigInvalid ? config.problems : []
  const warnings = config instanceof ConfigInvalid ? [] : config.warnings
  const counts = config instanceof ConfigInvalid ? {} : { servers: config.servers.length }
  if (flags.json === true) await io.out.write(checkLine({ file, problems, warnings, counts }))
  else {
    await printProblems({ problems, warnings }, io)
    if (!(config instanceof ConfigInvalid)) {
      await io.out.write(`${shown(file)}: ${summary(config)}\n`)
      if (!existsSync(config.lock.file)) await io.out.write(unpinned)
    }
  }
  return problems.length === 0 ? exitCodes.yes : exitCodes.no
}

const unpinned =
  'there is no lock, so a server may change what its tools say: `capfence lock` pins it\n'

function readOrProblems(file: string): Config | ConfigInvalid {
  try {
    return readConfigFile(file)
  } catch (error) {
    if (error instanceof ConfigInvalid) return error
    throw error
  }
}

function summary({ servers }: Config): string {
  const names = servers.map(({ name }) => shown(name)).join(', ')
  return `${counted(servers.length, 'server')}${names === '' ? '' : `: ${names}`}`
}

/** `capfence config schema`: prints the JSON Schema of capfence.mcp.json, for editors. */
export async function configSchemaText(io: Io): Promise<ExitCode> {
  // zod takes longer to load than everything else together, so only this command does.
  const { configJsonSchema } = await import('../config/schema.ts')
  await io.out.write(configJsonSchema())
  return exitCodes.yes
}
