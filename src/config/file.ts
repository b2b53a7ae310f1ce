import { readFileSync } from 'node:fs'
import { CapFenceError } from '../errors.ts'
import type { Config } from './config.ts'
import { loadConfig } from './config.ts'

/** Where a configuration is looked for when none is named. */
export const defaultConfigPath = 'capfence.mcp.json'

/**
 * Reads a configuration file.
 *
 * @throws CapFenceError `CONFIG_NOT_FOUND` when it cannot be read, `CONFIG_INVALID` when it is wrong
 */
export function readConfigFile(path: string): Config {
  return loadConfig({ path, text: readConfigText(path) })
}

/**
 * Reads the text of a configuration file.
 *
 * @throws CapFenceError `CONFIG_NOT_FOUND` when it cannot be read, `CONFIG_INVALID` when it is no text
 */
export function readConfigText(path: string): string {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new CapFenceError(
      'CONFIG_NOT_FOUND',
      `cannot read the configuration \`${path}\`: ${reason(cause)}`,
      {
        hint: 'name it with `--config FILE`',
        cause,
      },
    )
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new CapFenceError('CONFIG_INVALID', `${path}:1:1: the file is not UTF-8 text`, {
      hint: 'save it as UTF-8',
      cause,
    })
  }
}

function reason(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EISDIR') return 'it is a folder'
  return cause instanceof Error ? cause.message : String(cause)
}
