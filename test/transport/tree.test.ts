import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { ChannelEvents, CloseReason } from '../../src/transport/channel.ts'
import { ProcessTree } from '../../src/transport/tree.ts'
import { dist } from '../support/dist.ts'
import { requireOrSkip } from '../support/needs.ts'
import { collectGarbage, eventually, fixture, isRunning } from './processes.ts'

const skip = requireOrSkip('POSIX processes', process.platform !== 'win32')
const env = { PATH: process.env['PATH'] ?? '' }

/** Its methods are on the prototype, as those of a hub are. */
class Recorder implements ChannelEvents {
  readonly told: unknown[] = []
  onMessage(message: Uint8Array): void {
    this.told.push(Buffer.from(message).toString())
  }
  onOversize(bytes: number): void {
    this.told.push({ oversize: bytes })
  }
  onDrain(): void {
    this.told.push('drain')
  }
  onClose({ code, signal, error }: CloseReason): void {
    this.told.push({ code, signal, error: error?.message })
  }
}

describe.skipIf(skip)('all servers of a gate', () => {
  test('are stopped together, and their ends are told', async () => {
    const tree = new ProcessTree()
    const recorders = [new Recorder(), new Recorder(), new Recorder()]
    const children = recorders.map((recorder) =>
      tree.start({ ...fixture('echo'), env }, {}, recorder),
    )
    children[1]?.send(Buffer.from('hello'))
    await eventually(() => recorders[1]?.told.length === 1, 'it is back')
    await tree.stopAll()
    expect(recorders.map(({ told }) => told.at(-1))).toEqual(
      recorders.map(() => ({ code: 0, signal: null, error: undefined })),
    )
    expect(children.map(({ pid }) => pid ?? 0).filter(isRunning)).toEqual([])
    await tree.stopAll()
  })

  test('none is started once the gate stops: a lazy start must not slip through', async () => {
    const tree = new ProcessTree()
    const stopped = tree.stopAll()
    const recorder = new Recorder()
    const child = tree.start({ ...fixture('echo'), env }, {}, recorder)
    expect(() => child.send(Buffer.from('x'))).toThrow('the server has gone')
    await stopped
    await eventually(() => recorder.told.length === 1, 'it is told')
    expect(recorder.told).toEqual([
      { code: null, signal: null, error: expect.stringContaining('shutting down') as string },
    ])
  })

  test('stopAll waits for the helpers of a server that had crashed', async () => {
    const tree = new ProcessTree()
    const recorder = new Recorder()
    const script = '(trap "" TERM; exec sleep 60) & echo $!; exec >&-; exit 1'
    tree.start({ command: 'sh', args: ['-c', script], env }, { termMs: 300 }, recorder)
    await eventually(() => recorder.told.length === 2, 'it has crashed')
    await tree.stopAll()
    expect(isRunning(Number(recorder.told[0]))).toBe(false)
  })

  test('a server that has ended is not kept, however often it is started again', async () => {
    const tree = new ProcessTree()
    const recorder = new Recorder()
    const children = [1, 2, 3].map(
      () => new WeakRef(tree.start({ command: 'true', args: [], env }, {}, recorder)),
    )
    await eventually(() => recorder.told.length === 3, 'they have ended')
    await eventually(() => {
      collectGarbage()
      return children.every((child) => child.deref() === undefined)
    }, 'nothing refers to them')
    await tree.stopAll()
  })

  test('the reaper outlives no stop, and is not started again by one', async () => {
    const tree = new ProcessTree()
    tree.start({ ...fixture('echo'), env }, {}, new Recorder())
    const pid = tree.reaperPid ?? 0
    await tree.stopAll()
    expect(tree.reaperPid).toBeUndefined()
    await eventually(() => !isRunning(pid), 'it has ended')
  })

  test('a process whose servers have all ended ends by itself: nothing keeps it alive', async () => {
    const code = `
      import { ProcessTree } from '${dist}/transport/tree.js'
      const nothing = () => {}
      const events = { onMessage: nothing, onOversize: nothing, onDrain: nothing, onClose: nothing }
      new ProcessTree().start({ command: 'echo', args: ['x'], env: process.env }, {}, events)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'inherit' })
    const ended = await new Promise((resolve) => {
      child.on('exit', (status) => resolve(status))
    })
    expect(ended).toBe(0)
  })
})
