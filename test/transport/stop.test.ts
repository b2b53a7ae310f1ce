import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { stopTimes } from '../../src/transport/group.ts'
import { Reaper } from '../../src/transport/reaper.ts'
import { requireOrSkip } from '../support/needs.ts'
import { shell, start } from './children.ts'
import { eventually, fixture, isRunning, pause } from './processes.ts'

const skip = requireOrSkip('POSIX processes', process.platform !== 'win32')

describe.skipIf(skip)('the end of a server', () => {
  test('B33: all steps together stay below the two seconds that clients allow', () => {
    const { graceMs, termMs, killMs, outputMs } = stopTimes
    expect(graceMs + termMs + killMs + 2 * outputMs).toBeLessThan(2000)
  })

  test('stop resolves after the end was told, and may be called again', async () => {
    const { child, told } = start(fixture('echo'))
    await Promise.all([child.stop(), child.stop()])
    expect(told).toEqual(['closed'])
    await child.stop()
    expect(told).toEqual(['closed'])
  })

  test('a message after the end is refused: nobody may believe that it was sent', async () => {
    const { child, closed } = start(shell('exit 0'))
    await closed
    expect(child.closed).toBe(true)
    expect(() => child.send(Buffer.from('x'))).toThrow(
      expect.objectContaining({ code: 'UPSTREAM_UNAVAILABLE' }),
    )
  })

  test('a message while it is being stopped is refused', () => {
    const { child } = start(fixture('echo'))
    void child.stop()
    expect(child.closed).toBe(true)
    expect(() => child.send(Buffer.from('x'))).toThrow('the server has gone')
  })

  test('replies that are written while it stops are delivered', async () => {
    const { child, told } = start(shell('cat >/dev/null; echo bye'))
    await pause(100)
    await child.stop()
    expect(told).toEqual([3, 'closed'])
  })

  test('a polite server gets the end of its input and no signal', async () => {
    const { child, messages, closed } = start(
      shell('trap "echo signal" TERM; cat >/dev/null; echo end'),
    )
    await pause(100)
    await child.stop()
    expect(messages).toEqual(['end'])
    expect(await closed).toEqual({ code: 0, signal: null })
  })

  test('one that ignores the end of its input gets SIGTERM first', async () => {
    const { child, messages, closed } = start(
      shell('trap "echo term; exit 5" TERM; echo up; while :; do sleep 0.05; done'),
    )
    await eventually(() => messages.length === 1, 'it is up')
    await child.stop()
    expect(messages).toEqual(['up', 'term'])
    expect(await closed).toEqual({ code: 5, signal: null })
  })

  test('one that is stopped by SIGSTOP ends too', async () => {
    const { child, messages, closed } = start(
      shell('trap "echo term; exit 5" TERM; echo up; kill -STOP $$; sleep 5'),
    )
    await eventually(() => messages.length === 1, 'it is up')
    await child.stop()
    expect(await closed).toEqual({ code: 5, signal: null })
  })

  test('a crash ends the helpers, and is told although a helper holds the output open', async () => {
    const { messages, closed } = start(
      shell('sleep 60 & echo $!; (trap "" TERM; exec sleep 61) & echo $!; exit 4'),
    )
    expect(await closed).toEqual({ code: 4, signal: null })
    expect(messages.length).toBe(2)
    await eventually(() => !messages.map(Number).some(isRunning), 'the helpers have ended')
  })

  test.skipIf(process.platform !== 'linux')(
    'a crash ends whom a helper has in a session of its own',
    async () => {
      const helper = 'setsid sleep 60 >/dev/null & echo $!; wait'
      const { messages, closed } = start(shell(`sh -c '${helper}' & sleep 0.3; exit 4`))
      expect(await closed).toEqual({ code: 4, signal: null })
      await eventually(() => !isRunning(Number(messages[0])), 'it has ended')
    },
  )

  test('the reaper forgets a group when it is empty, not before, and once', async () => {
    const forget = vi.spyOn(Reaper.prototype, 'forget')
    onTestFinished(() => forget.mockRestore())
    const { child, messages, closed } = start(
      shell('(trap "" TERM; exec sleep 60 >/dev/null) & echo $!; exit 0'),
    )
    await closed
    expect(isRunning(Number(messages[0]))).toBe(true)
    expect(forget).not.toHaveBeenCalled()
    await child.stop()
    expect(isRunning(Number(messages[0]))).toBe(false)
    expect(forget.mock.calls).toEqual([[child.pid]])
  })

  test.skipIf(requireOrSkip('setsid', process.platform === 'linux'))(
    'a daemon that holds the output open does not hold back the end',
    async () => {
      // It leaves the group and the family, so it is not ours to end.
      const { messages, closed } = start(
        shell('(setsid sh -c "echo \\$\\$; exec sleep 30" &); sleep 0.3; exit 4'),
      )
      expect(await closed).toEqual({ code: 4, signal: null })
      process.kill(Number(messages[0]), 'SIGKILL')
    },
  )

  test('one that closes its output but lives on is ended', async () => {
    expect(await start(shell('exec >&-; exec sleep 60')).closed).toMatchObject({ code: null })
  })

  test('one that closes its input but lives on is ended at the next message', async () => {
    const { child, messages, closed } = start(shell('exec <&-; echo up; exec sleep 60'))
    await eventually(() => messages.length === 1, 'it is up')
    child.send(Buffer.from('x'))
    expect(await closed).toMatchObject({ signal: 'SIGTERM' })
  })

  test('stop does not wait for a receiver that never resumes', async () => {
    const { child, told } = start(fixture('flood', 1000, 100_000))
    child.pause()
    await pause(200)
    await child.stop()
    expect(told.at(-1)).toBe('closed')
  })
})
