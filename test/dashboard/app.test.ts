import { describe, expect, onTestFinished, test } from 'vitest'
import { TestLog } from '../cli/a-log.ts'
import { TestPage } from './a-page.ts'

const policy = `version: 1
require_approval:
  - { id: pay, capability: payment.execute.high_value }
  - { id: keyed, capability: filesystem.delete.workspace, approval: { presence: key } }
allow:
  - { id: read, capability: filesystem.read.workspace }
`

async function logged(): Promise<TestLog> {
  const log = new TestLog({ policy })
  // A question is as old as a test can make it: answers are given by the machine's own clock.
  log.now(Date.now() - 60_000)
  onTestFinished(async () => {
    await log.end()
    log.remove()
  })
  return log
}

interface Listed {
  readonly id: string
  readonly state: string
  readonly argumentsText: string
}

async function listed(page: TestPage): Promise<readonly Listed[]> {
  const { status, text } = await page.get('/api/approvals?all=1')
  expect(status).toBe(200)
  return JSON.parse(text) as readonly Listed[]
}

const pay = { tool: 'execute_payment', arguments: { amount: 1, to: 'ACME' } }

describe('who may look', () => {
  const readings = [
    ...['overview', 'entries', 'records/0', 'approvals', 'approvals/apr_1', 'budgets', 'rules'],
    ...['health', 'events', 'session', 'approvers', 'grants'],
  ]

  test.each(readings)('without a cookie /api/%s says nothing', async (path) => {
    const page = await TestPage.over({ storage: (await logged()).path })
    const { status, text } = await page.get(`/api/${path}`)
    expect(status).toBe(401)
    expect(text).toContain('nobody is signed in')
  })

  test('a cookie that was not given out, or was given for another port, is none', async () => {
    const page = await TestPage.over({ storage: (await logged()).path })
    await page.signIn()
    const cookie = page.own['cookie'] ?? ''
    for (const wrong of [`${cookie}x`, cookie.replace(String(page.port), '1'), 'capfence-page=x']) {
      const answer = await page.send('GET', '/api/health', undefined, {
        ...page.own,
        cookie: wrong,
      })
      expect(answer.status).toBe(401)
    }
    expect((await page.get('/api/health')).status).toBe(200)
  })

  test('the cookie is for this page alone, and no script reads it', async () => {
    const page = await TestPage.over({ storage: (await logged()).path })
    const answer = await page.post('/api/session', { code: page.sessions.newCode() })
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^capfence-page-\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
    )
  })

  test('a wrong code lets nobody in, and five of them end the right one', async () => {
    const page = await TestPage.over({ storage: (await logged()).path })
    const code = page.sessions.newCode()
    for (let tried = 0; tried < 5; tried += 1) {
      expect((await page.post('/api/session', { code: 'A'.repeat(43) })).status).toBe(401)
    }
    expect((await page.post('/api/session', { code })).status).toBe(401)
  })

  test('who signed out is out', async () => {
    const page = await TestPage.over({ storage: (await logged()).path })
    await page.signIn()
    expect((await page.post('/api/sign-out', {})).status).toBe(200)
    expect((await page.get('/api/health')).status).toBe(401)
  })

  test('B13: every answer forbids frames, foreign scripts, caches and referrers', async () => {
    const page = await TestPage.over({ storage: (await logged()).path })
    for (const path of ['/', '/page.js', '/api/health', '/nothing']) {
      const { headers } = await page.get(path)
      expect(headers['content-security-policy']).toMatch(
        /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'; base-uri 'none'$/,
      )
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      })
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  test('only the files of the page are served', async () => {
    const page = await TestPage.over({ storage: (await logged()).path })
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '/verify.html',
      '/index.html',
    ]) {
      expect((await page.get(path)).status).toBe(404)
    }
  })
})

describe('nothing is approved for another page (CLIENTS.md 5)', () => {
  test.each<readonly [name: string, headers: Readonly<Record<string, string>>]>([
    ['DNS rebinding', { host: 'evil.example', origin: 'http://evil.example' }],
    ['a form of another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    [
      'another port of this machine',
      { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site' },
    ],
    ['a form on this page’s own host', { 'content-type': 'text/plain' }],
    ['no word of where it comes from', { 'sec-fetch-site': '' }],
    ['no word of the page', { 'x-capfence-page': '' }],
    ['another’s word of the page', { 'x-capfence-page': 'A'.repeat(43) }],
    ['nobody’s cookie', { cookie: '' }],
  ])('%s', async (_name, headers) => {
    const log = await logged()
    await log.call(pay)
    const page = await TestPage.over({ storage: log.path })
    await page.signIn()
    const [request] = await listed(page)
    const path = `/api/approvals/${request?.id ?? ''}`
    const own = { ...page.own, ...headers }
    const answer = await page.send('POST', path, { verdict: 'approve' }, own)
    expect([401, 403, 415]).toContain(answer.status)
    expect((await listed(page)).map(({ state }) => state)).toEqual(['pending'])
    const taken = await page.post(path, { verdict: 'approve' })
    expect(taken.status).toBe(200)
  })
})

describe('what the page does', () => {
  test('an approval is one of the page, for once', async () => {
    const log = await logged()
    await log.call(pay)
    const page = await TestPage.over({ storage: log.path })
    await page.signIn()
    const [request] = await listed(page)
    const answer = await page.post(`/api/approvals/${request?.id ?? ''}`, { verdict: 'approve' })
    expect(JSON.parse(answer.text)).toMatchObject({ verdict: 'approve', presence: 'any', uses: 1 })
    expect((await listed(page)).map(({ state }) => state)).toEqual(['approved'])
  })

  test('a denial is one, and what was denied cannot be approved', async () => {
    const log = await logged()
    await log.call(pay)
    const page = await TestPage.over({ storage: log.path })
    await page.signIn()
    const [request] = await listed(page)
    const path = `/api/approvals/${request?.id ?? ''}`
    expect((await page.post(path, { verdict: 'deny' })).status).toBe(200)
    expect((await page.post(path, { verdict: 'approve' })).status).toBe(409)
    expect((await listed(page)).map(({ state }) => state)).toEqual(['denied'])
  })

  test('what a key has to sign, the page cannot approve', async () => {
    const log = await logged()
    await log.call({ tool: 'delete_path', arguments: { path: '/a' } })
    const page = await TestPage.over({ storage: log.path })
    await page.signIn()
    const [request] = await listed(page)
    const path = `/api/approvals/${request?.id ?? ''}`
    const answer = await page.post(path, { verdict: 'approve' })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect((await listed(page)).map(({ state }) => state)).toEqual(['pending'])
  })

  const [someKey, part] = ['0'.repeat(64), 'AAAA']
  const assertion = { authenticatorData: part, clientDataJSON: part, signature: part }

  test.each<readonly [name: string, path: string, body: unknown]>([
    ['a passkey of nobody', 'statement', { verdict: 'approve', passkey: someKey }],
    ['no passkey', 'statement', { verdict: 'approve' }],
    ['a passkey that is none', 'statement', { verdict: 'approve', passkey: 'alice' }],
    ['a signature of nobody', 'signed', { ...assertion, passkey: someKey, payload: part }],
    ['no signature', 'signed', { passkey: someKey, payload: part }],
    ['bytes in another spelling', 'signed', { ...assertion, passkey: someKey, payload: 'AB==' }],
    ['a name more', 'signed', { ...assertion, passkey: someKey, payload: part, key: part }],
  ])('%s approves nothing', async (_name, path, body) => {
    const log = await logged()
    await log.call(pay)
    const page = await TestPage.over({ storage: log.path })
    await page.signIn()
    const [request] = await listed(page)
    const answer = await page.post(`/api/approvals/${request?.id ?? ''}/${path}`, body)
    expect([400, 409]).toContain(answer.status)
    expect((await listed(page)).map(({ state }) => state)).toEqual(['pending'])
    expect(page.failures).toEqual([])
  })

  test.each<readonly [name: string, body: unknown]>([
    ['no JSON', 'verdict=approve'],
    ['a name twice', '{"verdict":"deny","verdict":"approve"}'],
    ['a list', []],
    ['no verdict', {}],
    ['another verdict', { verdict: 'APPROVE' }],
    ['a name that is not known', { verdict: 'approve', as: 'alice' }],
    ['minutes that are none', { verdict: 'approve', minutes: '10' }],
    ['half a minute', { verdict: 'approve', minutes: 0.5 }],
    ['no minutes', { verdict: 'approve', minutes: 0 }],
    ['too many minutes', { verdict: 'approve', minutes: 9999 }],
    ['a session that is none', { verdict: 'approve', session: 'yes' }],
  ])('an answer with %s is refused, and the call still waits', async (_name, body) => {
    const log = await logged()
    await log.call(pay)
    const page = await TestPage.over({ storage: log.path })
    await page.signIn()
    const [request] = await listed(page)
    const answer = await page.post(`/api/approvals/${request?.id ?? ''}`, body)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect((await listed(page)).map(({ state }) => state)).toEqual(['pending'])
  })

  test('a request that is not there is not found, and one that is too long is not read', async () => {
    const page = await TestPage.over({ storage: (await logged()).path })
    await page.signIn()
    expect((await page.post('/api/approvals/apr_none', { verdict: 'deny' })).status).toBe(404)
    expect((await page.post('/api/approvals/a', 'x'.repeat(16_385))).status).toBe(413)
    expect(page.failures).toEqual([])
  })
})
