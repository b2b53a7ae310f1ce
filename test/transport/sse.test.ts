import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { EventReader } from '../../src/transport/sse.ts'

interface Heard {
  readonly data: string[]
  readonly ids: string[]
  readonly retries: number[]
  oversize: number
}

/** Hands the pieces to a reader, one after the other. */
function heard(pieces: readonly Uint8Array[], maxDataBytes = 1000): Heard {
  const all: Heard = { data: [], ids: [], retries: [], oversize: 0 }
  const reader = new EventReader({
    maxDataBytes,
    onData: (data) => void all.data.push(Buffer.from(data).toString()),
    onId: (id) => void all.ids.push(id),
    onRetry: (ms) => void all.retries.push(ms),
    onOversize: () => {
      all.oversize += 1
    },
  })
  for (const piece of pieces) reader.push(Buffer.from(piece))
  return all
}

const textOf = (text: string): readonly Uint8Array[] => [Buffer.from(text)]

describe('a stream of events is read as the standard says', () => {
  const cases: readonly (readonly [name: string, stream: string, data: readonly string[]])[] = [
    ['one event', 'data: a\n\n', ['a']],
    ['several lines of data', 'data: a\ndata:b\ndata:  c\n\n', ['a\nb\n c']],
    ['an event without its end', 'data: a\n\ndata: b\n', ['a']],
    ['comments and fields of other names', ': hello\ndata: a\nfoo: b\nevent: x\n\n', ['a']],
    ['a name without a colon', 'data\ndata: a\n\n', ['\na']],
    ['data without any text is no event', 'data\n\nid: 1\n\n', []],
    ['a byte order mark, once', '\uFEFFdata: a\n\n\uFEFFdata: b\n\n', ['a']],
    ['every kind of line end', 'data: a\r\rdata: b\r\n\r\ndata: c\n\r\n', ['a', 'b', 'c']],
    ['names are not loose', 'Data: a\n data: b\ndata : c\n\n', []],
    ['text outside ASCII', 'data: hé✓\u{1F600}\n\n', ['hé✓\u{1F600}']],
    ['a line that looks like a longer name', 'datax: a\ndata: b\n\n', ['b']],
  ]
  test.each(cases)('%s', (_, stream, data) => {
    expect(heard(textOf(stream)).data).toEqual(data)
  })

  test.each(cases)('%s, split at every byte', (_, stream, data) => {
    const bytes = Buffer.from(stream)
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(heard([bytes.subarray(0, at), bytes.subarray(at)]).data).toEqual(data)
    }
    expect(heard([...bytes].map((byte) => Uint8Array.of(byte))).data).toEqual(data)
  })

  test('how a stream is cut changes nothing', () => {
    const parts = fc.constantFrom(
      'data: ',
      'data:x',
      '\n',
      '\r',
      '\r\n',
      ':c',
      'id: 7',
      '\n\n',
      'é',
    )
    const cuts = fc.array(fc.nat(200), { maxLength: 12 })
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 40 }), cuts, (list, places) => {
        const bytes = Buffer.from(list.join(''))
        const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length]
        const ordered = at.toSorted((one, other) => one - other)
        const pieces = ordered.slice(1).map((end, index) => bytes.subarray(ordered[index], end))
        expect(heard(pieces)).toEqual(heard([bytes]))
      }),
      { seed: 61, numRuns: 500 },
    )
  })

  test('ids and times are told, those that are none are not', () => {
    const stream =
      'id: 1\nretry: 50\ndata: a\n\nid: \n\nid: a\0b\n\nretry: -1\nretry: 1e3\nretry: x\nretry: 1234567890\n\n'
    expect(heard(textOf(stream))).toMatchObject({ ids: ['1', ''], retries: [50] })
  })

  test('the id of an event is told before its data, so that it is not asked for again', () => {
    const order: string[] = []
    const reader = new EventReader({
      maxDataBytes: 100,
      onData: () => void order.push('data'),
      onId: () => void order.push('id'),
      onRetry: () => undefined,
      onOversize: () => undefined,
    })
    reader.push(Buffer.from('data: a\nid: 1\n\n'))
    expect(order).toEqual(['id', 'data'])
  })

  test('an id at its bound counts, a longer one does not', () => {
    const id = 'x'.repeat(limits.maxEventIdBytes)
    expect(heard(textOf(`id: ${id}\n\nid: y${id}\n\n`), 10_000).ids).toEqual([id])
  })
})

describe('B32: what is over a bound is dropped, with everything after it', () => {
  test('an event at the bound passes, one byte more does not', () => {
    expect(heard(textOf(`data: ${'x'.repeat(10)}\n\n`), 10)).toMatchObject({ oversize: 0 })
    const over = heard(textOf(`data: ${'x'.repeat(11)}\n\ndata: a\n\n`), 10)
    expect(over).toMatchObject({ oversize: 1, data: [] })
  })

  test('lines count together, with the newlines between them', () => {
    expect(heard(textOf('data: xxxx\ndata: xxxxx\n\n'), 10)).toMatchObject({ oversize: 0 })
    expect(heard(textOf('data: xxxxx\ndata: xxxxx\n\n'), 10)).toMatchObject({ oversize: 1 })
  })

  test('a line without an end is not kept', () => {
    const piece = Buffer.alloc(64, 'x')
    const over = heard([Buffer.from('data: '), ...Array.from({ length: 50 }, () => piece)], 1000)
    expect(over).toMatchObject({ oversize: 1, data: [] })
  })

  test('an event of very many empty lines', () => {
    const stream = 'data:\n'.repeat(limits.maxEventLines + 1)
    expect(heard(textOf(`${stream}\n`), 1e9)).toMatchObject({ oversize: 1, data: [] })
    const fine = heard(textOf(`${'data:\n'.repeat(limits.maxEventLines)}\n`), 1e9)
    expect(fine).toMatchObject({ oversize: 0 })
    expect(fine.data[0]).toHaveLength(limits.maxEventLines - 1)
  })

  test('a megabyte, a byte at a time, takes a time that grows with their number only', () => {
    const bytes = Buffer.from(`data: ${'x'.repeat(1_000_000)}\n\n`)
    const started = performance.now()
    const all = heard(
      [...bytes].map((byte) => Uint8Array.of(byte)),
      2_000_000,
    )
    expect(all.data[0]).toHaveLength(1_000_000)
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

test('a reader that waits hands over nothing, also in the middle of a chunk', () => {
  const data: string[] = []
  const reader = new EventReader({
    maxDataBytes: 100,
    onData: (bytes) => {
      data.push(Buffer.from(bytes).toString())
      reader.pause()
    },
    onId: () => undefined,
    onRetry: () => undefined,
    onOversize: () => undefined,
  })
  reader.push(Buffer.from('data: a\n\ndata: b\n\ndata: c\n\n'))
  expect(data).toEqual(['a'])
  expect(reader.waiting).toBe(true)
  reader.resume()
  expect(data).toEqual(['a', 'b'])
  reader.resume()
  expect([data, reader.waiting]).toEqual([['a', 'b', 'c'], false])
})
