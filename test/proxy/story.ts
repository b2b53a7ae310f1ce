import { expect } from 'vitest'
import { reply, request } from './harness.ts'
import type { FakeServer, Harness, Message } from './harness.ts'

/** One thing that a client, the gate's decider or a server does. */
export type Step =
  | { readonly kind: 'call'; readonly id: number; readonly server: number; readonly text: boolean }
  | { readonly kind: 'cancel'; readonly id: number; readonly text: boolean }
  | { readonly kind: 'ask'; readonly id: number; readonly method: string }
  | { readonly kind: 'broken'; readonly at: number; readonly byte: number; readonly cut: boolean }
  | { readonly kind: 'decide'; readonly index: number; readonly allow: boolean }
  | {
      readonly kind: 'reply'
      readonly server: number
      readonly index: number
      readonly how: number
    }
  | { readonly kind: 'stray'; readonly server: number; readonly how: number; readonly id: number }
  | { readonly kind: 'question'; readonly server: number; readonly id: number }
  | { readonly kind: 'answer'; readonly index: number; readonly wrong: boolean }
  | { readonly kind: 'exit'; readonly server: number }
  | { readonly kind: 'wait' }

/** One story: who plays, and what is on the books. */
export class Story {
  readonly #all: Harness
  readonly #servers: readonly FakeServer[]
  readonly #isSole: boolean
  /** Marks of calls, by the id under which the client sent them; in the order of sending. */
  readonly sent: {
    readonly id: string | number
    readonly mark: string
    readonly server: number
  }[] = []
  /** How often the client has used an id for a request that asks for an answer. */
  readonly asked = new Map<string, number>()
  readonly allowed = new Set<string>()
  /** How many requests under an id the client has taken back before they were answered. */
  readonly #takenBack = new Map<string, number>()
  /** Ids of messages that may be requests: whether an answer is due, nobody can say. */
  readonly #doubtful = new Set<string>()
  /** By server: how many of its lines have been answered or belong to an earlier life of it. */
  readonly #done = new Map<FakeServer, Set<number>>()
  readonly #exits = new Map<FakeServer, number>()
  /** Marks of the calls that the gate has not decided. */
  readonly #undecided: string[] = []
  #judged = 0
  #lastMark = 0

  constructor(all: Harness, servers: readonly FakeServer[]) {
    this.#all = all
    this.#servers = servers
    this.#isSole = servers.length === 1
    all.gate.policy = undefined
  }

  async take(one: Step): Promise<void> {
    switch (one.kind) {
      case 'call':
        return this.#call(one.text ? `x${one.id}` : one.id, one.server)
      case 'cancel':
        return this.#cancel(one.text ? `x${one.id}` : one.id)
      case 'ask':
        return this.#ask(one.method, `x${one.id}`)
      case 'broken':
        return this.#broken(one)
      case 'decide':
        return this.#decide(one.index, one.allow)
      case 'reply':
        return this.#reply(this.#serverAt(one.server), one.index, one.how)
      case 'stray':
        return this.#stray(this.#serverAt(one.server), one.how, one.id)
      case 'question':
        return this.#question(this.#serverAt(one.server), one.id)
      case 'answer':
        return this.#answer(one.index, one.wrong)
      case 'exit':
        return this.#exit(this.#serverAt(one.server))
      case 'wait':
        return this.#all.settle()
    }
  }

  /** Decides and answers whatever waits, until nothing does. */
  async finish(): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      for (let left = this.#all.gate.judged.length; left > 0; left -= 1) this.#decide(0, true)
      // oxlint-disable-next-line no-await-in-loop -- each round answers what the one before let through
      await this.#all.settle()
      for (const one of this.#servers)
        for (let left = 30; left > 0; left -= 1) this.#reply(one, 0, 0)
    }
  }

  /** What must hold whatever has happened. */
  check(): void {
    const arrived = this.#servers.map((one) => one.lines.flatMap(marksIn))
    for (const line of [...this.#all.lines, ...this.#servers.flatMap(({ lines }) => lines)]) {
      expect(line, 'one message is one line').not.toMatch(/[\n\r]/)
      expect((JSON.parse(line) as { jsonrpc?: unknown }).jsonrpc).toBe('2.0')
    }
    this.#checkArrivals(arrived)
    this.#checkAnswers()
    // Each call that the gate let pass ends once in the log, however it ended.
    expect(this.#all.gate.outcomes).toHaveLength(this.allowed.size)
    expect(
      this.#all.logs.filter((text) => text.startsWith('bug')),
      'no bug',
    ).toEqual([])
  }

  #checkArrivals(arrived: readonly (readonly string[])[]): void {
    const all = arrived.flat()
    expect(new Set(all).size, 'no call arrives twice').toBe(all.length)
    for (const mark of all) expect(this.allowed, 'what arrives was allowed').toContain(mark)
    arrived.forEach((marks, index) => {
      const inOrder = this.sent.filter(({ mark }) => marks.includes(mark))
      expect(
        inOrder.map(({ mark }) => mark),
        'calls keep their order (B29)',
      ).toEqual(marks)
      if (!this.#isSole) {
        expect(
          inOrder.every(({ server: meant }) => meant === index),
          'to the server that was meant',
        ).toBe(true)
      }
    })
  }

  #checkAnswers(): void {
    const answers = this.#answers()
    const ids = new Set([...this.asked.keys(), ...answers.map(({ id }) => keyOf(id))])
    for (const id of ids) {
      const given = answers.filter((answer) => keyOf(answer.id) === id).length
      const due = (this.asked.get(id) ?? 0) - (this.#takenBack.get(id) ?? 0)
      if (this.#doubtful.has(id)) expect(given, `answers under ${id}`).toBeLessThanOrEqual(due)
      else expect(given, `answers under ${id}`).toBe(due)
    }
    // B23: what a client reads under an id came from a server as the answer to a call of that id.
    for (const { id, result } of answers) {
      const [mark] = marksIn(JSON.stringify(result ?? null))
      if (mark === undefined) continue
      expect(
        this.sent.some((call) => call.mark === mark && call.id === id),
        'no result of another call',
      ).toBe(true)
    }
  }

  #answers(): readonly Message[] {
    return this.#all.received().filter(({ method, id }) => method === undefined && id !== null)
  }

  /** Requests under this id that were neither answered nor taken back. */
  #open(id: string): number {
    const given = this.#answers().filter((answer) => keyOf(answer.id) === id).length
    return (this.asked.get(id) ?? 0) - (this.#takenBack.get(id) ?? 0) - given
  }

  /** Sends a request; while another has its id, it must be refused at once. */
  #send(message: { readonly id: string | number }): void {
    const id = keyOf(message.id)
    const isTaken = this.#open(id) > 0
    const before = this.#answers().length
    this.asked.set(id, (this.asked.get(id) ?? 0) + 1)
    this.#all.send(message)
    if (!isTaken || this.#doubtful.has(id)) return
    const [refused, ...more] = this.#answers().slice(before)
    expect(refused, 'a second request under an id in flight is refused').toMatchObject({
      id: message.id,
      error: {},
    })
    expect(more).toEqual([])
  }

  #serverAt(index: number): FakeServer {
    const one = this.#servers[index % this.#servers.length]
    if (one === undefined) throw new Error('a story has a server')
    return one
  }

  #call(id: string | number, at: number): void {
    const mark = `mark-${(this.#lastMark += 1)}.`
    const index = at % this.#servers.length
    this.sent.push({ id, mark, server: index })
    const name = this.#isSole ? 'work' : `${['a', 'b'][index] ?? ''}__work`
    this.#send(request('tools/call', { name, arguments: { mark } }, id))
  }

  #cancel(id: string | number): void {
    const key = keyOf(id)
    if (this.#open(key) > 0) this.#takenBack.set(key, (this.#takenBack.get(key) ?? 0) + 1)
    this.#all.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
  }

  #ask(method: string, id: string): void {
    const params =
      method === 'prompts/get'
        ? { name: 'p' }
        : method === 'logging/setLevel'
          ? { level: 'info' }
          : {}
    this.#send(request(method, params, id))
  }

  /** A call with one byte changed or everything behind it cut off; nobody can say which id its answer has. */
  #broken({ at, byte, cut }: Extract<Step, { kind: 'broken' }>): void {
    const name = this.#isSole ? 'work' : 'a__work'
    const sound = request('tools/call', { name, arguments: { broken: true } }, 'broken')
    const bytes = Buffer.from(JSON.stringify(sound))
    const place = at % bytes.length
    const broken = cut ? bytes.subarray(0, place) : Buffer.from(bytes)
    if (!cut) broken[place] = byte
    this.#all.session.receive(broken)
    const [, id] = /"id":("[^"]*"|-?\d+)/.exec(broken.toString('utf8')) ?? []
    if (id === undefined) return
    this.asked.set(id, (this.asked.get(id) ?? 0) + 1)
    this.#doubtful.add(id)
  }

  #decide(index: number, allow: boolean): void {
    for (const { arguments: given } of this.#all.gate.judged.slice(this.#judged)) {
      this.#undecided.push(marksIn(JSON.stringify(given))[0] ?? `broken ${this.#judged}`)
      this.#judged += 1
    }
    const [mark] = this.#undecided.splice(index, 1)
    if (mark === undefined) return
    if (allow) this.allowed.add(mark)
    this.#all.gate.decide(allow ? 'allow' : 'deny', index)
  }

  /** A server answers its `index`th request that it has not answered; the well-behaved ways settle it. */
  #reply(one: FakeServer, index: number, how: number): void {
    if (!this.#runs(one)) return
    const done = this.#doneAt(one)
    const waiting = [...one.messages.entries()].filter(
      ([at, { id, method }]) =>
        !done.has(at) && id !== undefined && method !== undefined && !byItself.has(method),
    )
    const [at, asked] = waiting[index] ?? []
    if (at === undefined || asked === undefined) return
    const [mark = 'none'] = marksIn(JSON.stringify(asked))
    for (const line of repliesOf(asked.id, mark, how)) one.raw(line)
    if (!unsettling.has(how)) done.add(at)
  }

  #exit(one: FakeServer): void {
    if (!this.#runs(one)) return
    this.#exits.set(one, one.starts)
    const done = this.#doneAt(one)
    for (const at of one.lines.keys()) done.add(at)
    one.exit()
  }

  #runs(one: FakeServer): boolean {
    return one.starts > (this.#exits.get(one) ?? 0)
  }

  #doneAt(one: FakeServer): Set<number> {
    const done = this.#done.get(one) ?? new Set()
    this.#done.set(one, done)
    return done
  }

  #stray(one: FakeServer, how: number, id: number): void {
    if (this.#runs(one)) one.raw(strays(id)[how] ?? '')
  }

  #question(one: FakeServer, id: number): void {
    if (!this.#runs(one)) return
    one.say(request('sampling/createMessage', { messages: [], maxTokens: 1 }, id))
  }

  #answer(index: number, wrong: boolean): void {
    const questions = this.#all
      .received()
      .filter(({ method }) => method === 'sampling/createMessage')
    const id = questions[index % Math.max(1, questions.length)]?.id
    if (id !== undefined) this.#all.send(reply(wrong ? String(id) : id, { role: 'user' }))
  }
}

const keyOf = (id: unknown): string => JSON.stringify(id)
const marksIn = (line: string): readonly string[] => line.match(/mark-\d+\./g) ?? []

/** What the servers of a story answer without being told. */
const byItself: ReadonlySet<string> = new Set(['initialize', 'tools/list'])
/** Ways to answer after which the request may still wait. */
const unsettling: ReadonlySet<number> = new Set([6, 7, 9])

/** An answer, and ways to answer badly. */
function repliesOf(id: unknown, mark: string, how: number): readonly string[] {
  const result = { content: [{ type: 'text', text: mark }] }
  const good = { jsonrpc: '2.0', id, result }
  const text = JSON.stringify(good)
  const progress = { progressToken: id, progress: 1 }
  switch (how) {
    case 1:
      return [text, text]
    case 2:
      return [JSON.stringify({ ...good, id: String(id) }), text]
    case 3:
      return [text.slice(0, -1), text]
    case 4:
      return [`[${text}]`, text]
    case 5:
      return [JSON.stringify({ jsonrpc: '2.0', id, error: { code: -1, message: 'no' } })]
    case 6:
      return [text.replace('"id"', '"id":null,"id"')]
    case 7:
      return [JSON.stringify({ ...good, error: { code: 1, message: 'both' } })]
    case 8:
      return [
        JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: progress }),
        text,
      ]
    case 9:
      return [text.replace(/("id":\d+)/, '$1.0')]
    default:
      return [text]
  }
}

/** What a server may say that nobody has asked for. */
function strays(id: number): readonly string[] {
  return [
    '',
    'null',
    '[]',
    '{',
    '"text"',
    '{"jsonrpc":"2.0"}',
    JSON.stringify(reply(id + 1000)),
    JSON.stringify(reply(`${id}`)),
    JSON.stringify(reply(null)),
    JSON.stringify({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }),
    JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: id },
    }),
    JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: id, progress: 1 },
    }),
    JSON.stringify(request('tools/call', { name: 'work', arguments: {} }, id)),
    `{"jsonrpc":"2.0","id":${id},"method":"ping","params":${'['.repeat(200)}${']'.repeat(200)}}`,
  ]
}
