import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { requireOrSkip } from '../support/needs.ts'
import { shell, start } from './children.ts'
import { eventually, fixture, pause } from './processes.ts'

const skip = requireOrSkip('POSIX processes', process.platform !== 'win32')
const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-child-')))
afterAll(() => rmSync(scratch, { recursive: true }))

describe.skipIf(skip)('a server as a child process', () => {
  for (const guarded of [true, false]) {
    const how = guarded ? 'through the registering shell' : 'directly'

    test(`started ${how}: messages go there and back in order`, async () => {
      const { child, messages } = start(fixture('echo'), { guarded })
      for (let index = 0; index < 1000; index += 1)
        child.send(Buffer.from(`{"id":`), Buffer.from(`${index}}`))
      await eventually(() => messages.length === 1000, 'all are back')
      expect(messages).toEqual(Array.from({ length: 1000 }, (_, index) => `{"id":${index}}`))
    })

    test(`started ${how}: arguments, environment and directory arrive as they are`, async () => {
      const args = ['', ' ', '$HOME `id` "$(id)"', "'", '*', '-n', '--', 'ä\n🎉', '\\', ';exit']
      const own = { PATH: '/bin:/usr/bin', A: '', B: 'x=y\nz', _X1: '$(id)', HOME: '/h', LC_X: 'ü' }
      const { messages, closed } = start(fixture('environment', ...args), {
        guarded,
        env: own,
        cwd: scratch,
      })
      expect(await closed).toEqual({ code: 0, signal: null })
      expect(JSON.parse(messages[0] ?? '')).toEqual({ env: own, args, cwd: scratch })
    })

    test.each([
      'npm_config_//registry/:_x',
      'A.B',
      '1A',
      'BASH_FUNC_echo%%',
      ...['IFS', 'PPID', 'OPTIND', 'LINENO', 'ENV', 'BASH_ENV', 'PS4', 'UID', 'SHELLOPTS'],
    ])(
      `started ${how}: the variable %s arrives too, which a shell drops or obeys`,
      async (name) => {
        const own = { PATH: '/bin:/usr/bin', [name]: '() { :; }' }
        const { messages, closed } = start(fixture('environment'), { guarded, env: own })
        await closed
        expect(JSON.parse(messages[0] ?? '')).toMatchObject({ env: own })
      },
    )

    test.each(['PWD', 'OLDPWD', 'SHLVL'])(`started ${how}: %s is not made up`, async (name) => {
      const { messages, closed } = start(fixture('environment'), {
        guarded,
        env: { PATH: '/bin:/usr/bin' },
      })
      await closed
      expect(JSON.parse(messages[0] ?? '')).not.toHaveProperty(['env', name])
    })

    test(`started ${how}: the pid is the pid of the server`, async () => {
      const { child, messages } = start(shell('echo $$; exec cat'), { guarded })
      await eventually(() => messages.length === 1, 'it wrote its pid')
      expect(messages).toEqual([String(child.pid)])
    })

    test(`started ${how}: no file of the gate is left open in the server`, async () => {
      const { messages } = start(shell('[ -e /dev/fd/3 ] && echo open || echo none'), { guarded })
      await eventually(() => messages.length === 1, 'it looked')
      expect(messages).toEqual(['none'])
    })

    test(`started ${how}: the exit status arrives, and a signal`, async () => {
      expect(await start(shell('exit 3'), { guarded }).closed).toEqual({ code: 3, signal: null })
      expect(await start(shell('kill -9 $$'), { guarded }).closed).toEqual({
        code: null,
        signal: 'SIGKILL',
      })
    })
  }

  test('what it wrote before it ended is delivered before the end', async () => {
    const { child, told, closed } = start(fixture('flood', 300, 30_000))
    child.pause()
    await pause(300)
    child.resume()
    await closed
    expect(told.length).toBe(302)
    expect(told.slice(-2)).toEqual([5, 'closed'])
  })

  test('a receiver that is slow when the server crashes still gets everything, then the end', async () => {
    const { child, told, messages } = start(shell('echo one; echo two; exit 1'), {
      events: {
        onMessage: (message) => {
          messages.push(Buffer.from(message).toString())
          child.pause()
        },
      },
    })
    // Longer than anybody is waited for who does not pause.
    await pause(1600)
    expect(messages).toEqual(['one'])
    expect(told).toEqual([])
    child.resume()
    expect(messages).toEqual(['one', 'two'])
    child.resume()
    await eventually(() => told.length > 0, 'it closes')
    expect(told).toEqual(['closed'])
  })

  test('B32: a message over the limit is dropped and told, and the channel lives on', async () => {
    const { child, told } = start(fixture('echo'), { maxMessageBytes: 1_000_000 })
    child.send(Buffer.alloc(11_000_000, 'x'))
    child.send(Buffer.from('ok'))
    await eventually(() => told.includes(2), 'the second message is back')
    expect(told.filter((what) => what !== 'drain')).toEqual([{ oversize: 1_000_000 }, 2])
  })

  test('a message of 11 MB goes there and back', async () => {
    const { child, messages } = start(fixture('echo'))
    const large = Buffer.alloc(11_000_000, 'x')
    child.send(Buffer.from('<'), large, Buffer.from('>'))
    await eventually(() => messages.length === 1, 'it is back')
    expect(messages[0] === `<${large.toString()}>`).toBe(true)
  })

  test('back-pressure: send says false while the server does not read, and tells when it does', async () => {
    const { child, told } = start(shell('sleep 0.5; cat >/dev/null; echo'))
    let sent = 0
    while (child.send(Buffer.alloc(10_000, 'x'))) sent += 10_000
    expect(sent).toBeLessThan(2_000_000)
    expect(told).toEqual([])
    await eventually(() => told.includes('drain'), 'it tells')
    expect(child.send(Buffer.from('x'))).toBe(true)
  })

  test.each(['sleep 0.3', 'sleep 0.3; exec >&-; sleep 0.1'])(
    'a drain that is owed comes before the end: %s',
    async (script) => {
      const { child, told, closed } = start(shell(script))
      expect(fill(child)).toBe('owed')
      await closed
      await pause(50)
      expect(told).toEqual(['drain', 'closed'])
    },
  )

  // Whether the pipe fills or breaks first is a race; either way a drain is told exactly when one is owed.
  test.each([0, 150])(
    'a server that closes its input is told of once, %s ms later too',
    async (lateMs) => {
      const { child, told, closed } = start(shell('exec <&-; sleep 0.3'))
      await pause(lateMs)
      const filled = fill(child)
      if (lateMs > 0) expect(filled).toBe('broken')
      await closed
      await pause(50)
      expect(told).toEqual(filled === 'owed' ? ['drain', 'closed'] : ['closed'])
    },
  )
})

/**
 * Sends until a drain is owed; `broken` when that never comes, because what is sent to a broken pipe is dropped.
 *
 * Bounded: `send` says true for ever once the pipe is broken, and nothing else runs meanwhile.
 */
function fill(child: { send(message: Uint8Array): boolean }): 'owed' | 'broken' {
  const message = Buffer.alloc(10_000, 'x')
  for (let sent = 0; sent < 1000; sent += 1) if (!child.send(message)) return 'owed'
  return 'broken'
}
