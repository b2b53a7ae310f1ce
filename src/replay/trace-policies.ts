import { limits } from '../limits.ts'
import { badLine } from './line-fields.ts'
import type { TracePolicyFile } from './trace.ts'

/** A policy that decided calls of a trace, with all its files. */
export interface TracePolicy {
  /** Hex. */
  readonly hash: string
  /** In the order in which they were loaded. */
  readonly files: readonly { readonly path: string; readonly text: string }[]
}

/** Puts the policies of a trace together, of which each file has a line of its own. */
export class TracePolicies {
  readonly #open = new Map<string, TracePolicyFile[]>()
  readonly #whole = new Set<string>()
  #characters = 0

  /**
   * Takes in one file.
   *
   * @returns the policy, once its last file is there
   * @throws CapFenceError `TRACE_INVALID` when it does not follow on the file before it
   */
  add(file: TracePolicyFile): TracePolicy | undefined {
    const { line, hash, index, count, path, text } = file
    const files = this.#open.get(hash) ?? []
    this.#characters += path.length + text.length
    if (this.#whole.has(hash)) throw badLine(`line ${line}: the policy ${hash} stands here twice`)
    if (index !== files.length || files.some((one) => one.count !== count)) {
      throw badLine(`line ${line}: the files of the policy ${hash} do not follow one another`)
    }
    const isTooMany = this.#open.size + this.#whole.size >= limits.maxTracePolicies
    if (this.#characters > limits.maxTracePolicyCharacters || (index === 0 && isTooMany)) {
      throw badLine(
        `line ${line}: more than ${limits.maxTracePolicies} policies, or ${limits.maxTracePolicyCharacters} characters of them`,
      )
    }
    files.push(file)
    this.#open.set(hash, files)
    if (files.length < count) return undefined
    this.#open.delete(hash)
    this.#whole.add(hash)
    return { hash, files: files.map((one) => ({ path: one.path, text: one.text })) }
  }
}
