import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { spawnServer } from '../../src/transport/spawn.ts'
import { requireOrSkip } from '../support/needs.ts'
import { shell, start, type StartOptions } from './children.ts'
import { linesOf, type Command } from './processes.ts'

const skip = requireOrSkip('POSIX processes', process.platform !== 'win32')
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-child-')))
afterAll(() => rmSync(scratch, { recursive: true }))

describe.skipIf(skip)('a server that cannot be started', () => {
  const noShebang = join(scratch, 'no-interpreter')
  writeFileSync(noShebang, '#!/no/such/interpreter\n')
  chmodSync(noShebang, 0o755)
  const notExecutable = join(scratch, 'not-executable')
  writeFileSync(notExecutable, 'text')

  test.each<[string, StartOptions & Command, RegExp, RegExp]>([
    [
      'no such program',
      { command: 'no-such-program', args: [] },
      /`no-such-program`: no such program/,
      /PATH/,
    ],
    [
      'no such file',
      { command: '/no/such/file', args: [] },
      /`\/no\/such\/file`: no such program/,
      /check the path/,
    ],
    ['an empty command', { command: '', args: [] }, /no such program/, /PATH/],
    [
      'a whole command line as the program',
      { command: 'node server.js', args: [] },
      /`node server.js`/,
      /`args`/,
    ],
    [
      'a home directory that no shell expands',
      { command: '~/bin/server', args: [] },
      /no such program/,
      /`~`/,
    ],
    [
      'a file that is not executable',
      { command: notExecutable, args: [] },
      /not an executable file/,
      /chmod \+x/,
    ],
    ['a directory', { command: scratch, args: [] }, /not an executable file/, /chmod|interpreter/],
    [
      'no such directory',
      { command: 'node', args: [], cwd: '/no/such' },
      /directory `\/no\/such` does not exist/,
      /`cwd`/,
    ],
    [
      'a file as the directory',
      { command: 'node', args: [], cwd: notExecutable },
      /does not exist/,
      /`cwd`/,
    ],
    ['a NUL in an argument', { command: 'node', args: ['a\0b'] }, /`node`/, /NUL/],
    [
      'too long arguments',
      { command: 'node', args: ['x'.repeat(3_000_000)] },
      /`node`/,
      /too long/,
    ],
  ])(
    '%s is told by onClose, with the command and a hint',
    async (_name, options, message, hint) => {
      for (const guarded of [true, false]) {
        const { command, args, ...rest } = options
        const { child, told, closed } = start({ command, args }, { ...rest, guarded })
        expect(told).toEqual([])
        const { error, code, signal } = await closed
        expect({ code, signal }).toEqual({ code: null, signal: null })
        expect(error).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' })
        expect(error?.message).toMatch(message)
        expect((error as { hint?: string } | undefined)?.hint).toMatch(hint)
        expect(child.closed).toBe(true)
        expect(child.pid).toBeUndefined()
        expect(() => child.send(Buffer.from('x'))).toThrow('the server has gone')
        await child.stop()
        expect(told).toEqual(['closed'])
      }
    },
  )

  test('a missing interpreter is told, although the shell had started', async () => {
    for (const guarded of [true, false]) {
      const { closed } = start({ command: noShebang, args: [] }, { guarded })
      expect((await closed).error?.message).toContain(noShebang)
    }
  })

  test('a status of 127 after the first message is only a status', async () => {
    const { closed } = start(shell('echo hello; exit 127'))
    expect(await closed).toEqual({ code: 127, signal: null })
  })

  test('a program is looked for in the PATH that the server gets, relative paths in its directory', async () => {
    writeFileSync(join(scratch, 'found'), '#!/bin/sh\necho found\n')
    chmodSync(join(scratch, 'found'), 0o755)
    for (const guarded of [true, false]) {
      for (const [command, own] of [
        ['found', { PATH: `/nowhere:${scratch}` }],
        ['found', { PATH: '.' }],
        ['found', { PATH: '/nowhere::/bin' }],
        ['./found', {}],
      ] as const) {
        const { messages, closed } = start(
          { command, args: [] },
          { env: own, cwd: scratch, guarded },
        )
        expect(await closed).toEqual({ code: 0, signal: null })
        expect(messages).toEqual(['found'])
      }
    }
  })
})

describe.skipIf(skip)('B33: the reaper knows a server before it runs', () => {
  const launch = { ...shell('echo up; cat'), env: { PATH: '/bin:/usr/bin' } }

  test('because the server registers itself, also if the gate is killed as soon as it has started it', async () => {
    // `cat` in the place of the reaper, and a gate that never comes to tell it anything.
    const listener = spawn('cat', { stdio: ['pipe', 'pipe', 'inherit'] })
    const { process: server } = spawnServer(launch, {
      pipe: listener.stdin,
      watch: () => undefined,
    })
    onTestFinished(() => [server, listener].forEach((child) => child.kill('SIGKILL')))
    expect(await linesOf(listener.stdout)()).toBe(`+${server.pid}`)
  })

  test('and it starts although the reaper has died this very moment', async () => {
    const listener = spawn('true', { stdio: ['pipe', 'ignore', 'inherit'] })
    // The event loop stands still meanwhile, so that this process has not noticed it yet.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
    const { process: server } = spawnServer(launch, {
      pipe: listener.stdin,
      watch: () => undefined,
    })
    onTestFinished(() => void server.kill('SIGKILL'))
    if (server.stdout === null) throw new Error('it has no output')
    expect(await linesOf(server.stdout)()).toBe('up')
  })
})
