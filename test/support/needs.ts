import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * Whether a test must be skipped because the machine lacks what it needs, for `test.skipIf(requireOrSkip(...))`.
 *
 * Says loudly what is not run. Where `CI` is set nothing may be missing, so there it throws.
 *
 * @param name what is needed, for the message
 * @param present whether it is there
 * @throws Error on CI, when it is not there
 */
export function requireOrSkip(name: string, present: boolean): boolean {
  if (present) return false
  const message = `not run, because this machine has no ${name}`
  if (process.env['CI'] === 'true') throw new Error(message)
  process.stderr.write(`\n*** ${message} ***\n`)
  return true
}

/** Whether a command can be found: `requireOrSkip('strace', hasCommand('strace'))`. */
export function hasCommand(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** The absolute path of test data that lives beside the project, such as `vectors/jcs`; it may not exist. */
export function sharedPath(path: string): string {
  return fileURLToPath(new URL(`../../../shared/${path}`, import.meta.url))
}

/** `requireOrSkip` for test data that lives beside the project. */
export function requireSharedOrSkip(path: string): boolean {
  return requireOrSkip(`../shared/${path}`, existsSync(sharedPath(path)))
}
