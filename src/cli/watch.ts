import { watch } from 'node:fs'
import { basename, dirname } from 'node:path'

import type { Config } from '../config/config.ts'
import { readConfigFile } from '../config/file.ts'
import type { ActionRuntime } from '../runtime/action-runtime.ts'
import { loadPolicyFiles } from './policy-files.ts'

/** Editors write a file in several steps; what is read sooner may be half of it, milliseconds. */
const settleMs = 100
/** Some file systems tell nobody of changes, so the files are looked at this often all the same, milliseconds. */
const pollMs = 5000

/** Looks after changes until it is closed. */
export interface Watch {
  close(): void
}

/**
 * Takes a changed policy in at once, and says which changes of the configuration wait for the next start.
 *
 * A policy that cannot be loaded is refused and recorded; the one before goes on deciding.
 */
export function watchConfiguration(
  config: Config,
  runtime: ActionRuntime,
  log: (text: string) => void,
): Watch {
  const policies = new PolicyReload(config, runtime, log)
  const configuration = new ConfigWatch(config, log)
  const look = (): void => {
    configuration.look()
    void policies.look()
  }
  const names = new Set([config.file, ...config.policies].map((file) => basename(file)))
  let soon: NodeJS.Timeout | undefined
  // Not put off by further changes: the log may lie in the same folder and changes all the time.
  const changed = (): void => {
    soon ??= setTimeout(() => {
      soon = undefined
      look()
    }, settleMs).unref()
  }
  const watchers = watchedFolders([config.file, ...config.policies]).map((folder) =>
    watchFolder(folder, names, changed, log),
  )
  const poll = setInterval(look, pollMs)
  poll.unref()
  return {
    close: () => {
      clearInterval(poll)
      clearTimeout(soon)
      for (const watcher of watchers) watcher.close()
    },
  }
}

/** Folders and not files: an editor that saves by renaming takes the watched file away. */
function watchedFolders(files: readonly string[]): readonly string[] {
  return [...new Set(files.map((file) => dirname(file)))]
}

function watchFolder(
  folder: string,
  names: ReadonlySet<string>,
  changed: () => void,
  log: (text: string) => void,
): Watch {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name === null || names.has(name)) changed()
    })
    watcher.on('error', () => {
      // Nothing is lost: the poll looks at the files as well.
      watcher.close()
    })
    return watcher
  } catch {
    log(`cannot watch ${folder}; changes are noticed within ${String(pollMs / 1000)} s`)
    return { close: () => undefined }
  }
}

class PolicyReload {
  readonly #files: readonly string[]
  readonly #folder: string
  readonly #runtime: ActionRuntime
  readonly #log: (text: string) => void
  #isBusy = false
  /** What was refused last, so that a broken file is said once and not at every look. */
  #refused: string | undefined

  constructor(config: Config, runtime: ActionRuntime, log: (text: string) => void) {
    this.#files = config.policies
    this.#folder = config.folder
    this.#runtime = runtime
    this.#log = log
  }

  async look(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      await this.#reload()
    } catch (error) {
      this.#log(
        `the policy was not reloaded: ${error instanceof Error ? error.message : String(error)}`,
      )
    } finally {
      this.#isBusy = false
    }
  }

  async #reload(): Promise<void> {
    const names = this.#files.map((file) => basename(file)).join(', ')
    let policy
    try {
      policy = loadPolicyFiles(this.#files, this.#folder)
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      if (text === this.#refused) return
      this.#refused = text
      this.#log(`${names} cannot be used, the policy before stays in force: ${text}`)
      await this.#runtime.refuseReload(text.slice(0, 2000))
      return
    }
    this.#refused = undefined
    if (policy.hash === this.#runtime.policyHash) return
    await this.#runtime.reload(policy)
    this.#log(`${names} reloaded: ${String(policy.ruleCount)} rules, ${policy.hash.slice(0, 12)}`)
  }
}

/** The parts of a configuration, by the key that a person would look for. */
const parts = {
  mcpServers: ({ servers, disabledServers }: Config) => [servers, disabledServers],
  policies: ({ policies }: Config) => policies,
  actor: ({ actor }: Config) => actor,
  environment: ({ environment }: Config) => environment,
  mode: ({ mode }: Config) => mode,
  storage: ({ storage }: Config) => storage,
  audit: ({ audit }: Config) => audit,
  approvals: ({ approvals }: Config) => approvals,
  limits: ({ limits }: Config) => limits,
  unknownMethods: ({ unknownMethods }: Config) => unknownMethods,
} as const

class ConfigWatch {
  readonly #running: Config
  readonly #log: (text: string) => void
  #said = ''

  constructor(config: Config, log: (text: string) => void) {
    this.#running = config
    this.#log = log
  }

  look(): void {
    const text = this.#difference()
    if (text === this.#said) return
    this.#said = text
    if (text !== '') this.#log(text)
  }

  #difference(): string {
    let now: Config
    try {
      now = readConfigFile(this.#running.file)
    } catch (error) {
      return `${this.#running.file} cannot be used at the next start: ${error instanceof Error ? error.message : String(error)}`
    }
    const changed = Object.entries(parts)
      .filter(([, part]) => fingerprint(part(now)) !== fingerprint(part(this.#running)))
      .map(([key]) => `\`${key}\``)
    if (changed.length === 0) return ''
    return `${this.#running.file} changed: ${changed.join(', ')} take effect at the next start`
  }
}

function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (part instanceof Map ? [...part] : part))
}
