// A client over Streamable HTTP with as little of its own as possible: connections stay open, nothing is parsed.
import { Agent, request } from 'node:http'

/** Speaks to a server of the revisions with sessions. */
export class HttpPeer {
  #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  #url
  #headers
  #lastId = 0

  /**
   * @param {string} url
   * @param {Record<string, string>} headers
   */
  constructor(url, headers = {}) {
    this.#url = new URL(url)
    this.#headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    }
  }

  async initialize() {
    const params = {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'bench', version: '1' },
    }
    const { session } = await this.#post({ id: 0, method: 'initialize', params })
    if (session !== undefined) this.#headers['mcp-session-id'] = session
    this.#headers['mcp-protocol-version'] = '2025-06-18'
    await this.#post({ method: 'notifications/initialized' })
  }

  /** Resolves with the bytes of the answer, and fails where it is none. */
  async call(name, args) {
    this.#lastId += 1
    const id = this.#lastId
    const { status, body } = await this.#post({
      id,
      method: 'tools/call',
      params: { name, arguments: args },
    })
    const ends = `${body.subarray(0, 120).toString('latin1')} ${body.subarray(-60).toString('latin1')}`
    if (status !== 200 || !new RegExp(`"id":\\s*${String(id)}\\b`).test(ends)) {
      throw new Error(`no answer to call ${String(id)}: ${String(status)} ${ends.slice(0, 300)}`)
    }
    return body
  }

  close() {
    this.#agent.destroy()
  }

  #post(message) {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    const headers = { ...this.#headers, 'content-length': Buffer.byteLength(text) }
    return new Promise((resolve, reject) => {
      const one = request(
        this.#url,
        { method: 'POST', headers, agent: this.#agent },
        (response) => {
          const parts = []
          response.on('data', (chunk) => parts.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const session = response.headers['mcp-session-id']
            resolve({ status: response.statusCode, session, body: Buffer.concat(parts) })
          })
        },
      )
      one.on('error', reject)
      one.end(text)
    })
  }
}
