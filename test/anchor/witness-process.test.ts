import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { cosignedAt, parseCosignerKey } from '../../src/audit/cosignature.ts'
import { parseNote, printVerifierKey } from '../../src/audit/note.ts'
import { capfence } from '../cli/capture.ts'
import { cli } from '../support/dist.ts'
import { SampleLog } from './log.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-witness-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const running: ChildProcess[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (child) => end(child, 'SIGKILL')))
})

const log = new SampleLog(60)
const fork = new SampleLog(60, { from: 20 })
let count = 0
const freshName = (): string => join(folder, `w${(count += 1)}`)
const argumentsOf = (name: string): string[] => [
  'witness',
  ...['--listen', '127.0.0.1:0', '--state', `${name}.state`, '--key', `${name}.key`],
  ...['--log', printVerifierKey(log.key)],
]

async function start(name: string) {
  const child = spawn(process.execPath, [cli, ...argumentsOf(name), '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text))
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { url, key } = JSON.parse(line) as { url: string; key: string }
  return { child, url, key: parseCosignerKey(key), complaints: () => complaints }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  return child.exitCode
}

async function post(url: string, body: string) {
  const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body })
  return { status: answer.status, text: await answer.text() }
}

describe('a witness as a process', () => {
  test('cosigns, is killed, and still refuses a roll-back and a fork', async () => {
    const name = freshName()
    const first = await start(name)
    const cosigned = await post(first.url, log.request(0, 30))
    expect(cosignedAt(parseNote(log.note(30) + cosigned.text), first.key)).toBeGreaterThan(1.7e9)
    await end(first.child, 'SIGKILL')

    const second = await start(name)
    expect(second.key.id).toBe(first.key.id)
    expect(await post(second.url, log.request(0, 10))).toEqual({ status: 409, text: '30\n' })
    expect((await post(second.url, fork.request(30, 40))).status).toBe(422)
    expect((await post(second.url, fork.request(30, 30))).status).toBe(409)
    expect((await post(second.url, log.request(30, 40))).status).toBe(200)
    expect(await end(second.child, 'SIGTERM')).toBe(0)
  })

  test('keeps the proof of a fork, once', async () => {
    const name = freshName()
    const { url, complaints, child } = await start(name)
    await post(url, log.request(0, 30))
    await post(url, fork.request(30, 30))
    await post(url, fork.request(30, 30))
    const proofs = readdirSync(folder).filter((file) => file.startsWith(`w${count}.state.fork-`))
    expect(proofs).toHaveLength(1)
    expect(readFileSync(join(folder, proofs[0] ?? ''), 'utf8')).toBe(
      `${log.note(30)}\n${fork.note(30)}`,
    )
    await end(child, 'SIGTERM')
    expect(complaints()).toContain('it was forked')
  })

  test('makes its key and its state for its owner alone', async () => {
    const name = freshName()
    await start(name)
    expect(statSync(`${name}.key`).mode & 0o777).toBe(0o600)
    expect(statSync(`${name}.state`).mode & 0o777).toBe(0o600)
  })

  test('is killed while it is asked, and never has cosigned more than it remembers', async () => {
    const name = freshName()
    let size = 0
    for (let round = 1; round <= 5; round += 1) {
      const { url, child } = await start(name)
      const cosigned = await askUntilKilled(url, size, { child, afterAnswers: round * 2 })
      const again = await start(name)
      const answer = await post(again.url, log.request(0, 60))
      expect(answer.status).toBe(409)
      size = Number(answer.text)
      expect(size).toBeGreaterThanOrEqual(cosigned)
      await end(again.child, 'SIGKILL')
    }
  })

  /** @returns the last size that the witness is known to have cosigned */
  async function askUntilKilled(
    url: string,
    size: number,
    { child, afterAnswers }: { child: ChildProcess; afterAnswers: number },
  ): Promise<number> {
    let cosigned = size
    try {
      for (let next = size + 1; ; next += 1) {
        const answer = post(url, log.request(next - 1, next))
        // The answer to this one is on its way, or not.
        if (next > size + afterAnswers) child.kill('SIGKILL')
        if ((await answer).status === 200) cosigned = next
      }
    } catch {
      // The connection ends with the process.
      return cosigned
    }
  }
})

describe('a witness does not start', () => {
  test('without its state, when it has a key', async () => {
    const name = freshName()
    const { child } = await start(name)
    await end(child, 'SIGKILL')
    rmSync(`${name}.state`)
    const { code, err } = await capfence(argumentsOf(name))
    expect(code).toBe(3)
    expect(err).toContain('would cosign a fork')
    expect(existsSync(`${name}.state`)).toBe(false)
  })

  test('without its key, when it has a state', async () => {
    const name = freshName()
    const { child } = await start(name)
    await end(child, 'SIGKILL')
    rmSync(`${name}.key`)
    expect((await capfence(argumentsOf(name))).code).toBe(3)
    expect(existsSync(`${name}.key`)).toBe(false)
  })

  test('with a state that is damaged', async () => {
    const name = freshName()
    const { child } = await start(name)
    await end(child, 'SIGKILL')
    writeFileSync(`${name}.state`, 'x', { flag: 'a' })
    expect((await capfence(argumentsOf(name))).code).toBe(3)
  })

  test.each([
    ['no port', ['--listen', '127.0.0.1']],
    ['a port that is none', ['--listen', '127.0.0.1:65536']],
    ['an address with a path', ['--listen', '127.0.0.1:1/x']],
    ['every address and no name', ['--listen', '0.0.0.0:0']],
    ['every address of IPv6 and no name', ['--listen', '[::]:0']],
    ['an address of another machine', ['--listen', '192.0.2.1:0']],
    ['a key of a witness for a log', ['--log', 'w+00000000+AAAA']],
    ['a name with a blank', ['--name', 'my witness']],
  ])('with %s, and makes no key', async (_, flags) => {
    const name = freshName()
    const { code, err } = await capfence([...argumentsOf(name), ...flags])
    expect(code).toBe(2)
    expect(err).toMatch(/^capfence: /)
    expect(existsSync(`${name}.key`)).toBe(flags.includes('192.0.2.1:0'))
  })

  test('under another name than the one of its key', async () => {
    const name = freshName()
    const { child } = await start(name)
    await end(child, 'SIGKILL')
    expect((await capfence([...argumentsOf(name), '--name', 'other'])).code).toBe(2)
  })

  test('where another one listens', async () => {
    const { url } = await start(freshName())
    const { code } = await capfence([...argumentsOf(freshName()), '--listen', new URL(url).host])
    expect(code).toBe(2)
  })
})
