import { readFileSync } from 'node:fs'
import type { ConfigChangeFacts } from '../audit/drafts.ts'
import type { Config } from '../config/config.ts'
import { sha256Hex } from '../crypto/sha256.ts'
import { CapFenceError } from '../errors.ts'
import { readApprovers } from './read-approvers.ts'

/**
 * What stands in the log of the list of approvers: who may approve is a part of the configuration, in a file of its own.
 *
 * @returns undefined where the configuration names none
 */
export function approversFacts({ approvals }: Config): ConfigChangeFacts | undefined {
  const path = approvals.approvers
  if (path === undefined) return undefined
  const facts = { path, changed: [], restart: [], sha256: hashOf(path) }
  try {
    readApprovers(approvals)
    return { ...facts, error: null }
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    return { ...facts, error: error.code }
  }
}

function hashOf(path: string): string | null {
  try {
    return sha256Hex(readFileSync(path))
  } catch {
    // What cannot be read has no hash, and the error says so.
    return null
  }
}

/** Records a list of approvers that is another than before; it counts from the next call on, whether recorded or not. */
export class ApproversWatch {
  readonly #config: Config
  readonly #record: (facts: ConfigChangeFacts) => Promise<void>
  readonly #log: (text: string) => void
  #seen: string | undefined

  constructor(config: Config, { record, log }: ApproversWatchParts) {
    this.#config = config
    this.#record = record
    this.#log = log
    this.#seen = JSON.stringify(approversFacts(config))
  }

  async look(): Promise<void> {
    const facts = approversFacts(this.#config)
    const now = JSON.stringify(facts)
    if (facts === undefined || now === this.#seen) return
    this.#seen = now
    this.#log(
      facts.error === null
        ? `the list of approvers changed: ${facts.path}`
        : `the list of approvers cannot be used, so that nobody may approve: ${facts.path}`,
    )
    try {
      await this.#record(facts)
    } catch (error) {
      this.#log(
        `the change was not recorded: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}

/** What a watch needs of the gate. */
interface ApproversWatchParts {
  readonly record: (facts: ConfigChangeFacts) => Promise<void>
  readonly log: (text: string) => void
}
