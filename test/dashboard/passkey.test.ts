import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { cli } from '../support/dist.ts'
import { keepPicture, noBrowser, setScene, startBrowser } from './a-browser.ts'
import { TerminalPage, type Scene } from './a-browser.ts'

const passphrase = 'no agent has ever read this'
const policy = `version: 1
require_approval:
  - { id: pay, capability: ops.execute_payment.development, approval: { presence: passkey } }
  - { id: read, capability: ops.read_file.development, approval: { presence: key } }
`
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

let browser: Browser
beforeAll(async () => {
  if (!noBrowser) browser = await startBrowser()
})
afterAll(async () => {
  if (!noBrowser) await browser.close()
})

/** A gate with an approver who has a key, and nothing else yet. */
async function approverScene(): Promise<Scene> {
  const scene = await setScene(policy, { approvals: { approvers: 'approvers.json' } })
  await scene.terminal.stop()
  const args = ['keys', 'approver', 'add', 'alice', '--passphrase-stdin']
  const { status } = spawnSync(process.execPath, [cli, ...args], {
    cwd: dirname(scene.files.config),
    input: `${passphrase}\n`,
  })
  expect(status).toBe(0)
  return scene
}

/** An authenticator in the browser, as a laptop has one; whether its owner is known can be changed. */
async function withAuthenticator(page: Page): Promise<(isKnown: boolean) => Promise<void>> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return async (isUserVerified) => {
    await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })
  }
}

interface Enrolled {
  readonly page: Page
  readonly setKnown: (isKnown: boolean) => Promise<void>
  readonly port: string
}

/** Makes a passkey for alice as a person does: the page, the code on both sides, the passphrase. */
async function enrolled(scene: Scene): Promise<Enrolled> {
  const port = String(await freePort())
  const args = ['--config', scene.files.config, '--port', port]
  const terminal = new TerminalPage(args, ['keys', 'approver', 'passkey', 'add', 'alice'])
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const setKnown = await withAuthenticator(page)
  await page.goto(await terminal.link())
  await page.getByRole('heading', { name: 'A passkey for alice' }).waitFor()
  await keepPicture(page, 'page-passkey-make')
  await page.getByRole('button', { name: 'Make a passkey' }).click()
  const code = await page.getByRole('status').locator('strong').textContent()
  expect(await terminal.shows(/the passkey has the code \S+/)).toContain(code)
  await terminal.shows(/passphrase of alice: /)
  terminal.type(passphrase)
  expect(await terminal.ended()).toBe(0)
  return { page, setKnown, port }
}

/** The operator's page in the browser that has the passkey, at the port of the list without being told. */
async function operatorPage(scene: Scene, { page, port }: Enrolled): Promise<void> {
  const terminal = new TerminalPage(['--config', scene.files.config])
  const link = await terminal.link()
  expect(link).toContain(`http://localhost:${port}/`)
  await page.goto(link)
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await page.getByRole('link', { name: 'Approvals' }).click()
}

const decisionOf = async (scene: Scene, tool: string, args: object): Promise<unknown> => {
  const { result } = await scene.client.call(tool, args)
  const meta = (result?.['_meta'] ?? {}) as Record<string, { readonly decision?: string }>
  return meta['dev.capfence/decision']?.decision
}
const payment = { amount: 100, currency: 'EUR', recipient: 'ACME' }
const pay = (scene: Scene): Promise<unknown> => decisionOf(scene, 'execute_payment', payment)

// Each starts a gate, two pages on terminals and a browser; on a busy machine that takes its time.
describe.skipIf(noBrowser)('B12: a passkey', { timeout: 120_000 }, () => {
  test('is made in a browser, approves a call on the page, and the call passes once', async () => {
    const scene = await approverScene()
    const made = await enrolled(scene)
    expect(await pay(scene)).toBe('require_approval')
    await operatorPage(scene, made)
    const { page } = made
    await page.getByRole('heading', { name: 'ops.execute_payment' }).waitFor()
    await page.evaluate(axe)
    const serious = await page.evaluate(async () => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- axe is put into the page as a script
      const { axe: checker } = globalThis as unknown as { axe: { run(): Promise<AxeResult> } }
      const { violations } = await checker.run()
      return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    })
    expect(serious).toEqual([])
    await keepPicture(page, 'page-passkey-approve')
    // By keyboard alone.
    const approving = page.getByRole('button', { name: 'Approve with passkey' })
    await expect.poll(() => approving.isEnabled()).toBe(true)
    await approving.focus()
    await page.keyboard.press('Enter')
    await page.getByText('no call waits').waitFor()

    expect(await pay(scene)).toBeUndefined()
    expect(await pay(scene)).toBe('require_approval')
    const log = spawnSync(
      process.execPath,
      [cli, 'logs', '--json', '--config', scene.files.config],
      { encoding: 'utf8' },
    )
    expect(log.stdout).toContain('"decision":"allow","reason":"approved"')
  })

  test('signs nothing when the authenticator does not know its owner, nor from another port', async () => {
    const scene = await approverScene()
    const made = await enrolled(scene)
    const { page, setKnown } = made
    await pay(scene)
    await operatorPage(scene, made)
    await setKnown(false)
    await page.getByRole('button', { name: 'Approve with passkey' }).click()
    await page.getByText('the passkey did not sign').waitFor()
    expect(await pay(scene)).toBe('require_approval')

    await setKnown(true)
    const elsewhere = new TerminalPage([
      '--config',
      scene.files.config,
      '--port',
      await otherPort(),
    ])
    await page.goto(await elsewhere.link())
    await page.getByRole('link', { name: 'Approvals' }).click()
    await page.getByText('run capfence ui without --port').waitFor()
    expect(await page.getByRole('button', { name: /Approve/ }).count()).toBe(0)
  })

  test('is enough where a key is asked for, and removed it is nothing', async () => {
    const scene = await approverScene()
    const made = await enrolled(scene)
    const { page } = made
    expect(await decisionOf(scene, 'read_file', { path: 'a' })).toBe('require_approval')
    await operatorPage(scene, made)
    await page.getByText('Or in a terminal:').waitFor()
    const listed = spawnSync(
      process.execPath,
      [cli, 'keys', 'approver', 'list', '--json', '--config', scene.files.config],
      { encoding: 'utf8' },
    )
    const { passkeys } = JSON.parse(listed.stdout) as {
      readonly passkeys: readonly { readonly keyId: string; readonly origin: string }[]
    }
    expect(passkeys.map(({ origin }) => origin)).toEqual([`http://localhost:${made.port}`])
    await page.getByRole('button', { name: 'Approve with passkey' }).click()
    await page.getByText('no call waits').waitFor()

    const id = passkeys[0]?.keyId.slice(0, 8) ?? ''
    const args = ['keys', 'approver', 'passkey', 'remove', 'alice', id, '--passphrase-stdin']
    const removed = spawnSync(process.execPath, [cli, ...args, '--config', scene.files.config], {
      encoding: 'utf8',
      input: `${passphrase}\n`,
    })
    expect(removed.stderr).toContain('has that passkey no more')
    expect(await decisionOf(scene, 'read_file', { path: 'a' })).toBe('require_approval')
  })

  test('of a page that was opened by nobody’s code is not taken', async () => {
    const scene = await approverScene()
    const args = ['--config', scene.files.config, '--port', String(await freePort())]
    const terminal = new TerminalPage(args, ['keys', 'approver', 'passkey', 'add', 'alice'])
    const { origin } = new URL(await terminal.link())
    const asked = await fetch(`${origin}/api/enrolment`, {
      headers: { 'sec-fetch-site': 'same-origin' },
    })
    expect(asked.status).toBe(401)
    await terminal.stop()
  })
})

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly impact: string }[]
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function otherPort(): Promise<string> {
  return String(await freePort())
}
