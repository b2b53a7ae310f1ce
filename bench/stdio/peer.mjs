// A client that writes lines and counts replies, with as little of its own as possible.
import { spawn } from 'node:child_process'

const newline = 10

/** Starts a command and speaks to it. */
export class Peer {
  #waiting = new Map()
  #parts = []
  #lastId = 0

  constructor([command, ...args], options = {}) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', options.stderr ?? 'ignore'] })
    this.child.stdout.on('data', (chunk) => this.#receive(chunk))
    this.child.stdin.on('error', () => undefined)
  }

  /** Resolves with the reply's text. */
  request(method, params) {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    })
  }

  async initialize() {
    const reply = await this.request('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'bench', version: '1' },
    })
    this.child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    return reply
  }

  call(name, args) {
    return this.request('tools/call', { name, arguments: args })
  }

  async close() {
    const gone = new Promise((resolve) => {
      this.child.once('exit', resolve)
    })
    this.child.stdin.end()
    await gone
  }

  #receive(chunk) {
    let from = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      this.#parts.push(chunk.subarray(from, at))
      this.#line(this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts))
      this.#parts = []
      from = at + 1
    }
    if (from < chunk.length) this.#parts.push(chunk.subarray(from))
  }

  #line(line) {
    // The id stands in the first or the last 60 bytes; a large result is not parsed here.
    const ends = `${line.subarray(0, 60).toString('latin1')} ${line.subarray(-60).toString('latin1')}`
    const id = Number(/"id":\s*(\d+)/.exec(ends)?.[1])
    const resolve = this.#waiting.get(id)
    this.#waiting.delete(id)
    resolve?.(line)
  }
}
