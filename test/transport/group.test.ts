import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { becomesTrue, endGroup, posixGroup } from '../../src/transport/group.ts'
import {
  descendantsOf,
  runningProcesses,
  type ProcessEntry,
} from '../../src/transport/processes.ts'
import { requireOrSkip } from '../support/needs.ts'
import { eventually, fixture, isRunning, linesOf, pause } from './processes.ts'

const skip = requireOrSkip('/proc', process.platform === 'linux')

/** A process in a group of its own, killed when the test ends. */
function start(command: string, ...args: readonly string[]): number {
  const child = spawn(command, args, { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child.pid ?? 0
}

function entry(pid: number, parent: number, group = pid): ProcessEntry {
  return { pid, parent, group, startedAt: '1' }
}

describe('descendants', () => {
  const running = [entry(9, 8), entry(2, 1), entry(8, 2), entry(3, 1), entry(4, 3), entry(5, 5)]

  test('are children and their children, in whatever order they are listed', () => {
    expect(descendantsOf(new Set([2]), running).map(({ pid }) => pid)).toEqual([8, 9])
    expect(
      descendantsOf(new Set([2, 3]), running)
        .map(({ pid }) => pid)
        .sort((a, b) => a - b),
    ).toEqual([4, 8, 9])
  })

  test('of nobody, of strangers, and of one that names itself as its parent, are none', () => {
    expect(descendantsOf(new Set(), running)).toEqual([])
    expect(descendantsOf(new Set([77]), running)).toEqual([])
    expect(descendantsOf(new Set([5]), running)).toEqual([])
  })
})

describe.skipIf(skip)('the processes of this machine', () => {
  test('contain this one, with its parent, and not the dead', async () => {
    const pid = start('true')
    await eventually(() => !isRunning(pid), 'it has ended')
    const running = runningProcesses() ?? []
    expect(running.find((one) => one.pid === process.pid)?.parent).toBe(process.ppid)
    expect(running.map((one) => one.pid)).not.toContain(pid)
  })

  test('are read right, whatever a program calls itself', () => {
    const folder = mkdtempSync(join(tmpdir(), 'capfence-name-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const program = join(folder, ') Z 1 (2 \n)')
    copyFileSync('/bin/sleep', program)
    const pid = start(program, '30')
    expect(runningProcesses()?.find((one) => one.pid === pid)).toMatchObject({
      parent: process.pid,
      group: pid,
      startedAt: expect.stringMatching(/^\d+$/) as string,
    })
  })
})

describe.skipIf(skip)('a group', () => {
  test('is empty when only dead are left that nobody collects', async () => {
    // The shell never collects its child, which is the last of its group.
    const script = 'set -m; true & exec sleep 30'
    const parent = spawn('bash', ['-c', script], { detached: true, stdio: 'ignore' })
    onTestFinished(() => void parent.kill('SIGKILL'))
    await pause(300)
    expect(runningProcesses()?.find((one) => one.parent === parent.pid)).toBeUndefined()
    const { stdout } = spawn('ps', ['-o', 'pid=', '--ppid', String(parent.pid)])
    const dead = Number(await linesOf(stdout)())
    expect(process.kill(-dead, 0)).toBe(true)
    expect(posixGroup(dead).empty()).toBe(true)
  })

  test('a descendant that left the group ends too', async () => {
    const { command, args } = fixture('family', 'server', 'stubborn', 'loose')
    const server = spawn(command, args, { detached: true, stdio: ['pipe', 'pipe', 'inherit'] })
    onTestFinished(() => void server.kill('SIGKILL'))
    const { helper } = JSON.parse(await linesOf(server.stdout)()) as { helper: number }
    const group = posixGroup(server.pid ?? 0)
    await endGroup(group, 100)
    await eventually(() => !isRunning(helper), 'the helper has ended')
    expect(group.empty()).toBe(true)
  })

  test.each([
    ['the same start', '1', false],
    ['another start, so another process', '2', true],
  ])('a pid seen before ends with %s: survives %s', async (_name, startedAt, survives) => {
    const [leader, stranger] = [start('true'), start('sleep', '30')]
    let looks = 0
    const group = posixGroup(leader, () => [
      entry(leader, 1),
      { ...entry(stranger, leader), startedAt: (looks += 1) === 1 ? '1' : startedAt },
    ])
    group.look()
    group.kill()
    await pause(100)
    expect(isRunning(stranger)).toBe(survives)
  })

  test('a daemon, who left the group and the family, is not ours', async () => {
    const shell = spawn('sh', ['-c', '(setsid sleep 30 & echo $!); exec sleep 30'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const daemon = Number(await linesOf(shell.stdout)())
    onTestFinished(() => void process.kill(daemon, 'SIGKILL'))
    await pause(100)
    await endGroup(posixGroup(shell.pid ?? 0), 500)
    expect(isRunning(daemon)).toBe(true)
  })

  test('of a process that is gone already is empty, and ending it is nothing', async () => {
    const pid = start('true')
    await eventually(() => !isRunning(pid), 'it has ended')
    await endGroup(posixGroup(pid), 10)
    expect(posixGroup(pid).empty()).toBe(true)
  })
})

describe('waiting', () => {
  test('ends at once when the condition holds, with true when it comes to hold, with false when time is up', async () => {
    let calls = 0
    expect(await becomesTrue(() => true, 0)).toBe(true)
    expect(await becomesTrue(() => (calls += 1) > 3, 10_000)).toBe(true)
    expect(calls).toBe(4)
    expect(await becomesTrue(() => false, 20)).toBe(false)
  })
})
