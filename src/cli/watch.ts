import { watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import type { ConfigChangeFacts } from '../audit/drafts.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/config.ts'
import { readConfigText } from '../config/file.ts'
import { CapFenceError } from '../errors.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import type { ActionRuntime } from '../runtime/action-runtime.ts'
import type { LiveLock } from './live-lock.ts'
import { loadGoverningPolicy } from './policy-files.ts'
import { ApproversWatch } from './watch-approvers.ts'

/** Editors write a file in several steps; what is read sooner may be half of it, milliseconds. */
const settleMs = 100
/** Some file systems tell nobody of changes, so the files are looked at this often all the same, milliseconds. */
const pollMs = 5000

/** Looks after changes until it is closed. */
export interface Watch {
  close(): void
}

/** What a watch tells of changes. */
export interface WatchParts {
  readonly runtime: ActionRuntime
  readonly lock: LiveLock
  /** Records a changed configuration. */
  readonly record: (facts: ConfigChangeFacts) => Promise<void>
  readonly log: (text: string) => void
}

/**
 * Takes a changed policy in at once, and says which changes of the configuration wait for the next start.
 *
 * A policy that cannot be loaded is refused and recorded; the one before goes on deciding.
 */
export function watchConfiguration(config: Config, parts: WatchParts): Watch {
  const { runtime, lock, log } = parts
  const policies = new PolicyReload(config, runtime, log)
  const configuration = new ConfigWatch(config, parts)
  const approvers = new ApproversWatch(config, parts)
  const list = config.approvals.approvers === undefined ? [] : [config.approvals.approvers]
  const files = [config.file, config.lock.file, ...config.policies, ...list]
  const look = (): void => {
    void configuration.look()
    void approvers.look()
    void lock.look(parts)
    void policies.look()
  }
  const names = new Set(files.map((file) => basename(file)))
  let soon: NodeJS.Timeout | undefined
  // Not put off by further changes: the log may lie in the same folder and changes all the time.
  const changed = (): void => {
    soon ??= setTimeout(() => {
      soon = undefined
      look()
    }, settleMs).unref()
  }
  const watchers = watchedFolders(files).map((folder) => watchFolder(folder, names, changed, log))
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
      policy = await loadGoverningPolicy(this.#files, this.#folder)
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
const settings = {
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
  lock: ({ lock }: Config) => lock,
} as const

/** What stands in the log of the configuration with which a gate starts. */
export function startFacts(config: Config): ConfigChangeFacts {
  const sha256 = sha256Hex(config.text)
  return { path: pathOf(config), sha256, changed: [], restart: [], error: null }
}

/** The file by its whole path: gates of several folders may share a log. */
function pathOf({ file, folder }: Config): string {
  return join(folder, basename(file))
}

class ConfigWatch {
  readonly #running: Config
  readonly #parts: WatchParts
  #seen: string | undefined

  constructor(config: Config, parts: WatchParts) {
    this.#running = config
    this.#parts = parts
    this.#seen = config.text
  }

  async look(): Promise<void> {
    const { file } = this.#running
    const text = attempt(() => readConfigText(file))
    if (text instanceof Error ? this.#seen === undefined : text === this.#seen) return
    this.#seen = text instanceof Error ? undefined : text
    const now = text instanceof Error ? text : attempt(() => loadConfig({ path: file, text }))
    const changed = now instanceof Error ? [] : changedSettings(this.#running, now)
    this.#say(now, changed)
    try {
      await this.#parts.record({
        path: pathOf(this.#running),
        sha256: text instanceof Error ? null : sha256Hex(text),
        changed,
        // This version takes in no setting while it runs.
        restart: changed,
        // Only the code: the words may quote a value that is a secret.
        error: now instanceof Error ? codeOf(now) : null,
      })
    } catch (error) {
      this.#parts.log(`the change was not recorded: ${messageOf(error)}`)
    }
  }

  #say(now: Config | Error, changed: readonly string[]): void {
    const { file } = this.#running
    if (now instanceof Error)
      this.#parts.log(`${file} cannot be used at the next start: ${now.message}`)
    else if (changed.length > 0) {
      const names = changed.map((name) => `\`${name}\``).join(', ')
      this.#parts.log(`${file} changed: ${names} take effect at the next start`)
    }
  }
}

function attempt<T>(read: () => T): T | Error {
  try {
    return read()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function codeOf(error: Error): string {
  return error instanceof CapFenceError ? error.code : 'unknown'
}

function changedSettings(running: Config, now: Config): readonly string[] {
  return Object.entries(settings)
    .filter(([, part]) => fingerprint(part(now)) !== fingerprint(part(running)))
    .map(([name]) => name)
}

function fingerprint(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (part instanceof Map ? [...part] : part))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
