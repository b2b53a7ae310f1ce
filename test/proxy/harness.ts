import { createHash } from 'node:crypto'
import type { ToolListing } from '../../src/runtime/tool-definitions.ts'
import type { ChannelEvents, CloseReason } from '../../src/transport/channel.ts'
import { noPins } from '../../src/mcp/pins.ts'
import type { Pins } from '../../src/mcp/pins.ts'
import { Session } from '../../src/proxy/session.ts'
import type {
  CallGate,
  CallOutcome,
  CallVerdict,
  GatedCall,
  GatedMethod,
  MethodVerdict,
  Refusal,
} from '../../src/proxy/context.ts'

/** A JSON-RPC message as a test reads it. */
export interface Message {
  readonly id?: string | number | null
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly code: number; readonly message: string }
}

/** A server that a test plays by hand. */
export class FakeServer {
  /** Every message that reached it, in order, as bytes were sent. */
  readonly lines: string[] = []
  starts = 0
  isPaused = false
  keepsUp = true
  backlogBytes = 0
  /** Answers by itself what a server answers to everybody; a test can take it away. */
  auto: ((message: Message) => unknown) | undefined
  #events: ChannelEvents | undefined

  open = (events: ChannelEvents) => {
    this.starts += 1
    this.#events = events
    const backlog = (): number => this.backlogBytes
    return {
      send: (...pieces: readonly Uint8Array[]) => {
        this.lines.push(Buffer.concat(pieces).toString())
        const answer = this.auto?.(this.last)
        if (answer !== undefined) queueMicrotask(() => this.say(answer))
        return this.keepsUp
      },
      pause: () => {
        this.isPaused = true
      },
      resume: () => {
        this.isPaused = false
      },
      stop: () => Promise.resolve(),
      get backlogBytes() {
        return backlog()
      },
    }
  }

  get messages(): readonly Message[] {
    return this.lines.map((line) => JSON.parse(line) as Message)
  }

  get last(): Message {
    return JSON.parse(this.lines.at(-1) ?? '{}') as Message
  }

  /** The calls that arrived, by their arguments. */
  get calls(): readonly Message[] {
    return this.messages.filter(({ method }) => method === 'tools/call')
  }

  say(message: unknown): void {
    this.raw(typeof message === 'string' ? message : JSON.stringify(message))
  }

  raw(line: string): void {
    this.#events?.onMessage(Buffer.from(line))
  }

  drain(): void {
    this.keepsUp = true
    this.backlogBytes = 0
    this.#events?.onDrain()
  }

  /** A message over the limit, of which these pieces came; without an end it goes on. */
  oversize(bytes: number, ...pieces: readonly (string | undefined)[]): void {
    this.#events?.onOversize(bytes)
    for (const piece of pieces) {
      this.#events?.onOversizePart?.(piece === undefined ? undefined : Buffer.from(piece))
    }
  }

  exit(reason: CloseReason = { code: 1, signal: null }): void {
    this.#events?.onClose(reason)
  }
}

/** A gate that a test plays by hand: calls wait until it says. */
export class FakeGate implements CallGate {
  readonly judged: GatedCall[] = []
  readonly refusals: Refusal[] = []
  readonly outcomes: CallOutcome[] = []
  readonly listings: ToolListing[] = []
  #waiting: ((verdict: CallVerdict) => void)[] = []
  /** What becomes of a call at once; undefined: it waits for `allow` or `block`. */
  policy: ((call: GatedCall) => 'allow' | 'deny' | undefined) | undefined = () => 'allow'

  judge(call: GatedCall): Promise<CallVerdict> {
    this.judged.push(call)
    const answer = this.policy?.(call)
    if (answer !== undefined) return Promise.resolve(this.#verdict(answer))
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Requests that are no tool calls; they pass, unless a test says why not. */
  readonly methods: GatedMethod[] = []
  readonly methodOutcomes: CallOutcome[] = []
  methodRefusal: string | undefined

  judgeMethod(call: GatedMethod): Promise<MethodVerdict> {
    this.methods.push(call)
    return Promise.resolve(
      this.methodRefusal === undefined
        ? { kind: 'forward', settle: (outcome) => void this.methodOutcomes.push(outcome) }
        : { kind: 'blocked', error: { code: 41_001, message: this.methodRefusal } },
    )
  }

  /** Decides the oldest call that waits, or the one at `index`. */
  decide(answer: 'allow' | 'deny', index = 0): void {
    const [resolve] = this.#waiting.splice(index, 1)
    resolve?.(this.#verdict(answer))
  }

  refused(refusal: Refusal): void {
    this.refusals.push(refusal)
  }

  refusedArguments(message: string): string {
    return JSON.stringify({ content: [{ type: 'text', text: message }], isError: true })
  }

  listed(listing: ToolListing): void {
    this.listings.push(listing)
  }

  #verdict(answer: 'allow' | 'deny'): CallVerdict {
    if (answer === 'deny') return { kind: 'blocked', resultText: '{"content":[],"isError":true}' }
    return { kind: 'forward', settle: (outcome) => void this.outcomes.push(outcome) }
  }
}

export interface Harness {
  readonly session: Session
  readonly gate: FakeGate
  readonly servers: Readonly<Record<string, FakeServer>>
  /** What the client got, in order, as bytes were sent. */
  readonly lines: string[]
  readonly logs: string[]
  readonly congestion: boolean[]
  readonly send: (message: unknown) => void
  readonly received: () => readonly Message[]
  readonly answerTo: (id: string | number) => Message | undefined
  readonly settle: () => Promise<void>
}

/** A session between a client and servers that a test plays by hand; `names` with a prefix each when several. */
export function harness(
  names: readonly string[] = ['solo'],
  unknownMethods: 'deny' | 'forward' = 'deny',
  pins: Pins = noPins,
): Harness {
  const lines: string[] = []
  const logs: string[] = []
  const congestion: boolean[] = []
  const gate = new FakeGate()
  const servers = Object.fromEntries(names.map((name) => [name, new FakeServer()]))
  const session = new Session({
    downstream: { send: (_about, ...pieces) => void lines.push(Buffer.concat(pieces).toString()) },
    servers: Object.entries(servers).map(([name, server]) => ({
      name,
      prefix: names.length > 1 ? `${name}__` : '',
      open: server.open,
      backoff: { waitMs: () => 0, started: () => undefined, ended: () => undefined },
    })),
    gate,
    unknownMethods,
    endpointKey: 'capfence',
    software: { name: 'capfence', version: '0' },
    hash: (text) => createHash('sha256').update(text).digest('hex'),
    hashDefinition: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    cursorKey: Buffer.alloc(32, 7),
    pins,
    onCongestion: (congested) => void congestion.push(congested),
    log: (text) => void logs.push(text),
  })
  const received = (): readonly Message[] => lines.map((line) => JSON.parse(line) as Message)
  return {
    session,
    gate,
    servers,
    lines,
    logs,
    congestion,
    send: (message) =>
      session.receive(Buffer.from(typeof message === 'string' ? message : JSON.stringify(message))),
    received,
    answerTo: (id) =>
      received().find((message) => message.id === id && message.method === undefined),
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  }
}

let lastId = 1000

/** A request of a client with an id that no other has. */
export function request(
  method: string,
  params?: unknown,
  id: string | number = (lastId += 1),
): {
  readonly id: string | number
} {
  return { jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) } as {
    readonly id: string | number
  }
}

export const initialize = {
  protocolVersion: '2025-11-25',
  capabilities: { sampling: {}, roots: {}, elicitation: {} },
  clientInfo: { name: 'test', version: '1' },
}

/** A server's reply. */
export const reply = (id: unknown, result: unknown = {}): unknown => ({
  jsonrpc: '2.0',
  id,
  result,
})

/** A client and one server that have shaken hands. */
export async function shaken(): Promise<Harness> {
  const all = harness()
  const { solo } = all.servers
  all.send(request('initialize', initialize, 0))
  solo?.say(
    reply(solo.last.id, {
      protocolVersion: '2025-11-25',
      capabilities: { tools: { listChanged: true } },
    }),
  )
  all.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await all.settle()
  return all
}
