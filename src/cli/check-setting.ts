import { existsSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { defaultConfigPath, readConfigFile } from '../config/file.ts'
import { CapFenceError } from '../errors.ts'
import type { LintSetting } from '../policy/analysis/lint.ts'
import { boundTools, toolsToCheck } from './check-tools.ts'
import type { ToolsFlags } from './check-tools.ts'
import { realPath } from './policy-files.ts'

/** Policies that are checked together, and what is known of the calls that they are asked about. */
export interface CheckedSet {
  readonly files: readonly string[]
  readonly setting: LintSetting
}

/** What says how policies are used, as it was typed. */
export interface SettingFlags extends ToolsFlags {
  /** Any number of configurations. */
  readonly config?: readonly string[] | undefined
}

/**
 * What `capfence policy check` looks at: the named files, each by itself, or the policies of each configuration together.
 *
 * A named file that the configuration of this folder names is checked as that one's.
 */
export function checkedSets(
  files: readonly string[],
  { config = [], ...listing }: SettingFlags,
): readonly CheckedSet[] {
  const configs = config.map(readConfigFile)
  const listed = toolsToCheck(listing)
  const settingOf = (governing: readonly Config[]): LintSetting => ({
    ...callsOf(governing),
    tools: boundTools(listed, listing.server, governing),
  })
  if (files.length === 0) {
    const all = configs.length === 0 ? [readConfigFile(defaultConfigPath)] : configs
    return all.map(({ policies }) => ({ files: policies, setting: settingOf(all) }))
  }
  const found = configs.length === 0 ? usualConfig() : undefined
  return files.map((file) => {
    const governing = found !== undefined && isNamedBy(found, file) ? [found] : configs
    return { files: [file], setting: settingOf(governing) }
  })
}

/** What no call of a gate has; who calls the library may state it. */
const neverStated = ['role', 'tenant'] as const

function callsOf(configs: readonly Config[]): LintSetting {
  if (configs.length === 0) return {}
  const environments = [...new Set(configs.map(({ environment }) => environment))]
  return { unstated: neverStated, environments }
}

/** The configuration of this folder, which nobody named: where it cannot be read, nothing is known. */
function usualConfig(): Config | undefined {
  if (!existsSync(defaultConfigPath)) return undefined
  try {
    return readConfigFile(defaultConfigPath)
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    return undefined
  }
}

function isNamedBy({ policies }: Config, file: string): boolean {
  return policies.some((one) => realPath(one) === realPath(file))
}
