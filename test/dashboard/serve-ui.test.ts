import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { journalLines, layOut } from '../e2e/gate.ts'
import { RawHttp, startServe } from '../e2e/serve.ts'
import { noTerminal } from '../support/terminal.ts'
import { TerminalPage } from './a-browser.ts'

const policy = 'version: 1\nrequire_approval:\n  - { id: pay, capability: ops.*.development }\n'
const payment = { amount: 5, currency: 'EUR', recipient: 'ACME' }

interface Sent {
  readonly status: number
  readonly text: string
  readonly cookie: string
}

/** Sends what the page's own script sends. */
function fromPage(
  origin: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const own = {
      Origin: origin,
      'Sec-Fetch-Site': 'same-origin',
      'Content-Type': 'application/json',
    }
    const options = { method: 'POST', headers: { ...own, ...headers } }
    const one = request(new URL(path, origin), options, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => {
        const [cookie = ''] = (response.headers['set-cookie']?.[0] ?? '').split(';')
        resolve({ status: response.statusCode ?? 0, text, cookie })
      })
    })
    one.on('error', reject)
    one.end(JSON.stringify(body))
  })
}

describe.skipIf(noTerminal)('capfence serve --ui', () => {
  test('B12: a call waits at one port, is approved at the other, and passes once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'capfence-serve-ui-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const files = layOut(folder, { servers: { ops: 'ops' }, policy })
    const flags = ['--port', '0', '--config', files.config]
    const terminal = new TerminalPage(flags, ['serve', '--ui'])
    const link = new URL(await terminal.link())
    const [, mcp = ''] = /(http:\/\/127\.0\.0\.1:\d+\/mcp)\s/.exec(terminal.shown) ?? []
    expect(new URL(mcp).port).not.toBe(link.port)

    const client = new RawHttp(mcp, readFileSync(`${files.database}.token`, 'utf8').trim())
    await client.initialize()
    const pay = async (): Promise<Record<string, unknown>> => {
      const { result } = await client.call('execute_payment', payment)
      const meta = (result?.['_meta'] ?? {}) as Record<string, Record<string, unknown>>
      return meta['dev.capfence/decision'] ?? {}
    }
    const { approvalId } = await pay()
    const path = `/api/approvals/${String(approvalId)}`
    const answer = { verdict: 'approve' }
    // On the port of the agents there is nothing of the kind, whatever they bring.
    const there = await fromPage(new URL(mcp).origin, path, answer, client.headers)
    expect(there.status).toBe(404)

    const code = { code: link.hash.replace('#code=', '') }
    const session = await fromPage(link.origin, '/api/session', code)
    const { csrf } = JSON.parse(session.text) as { csrf: string }
    // A token of an agent is no way into the page.
    expect((await fromPage(link.origin, path, answer, client.headers)).status).toBe(401)
    const named = { Cookie: session.cookie, 'X-Capfence-Page': csrf }
    expect(await fromPage(link.origin, path, answer, named)).toMatchObject({ status: 200 })
    expect(await pay()).toEqual({})
    expect(journalLines(files.journal('ops'))).toHaveLength(1)
    expect(await pay()).toMatchObject({ decision: 'require_approval' })
  })
})

test('without a terminal the gate is served and the page is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-serve-ui-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const gate = await startServe(layOut(folder, { servers: { ops: 'ops' } }), '--ui')
  await expect.poll(() => gate.stderr()).toContain('a terminal only')
  expect(gate.stderr()).not.toContain('code=')
  expect(await gate.stop()).toBe(0)
})
