import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { cli } from '../support/dist.ts'
import type { Scene } from './a-browser.ts'
import { keepPicture, narrow, noBrowser, opened, setScene, startBrowser } from './a-browser.ts'

const policy = `version: 1
require_approval:
  - { id: pay, capability: ops.execute_payment.development, message: "payments need a person" }
deny:
  - { id: never, capability: ops.delete_path.development }
budgets:
  - { id: spent, limit: 500, window: 1h, from: [{ capability: ops.execute_payment.development, sum: /amount }] }
`
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const payment = { amount: 100.00000000000001, currency: 'EUR', recipient: 'ACME\u202E' }
const views = [
  'overview',
  'approvals',
  'grants',
  'decisions',
  'rules',
  'limits',
  'log',
  'proof',
] as const

let browser: Browser
beforeAll(async () => {
  if (!noBrowser) browser = await startBrowser()
})
afterAll(async () => {
  if (!noBrowser) await browser.close()
})

async function goTo(page: Page, view: (typeof views)[number]): Promise<void> {
  const name = view.charAt(0).toUpperCase() + view.slice(1)
  await page.getByRole('link', { name }).click()
}

const pay = async (scene: Scene): Promise<unknown> =>
  decisionOf(await scene.client.call('execute_payment', payment))

function decisionOf({ result }: { readonly result?: Record<string, unknown> }): unknown {
  const meta = (result?.['_meta'] ?? {}) as Record<string, { readonly decision?: string }>
  return meta['dev.capfence/decision']?.decision
}

describe.skipIf(noBrowser)('the page in a browser', () => {
  test('shows a call that waits as it comes, and lets it pass once when it is approved', async () => {
    const scene = await setScene(policy)
    const page = await opened(browser, scene)
    // The code stands neither in the address nor in the history.
    expect(page.url()).toMatch(/^http:\/\/localhost:\d+\/#\/overview$/)
    await goTo(page, 'approvals')
    await page.getByText('no call waits').waitFor()

    expect(await pay(scene)).toBe('require_approval')
    await page.getByRole('heading', { name: 'ops.execute_payment' }).waitFor()
    // Every digit, and what would turn the text around as an escape.
    const shown = await page.getByLabel('arguments').textContent()
    expect(shown).toContain('"amount": 100.00000000000001,')
    expect(shown).toContain('"recipient": "ACME\\u202e"')
    expect(await page.title()).toMatch(/^\(1\) Approvals/)
    await keepPicture(page, 'page-approvals')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByText('no call waits').waitFor()

    expect(await pay(scene)).toBeUndefined()
    expect(await pay(scene)).toBe('require_approval')
  })

  test('a denial is an answer, and the receipt shows it', async () => {
    const scene = await setScene(policy)
    const page = await opened(browser, scene)
    await pay(scene)
    await goTo(page, 'approvals')
    await page.getByRole('button', { name: 'Deny' }).click()
    await page.getByText('no call waits').waitFor()
    expect(await pay(scene)).toBe('deny')
    await goTo(page, 'decisions')
    await page.getByRole('button', { name: /denied.*ops\.execute_payment/ }).click()
    const receipt = page.getByRole('dialog')
    await receipt.getByText('no, the server never saw it').waitFor()
    await keepPicture(page, 'page-receipt')
    await page.keyboard.press('Escape')
    await receipt.waitFor({ state: 'hidden' })
  })

  test('shows decisions as they are made, and how the calls ended', async () => {
    const scene = await setScene(`${policy}allow:\n  - { id: rest, capability: "*" }\n`)
    const page = await opened(browser, scene)
    await goTo(page, 'decisions')
    await page.getByText(/policy loaded, \d+ rules/).waitFor()
    await scene.client.call('delete_path', { command: 'rm -rf /' })
    await page.getByRole('button', { name: /denied.*ops\.delete_path.*never/ }).waitFor()
    await page.getByRole('button', { name: 'Allowed' }).click()
    await page.getByText('nothing matches').waitFor()
    await page.getByRole('button', { name: 'All', exact: true }).click()
    await page.getByRole('searchbox').fill('NEVER')
    await expect.poll(() => page.getByRole('listitem').count()).toBe(1)
    await page.getByRole('searchbox').fill('no such thing')
    await page.getByText('nothing matches').waitFor()
  })

  test('shows a grant as it is given and used, and takes it back', async () => {
    const scene = await setScene(policy)
    const page = await opened(browser, scene)
    await goTo(page, 'grants')
    await page.getByText('no grant is in force').waitFor()
    const what = ['--capability', 'ops.execute_payment', '--uses', '3', '--reason', 'pay\u202Eroll']
    const conditions = '{"args": {"/amount": {"lte": 100.00000000000001}}}'
    const create = [cli, 'grants', 'create', ...what, '--when', conditions, '--break-glass']
    const given = spawnSync(process.execPath, [...create, '--config', scene.files.config])
    expect(given.status).toBe(0)
    await page.getByRole('heading', { name: 'ops.execute_payment' }).waitFor()
    await page.getByText('for an emergency').waitFor()
    // Every digit, and nothing that turns the text around.
    expect(await page.getByLabel('arguments').textContent()).toContain('"lte": 100.00000000000001')
    expect(await pay(scene)).toBeUndefined()
    await page.getByText('pay\\u{202e}roll').waitFor()
    await page.getByText('1 of 3').waitFor()
    await keepPicture(page, 'page-grants')
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('no grant is in force').waitFor()
    expect(await pay(scene)).toBe('require_approval')
    await page.getByRole('button', { name: 'All', exact: true }).click()
    await page.getByText('it was revoked').waitFor()
  })

  test('is used without a mouse', async () => {
    const scene = await setScene(policy)
    const page = await opened(browser, scene)
    await pay(scene)
    await tabTo(page, 'Approvals')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'ops.execute_payment' }).waitFor()
    await page.getByRole('button', { name: 'Approve' }).isEnabled()
    await expect.poll(() => page.getByRole('button', { name: 'Approve' }).isEnabled()).toBe(true)
    await tabTo(page, 'Approve')
    await page.keyboard.press('Enter')
    await page.getByText('no call waits').waitFor()
    expect(await pay(scene)).toBeUndefined()
  })

  test('what a key has to sign has no button, only the command', async () => {
    const keyed = policy.replace('message:', 'approval: { presence: key }, message:')
    const scene = await setScene(keyed)
    const page = await opened(browser, scene)
    await pay(scene)
    await goTo(page, 'approvals')
    await page.getByText(/^capfence approvals approve apr_/).waitFor()
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0)
  })

  test('values that look like secrets are shown only when asked for, and then only once', async () => {
    const scene = await setScene(policy)
    const page = await opened(browser, scene)
    await scene.client.call('execute_payment', { ...payment, memo: 'token=abcdefghijkl' })
    await goTo(page, 'approvals')
    await page.getByText('Part of it is not shown').waitFor()
    expect(await page.content()).not.toContain('abcdefghijkl')
    expect(await page.getByRole('button', { name: '1 hour' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Show what looks secret' }).click()
    await page.getByText('abcdefghijkl').waitFor()
    expect(await page.getByRole('button', { name: '1 hour' }).count()).toBe(1)
  })

  test.each(['light', 'dark'] as const)('axe finds nothing in %s, on any view', async (scheme) => {
    const scene = await setScene(policy)
    await pay(scene)
    await scene.client.call('delete_path', { command: 'rm -rf /' })
    const page = await opened(browser, scene)
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    for (const view of views) {
      await goTo(page, view)
      await page.getByText('reading the log').waitFor({ state: 'hidden' })
      await expect.poll(() => page.getByRole('heading', { level: 1 }).count()).toBe(1)
      await settled(page)
      await keepPicture(page, `page-${view}-${scheme}`)
      expect(await violations(page)).toEqual([])
    }
  })

  test('everything has room at 400 pixels', async () => {
    const scene = await setScene(policy)
    await pay(scene)
    const page = await opened(browser, scene, narrow)
    for (const view of views) {
      await goTo(page, view)
      await settled(page)
      await keepPicture(page, `page-${view}-400`)
      const { scrollWidth, clientWidth } = await widths(page)
      expect(scrollWidth).toBeLessThanOrEqual(clientWidth)
    }
  })

  test('without the code nobody is let in, and a code works once', async () => {
    const scene = await setScene(policy)
    const link = await scene.terminal.link()
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const stranger = await context.newPage()
    await stranger.goto(link.replace(/#.*/, ''))
    await stranger.getByText('nobody is signed in').waitFor()
    const page = await opened(browser, scene)
    await stranger.goto('about:blank')
    await stranger.goto(link)
    await stranger.getByText('the code is wrong, used or older than two minutes').waitFor()
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('nobody is signed in').waitFor()
  })

  test('a page of another origin can neither read nor approve, even with the cookie', async () => {
    const scene = await setScene(policy)
    await pay(scene)
    const page = await opened(browser, scene)
    const { origin } = new URL(page.url())
    const other = await page.context().newPage()
    // Another name for this machine is another origin to the browser, but the same site of cookies to nobody.
    await other.goto(`${origin.replace('localhost', '127.0.0.1')}/`)
    const answers = await other.evaluate(`(${attack})(${JSON.stringify(origin)})`)
    expect(answers).toEqual(['no answer', 'no answer', 'no answer'])
    await goTo(page, 'approvals')
    await page.getByRole('button', { name: 'Approve' }).waitFor()
  })

  test('the log is verified on request', async () => {
    const scene = await setScene(policy)
    await pay(scene)
    const page = await opened(browser, scene)
    await goTo(page, 'log')
    await page.getByRole('button', { name: 'Verify now' }).click()
    await page.getByText(/^Yes: \d+ records verify\.$/).waitFor()
  })

  test('says when the program is gone', async () => {
    const scene = await setScene(policy)
    const page = await opened(browser, scene)
    await page.getByText('live').waitFor()
    await scene.terminal.stop()
    await page.getByText('connection lost').waitFor()
  })
})

describe.skipIf(noBrowser)('a proof is checked in the browser', () => {
  test('a proof and an export of a log are proved with its pin, and refused when anything is changed', async () => {
    const scene = await setScene(policy)
    await pay(scene)
    await pay(scene)
    const { folder, config } = scene.files
    const at = (name: string): string => join(folder, name)
    capfence('audit', 'prove', '2', '-o', at('2.tlog-proof'), '--config', config)
    capfence('audit', 'export', '--jsonl', at('log.jsonl'), '--config', config)
    writeFileSync(at('log.pin'), capfence('audit', 'key', '--config', config))
    capfence('audit', 'verify-page', '-o', at('verify.html'))
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const page = await context.newPage()
    // From a file: there is no program behind it, and nothing that it could be sent to.
    await page.goto(`file://${at('verify.html')}`)
    const take = (name: string): Promise<void> =>
      page.getByLabel(/^Drop a pin/).setInputFiles(at(name))
    await take('2.tlog-proof')
    await page.getByText('Not proved: 2.tlog-proof: give the pin of the log first').waitFor()
    await take('log.pin')
    await page.getByText(/^of capfence\.local\//).waitFor()
    await take('2.tlog-proof')
    await page.getByText(/^Proved: record 2 stands in the log/).waitFor()
    await take('log.jsonl')
    await page.getByText(/^Proved: \d+ records, all of the log\.$/).waitFor()
    await keepPicture(page, 'proof-page')
    expect(await violations(page)).toEqual([])
    const proof = readFileSync(at('2.tlog-proof'), 'utf8')
    writeFileSync(at('3.tlog-proof'), proof.replace('index 2', 'index 3'))
    await take('3.tlog-proof')
    await page.getByText(/^Not proved: 3\.tlog-proof: /).waitFor()
    const lines = readFileSync(at('log.jsonl'), 'utf8')
    writeFileSync(at('other.jsonl'), lines.replace('require_approval', 'require_approvaI'))
    await take('other.jsonl')
    await page.getByText(/^Not proved: other\.jsonl: /).waitFor()
  })
})

function capfence(...args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
  })
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

/** Presses Tab until what has this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let pressed = 0; pressed < 60; pressed += 1) {
    await page.keyboard.press('Tab')
    const text = await page.evaluate<string>('document.activeElement?.textContent ?? ""')
    if (text.startsWith(name)) return
  }
  throw new Error(`${name} is not reached by Tab`)
}

async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('networkidle', { timeout: 500 }).catch(() => undefined)
}

const widths = (page: Page): Promise<{ scrollWidth: number; clientWidth: number }> =>
  page.evaluate(
    '({ scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth })',
  )

async function violations(page: Page): Promise<readonly string[]> {
  // By evaluation, which the page's policy for scripts does not hold up.
  const found = await page.evaluate<readonly { readonly id: string; readonly html: string }[]>(
    `${axe};axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => ({ id, html }))))`,
  )
  return found.map(({ id, html }) => `${id}: ${html}`)
}

const attack = `async (origin) => {
  const tried = [
    () => fetch(origin + '/api/approvals', { credentials: 'include' }),
    () => fetch(origin + '/api/approvals/x', { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: '{}' }),
    () => new Promise((done, fail) => { const source = new EventSource(origin + '/api/events', { withCredentials: true }); source.onopen = done; source.onerror = fail }),
  ]
  const answers = []
  for (const one of tried) {
    try { await one(); answers.push('answered') } catch { answers.push('no answer') }
  }
  return answers
}`
