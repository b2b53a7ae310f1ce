import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { Reaper, reaperProgram } from '../../src/transport/reaper.ts'
import { ProcessTree } from '../../src/transport/tree.ts'
import { requireOrSkip } from '../support/needs.ts'
import { eventually, fixture, isRunning, linesOf, pause } from './processes.ts'

const skip = requireOrSkip('POSIX processes', process.platform !== 'win32')

const groups: ChildProcess[] = []
afterEach(() => groups.splice(0).forEach((child) => child.kill('SIGKILL')))

/** A process in a group of its own. */
function group(script = 'exec sleep 60'): number {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: 'ignore' })
  groups.push(child)
  return child.pid ?? 0
}

/** Runs the program as the gate does, tells it lines, closes its input, and waits for its end. */
async function reap(
  shell: string,
  lines: readonly string[],
  before = '',
): Promise<{ code: number | null; output: string }> {
  const child = spawn(shell, ['-c', before + reaperProgram], {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => (output += String(chunk)))
  child.stdin.end(lines.map((line) => `${line}\n`).join(''))
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, output }))
  })
}

// Different ones only: /bin/sh is usually one of the others.
const shells = [
  ...new Set(
    ['/bin/sh', '/bin/dash', '/bin/bash', '/bin/zsh', '/bin/ksh']
      .filter(existsSync)
      .map((path) => realpathSync(path)),
  ),
]

describe.skipIf(skip).each(shells)('B33: the reaper in %s', (shell) => {
  test('ends what is registered, and only that', async () => {
    const [registered, other, another] = [group(), group(), group()]
    await reap(shell, [`+${registered}`, `+${other}`, `-${other}`])
    await eventually(() => !isRunning(registered), 'the registered group has ended')
    expect([other, another].map(isRunning)).toEqual([true, true])
  })

  test('never ends a group that was taken out, however often it was put in', async () => {
    const pid = group()
    const neighbour = Number(`${pid}0`)
    await reap(shell, [`+${pid}`, `+${pid}`, `+${neighbour}`, `-${pid}`])
    await pause(50)
    expect(isRunning(pid)).toBe(true)
  })

  test('a group that was taken out may be put in again', async () => {
    const pid = group()
    await reap(shell, [`+${pid}`, `-${pid}`, `+${pid}`])
    await eventually(() => !isRunning(pid), 'it has ended')
  })

  test('ends the stubborn too', async () => {
    const pid = group('trap "" TERM HUP INT; while :; do sleep 1; done')
    await pause(100)
    await reap(shell, [`+${pid}`])
    await eventually(() => !isRunning(pid), 'it has ended')
  })

  test('asks before it ends', async () => {
    const child = spawn(
      '/bin/sh',
      ['-c', 'trap "sleep 0.3; exit 7" TERM; echo up; while :; do sleep 0.05; done'],
      {
        detached: true,
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    groups.push(child)
    const ended = new Promise((resolve) => {
      child.on('exit', (code, signal) => resolve({ code, signal }))
    })
    await new Promise((resolve) => {
      child.stdout.once('data', resolve)
    })
    await reap(shell, [`+${child.pid ?? 0}`])
    expect(await ended).toEqual({ code: 7, signal: null })
  })

  test.skipIf(process.platform !== 'linux')(
    'ends whom a server has in a session of its own, also if the server itself ends before',
    async () => {
      const script = 'setsid sleep 60 & echo $!; trap "" TERM; cat >/dev/null; sleep 0.6'
      const child = spawn('/bin/sh', ['-c', script], {
        detached: true,
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      groups.push(child)
      const stray = Number(await linesOf(child.stdout)())
      onTestFinished(() => {
        if (isRunning(stray)) process.kill(stray, 'SIGKILL')
      })
      child.stdin.end()
      await reap(shell, [`+${child.pid ?? 0}`])
      await eventually(() => !isRunning(stray), 'it has ended')
    },
  )

  test('is gone at once, and silent, when nothing is registered', async () => {
    const pid = group()
    const startedMs = performance.now()
    expect(await reap(shell, [`+${pid}`, `-${pid}`])).toEqual({ code: 0, output: '' })
    expect(performance.now() - startedMs).toBeLessThan(1000)
  })

  // Group 0 would be the reaper's own, 1 and -1 everybody's. The signals are only written down here.
  const writeDown = 'kill() { echo "kill $*"; return 1; }\n'

  test.each([
    '+0',
    '+1',
    '+-1',
    '+',
    '-',
    '',
    '+*',
    '+1 2',
    '+$$',
    '+00',
    '+0x10',
    '?5',
    '+2 '.repeat(3),
  ])('a line that is no registration, `%s`, registers nothing', async (line) => {
    expect(await reap(shell, [line], writeDown)).toEqual({ code: 0, output: '' })
  })

  test('signals groups, in the right order, and nothing else', async () => {
    const { output } = await reap(
      shell,
      ['+12345678', '+12345679', '+12345677', '-12345677'],
      writeDown,
    )
    const signals = ['TERM', 'CONT', 'KILL'].flatMap((signal) =>
      ['12345678', '12345679'].map((pid) => `kill -s ${signal} -- -${pid}`),
    )
    expect(output.split('\n').filter((line) => line !== '' && !line.includes('-s 0'))).toEqual(
      signals,
    )
  })

  test('a registered group that is gone already is no trouble', async () => {
    const { pid } = spawnSync('true')
    expect((await reap(shell, [`+${pid}`])).output).toBe('')
  })
})

describe.skipIf(skip)('the reaper of a gate', () => {
  test('is not started before the first server, and there is one for all', async () => {
    const tree = new ProcessTree()
    const events = { onMessage() {}, onOversize() {}, onDrain() {}, onClose() {} }
    expect(tree.reaperPid).toBeUndefined()
    const env = { PATH: process.env['PATH'] ?? '' }
    tree.start({ ...fixture('echo'), env }, {}, events)
    const pid = tree.reaperPid
    tree.start({ ...fixture('echo'), env }, {}, events)
    expect(pid).toBeDefined()
    expect(tree.reaperPid).toBe(pid)
    await tree.stopAll()
    await eventually(() => !isRunning(pid ?? 0), 'it has ended')
  })

  test('survives every signal that can be ignored, and is in no group of the gate', async () => {
    const reaper = new Reaper(() => undefined)
    const pid = await startedPid(reaper)
    for (const signal of [
      'SIGTERM',
      'SIGINT',
      'SIGHUP',
      'SIGQUIT',
      'SIGPIPE',
      'SIGUSR1',
    ] as const) {
      process.kill(pid, signal)
    }
    await pause(100)
    expect(isRunning(pid)).toBe(true)
    const { stdout } = spawnSync('ps', ['-o', 'pgid=', '-p', String(pid)], { encoding: 'utf8' })
    expect(Number(stdout)).toBe(pid)
    reaper.close()
    await eventually(() => !isRunning(pid), 'it has ended')
  })

  test('is started again when it was killed, and knows the groups that live', async () => {
    const reaper = new Reaper(() => undefined)
    const [living, taken] = [group(), group()]
    const pid = await startedPid(reaper)
    reaper.watch(living)
    reaper.watch(taken)
    // One that ends at once is not started again: it would end again.
    await pause(1100)
    process.kill(pid, 'SIGKILL')
    await eventually(() => reaper.pid !== undefined && reaper.pid !== pid, 'there is another')
    reaper.forget(taken)
    reaper.close()
    await eventually(() => !isRunning(living), 'the group has ended')
    expect(isRunning(taken)).toBe(true)
  })

  test('that cannot stay is told once, and servers start without it', async () => {
    const told: string[] = []
    const reaper = new Reaper((reason) => told.push(reason))
    process.kill(await startedPid(reaper), 'SIGKILL')
    await eventually(() => told.length > 0, 'it is told')
    expect(reaper.pipe).toBeUndefined()
    reaper.watch(12_345_678)
    reaper.forget(12_345_678)
    expect(told).toEqual([expect.stringMatching(/servers may outlive/)])
  })

  test('knows nothing of the environment of the gate', async () => {
    const reaper = new Reaper(() => undefined)
    const pid = await startedPid(reaper)
    const { stdout } = spawnSync('ps', ['eww', '-o', 'args=', '-p', String(pid)], {
      encoding: 'utf8',
    })
    expect(stdout).not.toContain('HOME=')
    reaper.close()
  })
})

/** The pid of a reaper that has been started and has set its traps. */
async function startedPid(reaper: Reaper): Promise<number> {
  expect(reaper.pipe).toBeDefined()
  await pause(200)
  return reaper.pid ?? 0
}
