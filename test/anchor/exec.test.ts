import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { execAnchor, type Command, type ExecOptions } from '../../src/anchor/exec.ts'
import { origin, SampleLog } from './log.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-exec-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const log = new SampleLog(30)
const checkpoint = { origin, size: 30, root: log.root(30), note: log.note(30) }
const failed = (text: string | RegExp): unknown =>
  expect.objectContaining({
    code: 'ANCHOR_FAILED',
    message: (typeof text === 'string'
      ? expect.stringContaining(text)
      : expect.stringMatching(text)) as unknown,
  })
const run = (
  command: Command,
  options: Partial<ExecOptions> = {},
  about = checkpoint,
): Promise<void> =>
  execAnchor(command, about, {
    folder,
    environment: process.env,
    timeoutMs: 20_000,
    stopped: new AbortController().signal,
    ...options,
  })
const script = (text: string): Command => [process.execPath, '-e', text]
let count = 0
const freshPath = (): string => join(folder, `${(count += 1)}`)

describe('a command', () => {
  test('gets the note, byte for byte', async () => {
    const path = freshPath()
    await run(['tee', path])
    expect(readFileSync(path, 'utf8')).toBe(log.note(30))
  })

  test('gets the facts, in its folder', async () => {
    await run([
      'sh',
      '-c',
      'echo $CAPFENCE_ANCHOR_SIZE $CAPFENCE_ANCHOR_ROOT $CAPFENCE_ANCHOR_ORIGIN > facts',
    ])
    expect(readFileSync(join(folder, 'facts'), 'utf8')).toBe(`30 ${log.root(30)} ${origin}\n`)
  })

  test('gets the environment without what names the files and keys of the gate', async () => {
    const path = freshPath()
    await run(script(`require('fs').writeFileSync('${path}', JSON.stringify(process.env))`), {
      environment: {
        HOME: '/home/x',
        CAPFENCE_KEY: 'secret',
        capfence_other: 'secret',
        PATH: '/bin',
      },
    })
    const seen = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
    expect(seen['HOME']).toBe('/home/x')
    expect(Object.values(seen)).not.toContain('secret')
  })

  test('has its arguments as they are: no shell looks at them', async () => {
    const path = freshPath()
    const odd = ['$(touch no)', '; touch no', '`touch no`', '*', '', 'ü €']
    const text = `require('fs').writeFileSync('${path}', JSON.stringify(process.argv.slice(1)))`
    await run([process.execPath, '-e', text, '--', ...odd])
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(odd)
    expect(existsSync(join(folder, 'no'))).toBe(false)
  })

  test('need not read the note, however soon it ends', async () => {
    await expect(run(['true'])).resolves.toBeUndefined()
    const long = { ...checkpoint, note: 'x'.repeat(1_000_000) }
    await expect(run(['true'], {}, long)).resolves.toBeUndefined()
  })
})

describe('a command fails', () => {
  test.each([
    [
      'when it says so',
      script('console.error("remote is gone"); process.exit(7)'),
      'ended with exit code 7: remote is gone',
    ],
    ['when it is killed', script('process.kill(process.pid, "SIGKILL")'), 'was ended by SIGKILL'],
    ['when there is none', ['no-such-program'] as const, 'could not be started'],
    ['when it may not be run', [folder] as const, 'could not be started'],
  ])('%s', async (_, command, text) => {
    await expect(run(command)).rejects.toThrow(failed(text))
  })

  test('when it takes too long, and is stopped with what it has started', async () => {
    const pids = freshPath()
    const text = `const { spawn } = require('child_process')
      const child = spawn('sleep', ['60'])
      require('fs').writeFileSync('${pids}', process.pid + ' ' + child.pid)
      process.on('SIGTERM', () => {})
      setInterval(() => {}, 1000)`
    await expect(run(script(text), { timeoutMs: 1500 })).rejects.toThrow(failed('took longer'))
    for (const pid of readFileSync(pids, 'utf8').split(' ')) await gone(Number(pid))
  })

  test('when the gate ends before it does', async () => {
    const gate = new AbortController()
    const running = run(['sleep', '60'], { stopped: gate.signal })
    gate.abort()
    await expect(running).rejects.toThrow(failed('because the gate ends'))
    await expect(run(['sleep', '60'], { stopped: gate.signal })).rejects.toThrow(
      failed('gate ends'),
    )
  })

  test('with its last words, however much it says', async () => {
    const text = `process.stdout.write('x'.repeat(3_000_000) + '\\n'); console.error('the end'); process.exitCode = 1`
    await expect(run(script(text))).rejects.toThrow(failed(/the end$/))
    await expect(run(script(text))).rejects.toThrow(failed(/^[^]{0,4300}$/))
  })

  test('and is not waited for when something holds its pipes', async () => {
    const text = `require('child_process').spawn('sleep', ['60'], { detached: true, stdio: 'inherit' }).unref(); process.exit(3)`
    await expect(run(script(text))).rejects.toThrow(failed('exit code 3'))
  })

  test('in a folder that is not there', async () => {
    await expect(run(['true'], { folder: join(folder, 'none') })).rejects.toThrow(
      failed('could not be started'),
    )
  })

  async function gone(pid: number): Promise<void> {
    for (;;) {
      try {
        process.kill(pid, 0)
      } catch {
        return
      }
      // A process that was killed and not yet collected is a zombie: it answers, and does nothing.
      const state = existsSync(`/proc/${pid}/stat`)
        ? readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '')
        : ''
      if (state.startsWith('Z')) return
      await delay(20)
    }
  }
})

test('a file that is no program is no command', async () => {
  const path = freshPath()
  writeFileSync(path, 'text')
  await expect(run([path])).rejects.toThrow(failed('could not be started'))
})
