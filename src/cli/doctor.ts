import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import { problemLine } from '../config/problems.ts'
import { CapFenceError } from '../errors.ts'
import { checkClients, checkMachine } from './doctor-machine.ts'
import { checkAuthority, checkFiles } from './doctor-files.ts'
import type { Finding, FindingLevel } from './doctor-finding.ts'
import { checkLog } from './doctor-log.ts'
import { checkPolicies, checkServers, checkTools } from './doctor-servers.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { ownHome } from './own-home.ts'
import type { OpenLog } from './places.ts'
import { counted, jsonLine, shown } from './shown.ts'
import type { Style } from './style.ts'
import { styled } from './style.ts'

/** What `capfence doctor` takes, as it was typed. */
export interface DoctorFlags {
  readonly config?: string | undefined
  readonly project?: string | undefined
  /** Whether servers are started to see what they list. */
  readonly servers?: boolean | undefined
  readonly json?: boolean | undefined
}

/**
 * `capfence doctor`: looks at everything that has to be right for calls to go through the gate and nothing past it, and
 * says of each thing that is not how it is mended. It changes nothing.
 *
 * Exit code 1 when something is wrong.
 */
export async function doctor(flags: DoctorFlags, io: Io, openLog: OpenLog): Promise<ExitCode> {
  const found = await examined(flags, io, openLog)
  const isWrong = found.some(({ level }) => level === 'wrong')
  await io.out.write(
    flags.json === true
      ? found
          .map((one) => jsonLine({ schemaVersion, type: 'doctor', ...one, mend: one.mend ?? null }))
          .join('')
      : textOf(found, io),
  )
  return isWrong ? exitCodes.no : exitCodes.yes
}

async function examined(flags: DoctorFlags, io: Io, openLog: OpenLog): Promise<readonly Finding[]> {
  const home = ownHome(io, flags.project)
  const path = configPath(flags, home.config)
  const config = path === undefined ? undefined : configAt(path)
  const found: Finding[] = [...checkMachine(process.version)]
  if (config === undefined) {
    found.push({
      area: 'configuration',
      level: 'wrong',
      text: 'there is no configuration',
      mend: 'capfence init',
    })
  } else if (Array.isArray(config)) {
    found.push(...config)
  } else {
    found.push(...(await configured(config, flags, io, openLog)))
  }
  found.push(...(await checkClients(home)))
  return found
}

async function configured(
  config: Config,
  flags: DoctorFlags,
  io: Io,
  openLog: OpenLog,
): Promise<readonly Finding[]> {
  return [
    {
      area: 'configuration',
      level: 'fine',
      text: `${config.file}: ${counted(config.servers.length, 'server')}, mode ${config.mode}, environment ${config.environment}`,
    },
    ...config.warnings.map((problem): Finding => ({
      area: 'configuration',
      level: 'note',
      text: problemLine(problem),
      mend: problem.hint,
    })),
    ...(await checkPolicies(config)),
    ...checkServers(config, io.variables),
    ...(flags.servers === true ? await checkTools(config) : []),
    ...checkAuthority(config),
    ...checkFiles(config),
    ...(await checkLog(config, openLog, io.nowMs())),
  ]
}

function configPath({ config }: DoctorFlags, own: string): string | undefined {
  if (config !== undefined) return config
  return [defaultConfigPath, own].find((path) => existsSync(path))
}

/** @returns what is wrong with it, in place of what it says */
function configAt(path: string): Config | Finding[] {
  try {
    return readConfigFile(resolve(path))
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    return [{ area: 'configuration', level: 'wrong', text: error.message, mend: error.hint }]
  }
}

const marks: Readonly<Record<FindingLevel, readonly [mark: string, style: Style | undefined]>> = {
  fine: ['ok', 'green'],
  note: ['note', undefined],
  doubt: ['look', 'yellow'],
  wrong: ['WRONG', 'red'],
}

function textOf(found: readonly Finding[], io: Io): string {
  const lines = found.flatMap(({ area, level, text, mend }) => {
    const [mark, style] = marks[level]
    const padded = mark.padEnd(6)
    const shownMark = style === undefined ? padded : styled(io.out, style, padded)
    const line = `${shownMark}${area.padEnd(15)}${shown(text)}`
    return mend === undefined ? [line] : [line, `${' '.repeat(21)}mend: ${shown(mend)}`]
  })
  const wrong = found.filter(({ level }) => level === 'wrong').length
  const doubtful = found.filter(({ level }) => level === 'doubt').length
  const sum =
    wrong + doubtful === 0
      ? 'nothing is wrong'
      : `${counted(wrong, 'thing')} wrong, ${counted(doubtful, 'thing')} to look at`
  return [...lines, '', sum].map((line) => `${line}\n`).join('')
}
