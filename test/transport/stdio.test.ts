import { PassThrough, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { ChannelEvents, CloseReason } from '../../src/transport/channel.ts'
import { openStdio, type StdioChannel } from '../../src/transport/stdio.ts'
import { pause } from './processes.ts'

interface Front {
  readonly channel: StdioChannel
  readonly input: PassThrough
  /** What the channel told, in order. */
  readonly told: unknown[]
}

function front(output: Writable = new PassThrough(), events: Partial<ChannelEvents> = {}): Front {
  const input = new PassThrough()
  const told: unknown[] = []
  const channel = openStdio({
    input,
    output,
    maxMessageBytes: 100,
    events: {
      onMessage: (message) => told.push(Buffer.from(message).toString()),
      onOversize: (bytes) => told.push({ oversize: bytes }),
      onDrain: () => told.push('drain'),
      onClose: (reason: CloseReason) => told.push({ closed: reason }),
      ...events,
    },
  })
  return { channel, input, told }
}

/** A reader that takes a chunk only when told to, like a pipe that is full. */
class StuckOutput extends Writable {
  readonly taken: string[] = []
  #release: (() => void) | undefined

  constructor() {
    super({ highWaterMark: 100 })
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#take([chunk], done)
  }

  override _writev(chunks: readonly { chunk: Buffer }[], done: () => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  release(): void {
    const release = this.#release
    this.#release = undefined
    release?.()
  }

  #take(chunks: readonly Buffer[], done: () => void): void {
    this.taken.push(Buffer.concat(chunks).toString())
    this.#release = done
  }
}

const closed = { closed: { code: null, signal: null } }

describe('the front over standard streams', () => {
  test('hands over what the client writes, in order, and then that it closed', async () => {
    const { input, told } = front()
    input.write('one\ntw')
    input.end('o\r\nlost')
    await pause(20)
    expect(told).toEqual(['one', 'two', closed])
  })

  test('B32: a message over the limit is dropped and told, and the next one is good', async () => {
    const { input, told } = front()
    input.write(`${'x'.repeat(101)}\n${'y'.repeat(100)}\n`)
    await pause(20)
    expect(told).toEqual([{ oversize: 100 }, 'y'.repeat(100)])
  })

  test('writes the pieces of a message back to back, and a newline', async () => {
    const output = new PassThrough()
    const { channel } = front(output)
    const large = Buffer.alloc(200_000, 'z')
    expect(channel.send(Buffer.from('{"a":'), Buffer.from('1}'))).toBe(true)
    channel.send()
    channel.send(Buffer.from('<'), large, Buffer.from('>'))
    channel.send(Buffer.from('last'))
    output.end()
    let text = ''
    for await (const chunk of output) text += String(chunk)
    expect(text === `{"a":1}\n\n<${large.toString()}>\nlast\n`).toBe(true)
  })

  test('hands over nothing while paused, and not the end either', async () => {
    const { channel, input, told } = front()
    channel.pause()
    input.write('one\ntwo\n')
    input.end('three\n')
    await pause(20)
    expect(told).toEqual([])
    channel.resume()
    await pause(20)
    expect(told).toEqual(['one', 'two', 'three', closed])
  })

  test('stays paused when somebody else lets the stream flow, as Node does when a child exits', async () => {
    const { channel, input, told } = front()
    channel.pause()
    input.resume()
    for (let chunk = 0; chunk < 100; chunk += 1) {
      input.write(Buffer.alloc(10_000, '\n'))
      await pause(0)
    }
    input.write('one\n')
    // What has not been read is still in the stream, which holds back whoever writes.
    expect(input.isPaused()).toBe(true)
    expect(input.writableNeedDrain).toBe(true)
    expect(told).toEqual([])
    channel.resume()
    await pause(20)
    expect(told).toEqual(['one'])
  })

  test('stops in the middle of a chunk when the receiver pauses', async () => {
    const seen: string[] = []
    const { channel, input, told } = front(new PassThrough(), {
      onMessage: (message) => {
        seen.push(Buffer.from(message).toString())
        channel.pause()
      },
    })
    input.end('one\ntwo\nthree\n')
    for (const messages of [['one'], ['one', 'two'], ['one', 'two', 'three']]) {
      await pause(20)
      expect(seen).toEqual(messages)
      expect(told).toEqual([])
      channel.resume()
    }
    await pause(20)
    expect(told).toEqual([closed])
  })

  test('says false while the client does not read, and tells when it does again', async () => {
    const output = new StuckOutput()
    const { channel, told } = front(output)
    expect(channel.send(Buffer.alloc(10))).toBe(true)
    expect(channel.send(Buffer.alloc(100))).toBe(false)
    expect(channel.send(Buffer.alloc(1))).toBe(false)
    expect(told).toEqual([])
    for (const _ of [1, 2, 3]) {
      output.release()
      await pause(5)
    }
    expect(told).toEqual(['drain'])
    expect(channel.send(Buffer.alloc(1))).toBe(true)
  })

  test('tells of a drain only after a false', async () => {
    const output = new Writable({ highWaterMark: 10, write: (_chunk, _encoding, done) => done() })
    const { channel, told } = front(output)
    // Larger than the mark, but already written when `send` returns: nobody has to wait.
    expect(channel.send(Buffer.alloc(1000))).toBe(true)
    await pause(20)
    expect(told).toEqual([])
  })
})

describe('a client that is gone', () => {
  function brokenOutput(): Writable {
    const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    return new Writable({ write: (_chunk, _encoding, done) => done(error) })
  }

  test('EPIPE closes the channel once, and is no exception', async () => {
    const { channel, input, told } = front(brokenOutput())
    channel.send(Buffer.from('one'))
    await pause(20)
    expect(told).toEqual([closed])
    expect(channel.send(Buffer.from('two'))).toBe(true)
    input.end()
    await pause(20)
    expect(told).toEqual([closed])
  })

  test('a drain that is owed comes before the end', async () => {
    const output = new StuckOutput()
    const { channel, told } = front(output)
    expect(channel.send(Buffer.alloc(200))).toBe(false)
    output.destroy()
    await pause(20)
    expect(told).toEqual(['drain', closed])
  })

  test('one that only closed its writing end still gets its replies', async () => {
    const output = new PassThrough()
    const { channel, input, told } = front(output)
    input.end()
    await pause(20)
    expect(told).toEqual([closed])
    channel.send(Buffer.from('reply'))
    expect(String(output.read())).toBe('reply\n')
  })

  test('an input that fails counts as closed', async () => {
    const { input, told } = front()
    input.write('one\n')
    await pause(5)
    input.destroy(new Error('read EIO'))
    await pause(20)
    expect(told).toEqual(['one', closed])
  })
})

describe('flush', () => {
  test('waits until everything queued is written', async () => {
    const output = new StuckOutput()
    const { channel } = front(output)
    channel.send(Buffer.from('one'))
    channel.send(Buffer.from('two'))
    let flushed: boolean | undefined
    const waiting = channel.flush(5000).then((result) => (flushed = result))
    output.release()
    await pause(5)
    expect(flushed).toBeUndefined()
    output.release()
    await pause(5)
    output.release()
    await waiting
    expect(flushed).toBe(true)
    expect(output.taken.join('')).toBe('one\ntwo\n')
  })

  test('is at once when nothing is queued', async () => {
    expect(await front().channel.flush()).toBe(true)
  })

  test('gives up on a client that does not read', async () => {
    const { channel } = front(new StuckOutput())
    channel.send(Buffer.from('one'))
    expect(await channel.flush(30)).toBe(false)
  })

  test('says false for a client that is gone, or goes meanwhile', async () => {
    const output = new StuckOutput()
    const { channel } = front(output)
    channel.send(Buffer.from('one'))
    const waiting = channel.flush(600_000)
    output.destroy()
    expect(await waiting).toBe(false)
    expect(await channel.flush(5000)).toBe(false)
  })
})

test('close lets go of the input, and says so once', async () => {
  const { channel, input, told } = front()
  input.write('one\n')
  await pause(5)
  channel.close()
  expect(told).toEqual(['one', closed])
  expect(input.destroyed).toBe(true)
  channel.close()
  await pause(20)
  expect(told).toEqual(['one', closed])
})
