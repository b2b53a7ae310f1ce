import { refusedArgumentsResult } from '../proxy/blocked.ts'
import type {
  CallGate,
  CallVerdict,
  GatedCall,
  GatedMethod,
  MethodVerdict,
  Refusal,
} from '../proxy/context.ts'
import type { ToolListing } from '../runtime/tool-definitions.ts'

/** Refusals kept until the log is open, count; a client sends a handful before its first call. */
const maxEarlyRefusals = 100

/**
 * Stands in for the gate while the log and the policy are being opened: calls wait for it, nothing passes it.
 *
 * Servers start meanwhile, so that the first reply does not wait for the database.
 */
export class LateGate implements CallGate {
  #gate: CallGate | undefined
  #waiting: (() => void)[] = []
  #refusals: Refusal[] = []
  /** By server: a later listing says more. */
  readonly #listings = new Map<string, ToolListing>()

  open(gate: CallGate): void {
    this.#gate = gate
    for (const refusal of this.#refusals) gate.refused(refusal)
    this.#refusals = []
    for (const listing of this.#listings.values()) gate.listed(listing)
    this.#listings.clear()
    const waiting = this.#waiting
    this.#waiting = []
    for (const go of waiting) go()
  }

  async judge(call: GatedCall): Promise<CallVerdict> {
    return (this.#gate ?? (await this.#opened())).judge(call)
  }

  async judgeMethod(call: GatedMethod): Promise<MethodVerdict> {
    return (this.#gate ?? (await this.#opened())).judgeMethod(call)
  }

  refused(refusal: Refusal): void {
    if (this.#gate !== undefined) return this.#gate.refused(refusal)
    if (this.#refusals.length < maxEarlyRefusals) this.#refusals.push(refusal)
  }

  refusedArguments(message: string): string {
    return refusedArgumentsResult(message)
  }

  listed(listing: ToolListing): void {
    if (this.#gate !== undefined) return this.#gate.listed(listing)
    this.#listings.set(listing.server, listing)
  }

  #opened(): Promise<CallGate> {
    return new Promise((resolve) => {
      this.#waiting.push(() => {
        if (this.#gate !== undefined) resolve(this.#gate)
      })
    })
  }
}
