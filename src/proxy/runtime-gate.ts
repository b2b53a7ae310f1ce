import type { Bindings } from '../event/binding.ts'
import { printable } from '../event/printable.ts'
import type { HeldDefinition } from '../runtime/decide.ts'
import type { ActionRuntime } from '../runtime/action-runtime.ts'
import type { AskDisk } from '../runtime/real-paths.ts'
import type { RefusalLog } from '../runtime/refusals.ts'
import type { ToolDefinitionLog, ToolListing } from '../runtime/tool-definitions.ts'
import { CapFenceError } from '../errors.ts'
import { methodEvent, unruledMethod } from '../event/method-event.ts'
import type { Pins } from '../mcp/pins.ts'
import { textMember } from '../mcp/params.ts'
import { receiptEdits } from '../mcp/receipt.ts'
import { splice } from '../mcp/splice.ts'
import {
  blockedError,
  blockedResult,
  invalidCallResult,
  invalidMethodError,
  refusedArgumentsResult,
} from './blocked.ts'
import type {
  CallGate,
  CallVerdict,
  GatedCall,
  GatedMethod,
  MethodVerdict,
  Refusal,
} from './context.ts'

/** Who asks and where, as the configuration and the process know it; never from what the client sends. */
export interface GateIdentity {
  readonly actor: string
  readonly environment: string
  /** The session's id in the log. */
  readonly session: string
}

/** Gives a receipt for the record of a decision. */
export interface ReceiptWriter {
  /**
   * @param seq where the record stands
   * @returns JSON; undefined when there is none, which stops no call
   */
  receiptOf(seq: number): Promise<string | undefined>
}

/** What a gate is made of. */
export interface RuntimeGateOptions {
  readonly runtime: ActionRuntime
  readonly bindings: Bindings
  readonly refusals: RefusalLog
  readonly definitions: ToolDefinitionLog
  /** Which definitions somebody has accepted; nothing is pinned when left out. */
  readonly pins?: Pins | undefined
  readonly identity: GateIdentity
  /** For each server that shares the disk of the gate, how that is asked where paths lead. */
  readonly disks: ReadonlyMap<string, AskDisk>
  /** Gives receipts; undefined when clients get none. */
  readonly receipts?: ReceiptWriter | undefined
  /** Says something to the operator. */
  log(text: string): void
}

/** The one decision point of a session: a call becomes an event, the runtime decides it, the record is durable. */
export class RuntimeGate implements CallGate {
  readonly #options: RuntimeGateOptions
  #client: string | null = null

  constructor(options: RuntimeGateOptions) {
    this.#options = options
  }

  async judge(call: GatedCall): Promise<CallVerdict> {
    const { runtime, bindings, identity, disks } = this.#options
    this.#client = call.client.name === '' ? null : call.client.name
    let event
    try {
      event = bindings.bind({
        server: call.server,
        tool: call.tool,
        arguments: call.arguments,
        actor: identity.actor,
        environment: identity.environment,
        context: {
          session: identity.session,
          ...(this.#client !== null && { client: this.#client }),
        },
        annotations: call.definition?.annotations,
      })
    } catch (error) {
      return this.#invalid(call, error)
    }
    const verdict = await runtime.execute(event, {
      definitionHash: call.definition?.hash,
      held: heldDefinition({ ...call, kind: 'tool', name: call.tool }, this.#options.pins),
      askDisk: disks.get(call.server),
    })
    const shown = `${JSON.stringify(call.server)} ${JSON.stringify(call.tool)}`
    if (verdict.decision !== 'allow') {
      this.#options.log(`${verdict.decision} ${shown}: ${verdict.reason}`)
      const resultText = await this.#receipted(blockedResult(verdict), verdict.decisionSeq)
      return { kind: 'blocked', resultText }
    }
    if (verdict.observed !== undefined) {
      this.#options.log(`observed only: ${verdict.observed} ${shown}: ${verdict.reason}`)
    }
    return {
      kind: 'forward',
      receiptText: await this.#options.receipts?.receiptOf(verdict.decisionSeq),
      settle: (outcome) => runtime.settle(verdict, outcome),
    }
  }

  async judgeMethod(call: GatedMethod): Promise<MethodVerdict> {
    const { runtime, identity, pins } = this.#options
    const { actor, environment, session } = identity
    this.#client = call.client.name === '' ? null : call.client.name
    let event
    try {
      const context = { session, ...(this.#client !== null && { client: this.#client }) }
      event = methodEvent({ ...call, actor, environment, context })
    } catch (error) {
      if (!(error instanceof CapFenceError)) throw error
      const { server, method } = call
      const bytes = Buffer.from(JSON.stringify([server, method]))
      this.refused({ reason: 'invalid_event', message: error.message, bytes, server })
      return { kind: 'blocked', error: invalidMethodError(error) }
    }
    const { server, held, definitionHash } = call
    const name = textMember(call.params, 'name') ?? ''
    const verdict = await runtime.execute(event, {
      definitionHash,
      held: heldDefinition({ server, kind: 'prompt', name, held }, pins),
      unruled: unruledMethod(call.method),
    })
    const shown = `${JSON.stringify(call.server)} ${call.method}`
    if (verdict.decision !== 'allow') {
      this.#options.log(`${verdict.decision} ${shown}: ${verdict.reason}`)
      return { kind: 'blocked', error: blockedError(verdict) }
    }
    if (verdict.observed !== undefined) {
      this.#options.log(`observed only: ${verdict.observed} ${shown}: ${verdict.reason}`)
    }
    return { kind: 'forward', settle: (outcome) => runtime.settle(verdict, outcome) }
  }

  refused({ reason, message, bytes, server }: Refusal): void {
    const { refusals, identity } = this.#options
    this.#options.log(`refused a message: ${message}`)
    refusals.note({
      reason,
      bytes,
      client: this.#client,
      session: identity.session,
      server: server ?? null,
    })
  }

  refusedArguments(message: string): string {
    return refusedArgumentsResult(message)
  }

  listed(listing: ToolListing): void {
    this.#options.definitions.note(listing)
  }

  /** A denial stands in the log as well, if the log could take it. */
  async #receipted(resultText: string, seq: number | undefined): Promise<string> {
    const receiptText = seq === undefined ? undefined : await this.#options.receipts?.receiptOf(seq)
    if (receiptText === undefined) return resultText
    const bytes = Buffer.from(resultText)
    const edits = receiptEdits(bytes, { start: 0, end: bytes.length }, receiptText)
    return edits === undefined ? resultText : Buffer.from(splice(bytes, edits)).toString()
  }

  /** A call that cannot be put into an event cannot be judged, and so is denied. */
  #invalid(call: GatedCall, error: unknown): CallVerdict {
    if (!(error instanceof CapFenceError)) throw error
    this.refused({
      reason: 'invalid_event',
      message: error.message,
      bytes: Buffer.from(JSON.stringify([call.server, call.tool])),
      server: call.server,
    })
    return { kind: 'blocked', resultText: invalidCallResult(error) }
  }
}

interface HeldName {
  readonly server: string
  readonly kind: 'tool' | 'prompt'
  readonly name: string
  readonly held?: string | undefined
}

function heldDefinition(
  { server, kind, name, held }: HeldName,
  pins: Pins | undefined,
): HeldDefinition | undefined {
  if (held === undefined) return undefined
  const [shownServer, shownName] = [printable(server, 64), printable(name, 128)]
  const label = `${shownServer}/${kind === 'prompt' ? 'prompt:' : ''}${shownName}`
  return {
    reason: `the definition of the ${kind} \`${shownName}\` of \`${shownServer}\` is held: ${held}`,
    suggestion: `the person responsible looks at it with \`capfence lock diff\` and accepts it with \`capfence lock accept ${label}\``,
    isEnforced: pins?.isEnforced ?? true,
  }
}
