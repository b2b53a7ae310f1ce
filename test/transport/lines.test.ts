import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineSplitter } from '../../src/transport/lines.ts'
import { collectGarbage, eventually } from './processes.ts'

interface Split {
  readonly lines: readonly string[]
  readonly oversize: readonly number[]
}

function split(chunks: readonly (string | Uint8Array)[], maxLineBytes = 1000): Split {
  const lines: string[] = []
  const oversize: number[] = []
  const splitter = new LineSplitter({
    maxLineBytes,
    onLine: (line) => lines.push(Buffer.from(line).toString('latin1')),
    onOversize: (bytes) => oversize.push(bytes),
  })
  for (const chunk of chunks) splitter.push(Buffer.from(chunk))
  splitter.end()
  return { lines, oversize }
}

/** The memory of all buffers that are still in use. */
function bufferBytes(): number {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

/** What a line is, in one expression. */
function expected(text: string): string[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '')
}

describe('lines', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['a line in one chunk', ['one\n'], ['one']],
    ['several lines in one chunk', ['one\ntwo\nthree\n'], ['one', 'two', 'three']],
    ['a line in several chunks', ['o', 'n', 'e', '\n'], ['one']],
    [
      'the end of one and the start of the next in one chunk',
      ['on', 'e\ntw', 'o\n'],
      ['one', 'two'],
    ],
    ['an ending of two characters', ['one\r\ntwo\r\n'], ['one', 'two']],
    ['an ending of two characters, in two chunks', ['one\r', '\ntwo\r', '\n'], ['one', 'two']],
    ['a carriage return inside a line stays', ['o\rne\n'], ['o\rne']],
    ['only the last of two carriage returns goes', ['one\r\r\n'], ['one\r']],
    ['empty lines are ignored', ['\n\n\r\none\n\n', '\n', '\r', '\n'], ['one']],
    ['a line of one carriage return is empty', ['\r\n'], []],
    ['a last line without its ending is dropped', ['one\ntwo'], ['one']],
    ['a last line of many chunks without its ending is dropped', ['one\n', 't', 'w', 'o'], ['one']],
    ['nothing', [], []],
    ['empty chunks', ['', 'one', '', '\n', ''], ['one']],
  ])('%s', (_name, chunks, lines) => {
    expect(split(chunks)).toEqual({ lines, oversize: [] })
  })

  test('any cut of any bytes gives the same lines', () => {
    const bytes = fc.array(fc.constantFrom('\n', '\r', 'a', '\u00ff', '\0'), { maxLength: 60 })
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(60), { maxLength: 20 }), (characters, cuts) => {
        const text = Buffer.from(characters.join(''), 'latin1')
        const borders = [0, ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b)]
        const chunks = borders.map((start, index) => text.subarray(start, borders[index + 1]))
        expect(split(chunks).lines).toEqual(expected(text.toString('latin1')))
      }),
    )
  })

  test('pieces of every size are put together, whether they are copied or kept', () => {
    const sizes = [1, 2, 23, 24, 25, 4095, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000]
    const parts = [...sizes, ...sizes.toReversed(), 1, 300_000, 1, 1, 65_000, 65_000, 5]
    const content = Buffer.concat(parts.map((size, index) => Buffer.alloc(size, 65 + (index % 26))))
    let start = 0
    const chunks = parts.map((size) => content.subarray(start, (start += size)))
    const twice = [...chunks, '\n', 'short', '\n', ...chunks, '\r\n'].map((chunk) =>
      Buffer.from(chunk),
    )
    const text = content.toString('latin1')
    // Compared by identity: printing megabytes of difference helps nobody.
    const { lines } = split(twice, 10_000_000)
    expect(lines.length).toBe(3)
    expect(lines[0] === text && lines[1] === 'short' && lines[2] === text).toBe(true)
  })

  test('a line is not changed by what happens to the chunk afterwards', () => {
    const lines: Uint8Array[] = []
    const splitter = new LineSplitter({
      maxLineBytes: 100,
      onLine: (line) => lines.push(line),
      onOversize: () => undefined,
    })
    const chunk = Buffer.from('one\ntwo\n')
    splitter.push(chunk)
    chunk.fill(0)
    for (const text of ['th', 'ree\n', 'fo', 'ur\n']) splitter.push(Buffer.from(text))
    expect(lines.map(String)).toEqual(
      ['one', 'two', 'three', 'four'].map((text) => String(Buffer.from(text))),
    )
  })

  test('neither a short line nor an unfinished one keeps its large chunk in memory', async () => {
    const lines: Uint8Array[] = []
    const splitters = Array.from({ length: 20 }, () => {
      const splitter = new LineSplitter({
        maxLineBytes: 2_000_000,
        onLine: (line) => lines.push(line),
        onOversize: () => undefined,
      })
      // A short line, a line over the limit, and the start of a line.
      const chunk = Buffer.alloc(10_000_000, 'x')
      chunk[20_000] = 10
      chunk[9_979_999] = 10
      splitter.push(chunk)
      return splitter
    })
    // 200 MB went through; 20 lines and 20 unfinished lines of 20 kB are held.
    await eventually(() => bufferBytes() < 60_000_000, 'the chunks are gone')
    for (const splitter of splitters) splitter.push(Buffer.from('\n'))
    expect(lines.length).toBe(40)
    for (const { length, buffer } of lines) {
      expect(length).toBe(20_000)
      expect(buffer.byteLength).toBeLessThan(2 * length)
    }
  })

  test('no byte is lost where one block of memory follows another', () => {
    for (const bytes of [65_535, 65_536, 65_537, 131_073]) {
      const content = Buffer.from(Array.from({ length: bytes }, (_, index) => 32 + (index % 90)))
      const chunks = Array.from({ length: bytes }, (_, index) => content.subarray(index, index + 1))
      const { lines } = split([...chunks, '\n'], bytes)
      expect(lines[0] === content.toString('latin1')).toBe(true)
    }
  })
})

describe('B32: a line over the limit', () => {
  const atLimit = 'x'.repeat(10)
  const overLimit = 'x'.repeat(11)

  test.each<[string, readonly string[], readonly string[], number]>([
    ['of exactly the limit is handed over', [`${atLimit}\n`], [atLimit], 0],
    ['of exactly the limit, with \\r\\n', [`${atLimit}\r\n`], [atLimit], 0],
    ['of exactly the limit, cut before \\r', [atLimit, '\r\n'], [atLimit], 0],
    ['of exactly the limit, cut before \\n', [`${atLimit}\r`, '\n'], [atLimit], 0],
    ['of one byte more is dropped', [`${overLimit}\n`], [], 1],
    ['of one byte more, with \\r\\n', [`${overLimit}\r\n`], [], 1],
    ['of one byte more, cut before its end', [overLimit, '\n'], [], 1],
    ['in chunks of one byte', `${overLimit}${overLimit}\nok\n`.split(''), ['ok'], 1],
    [
      'is dropped up to its end, and the next line is good',
      [overLimit, overLimit, `${overLimit}\nok\n`],
      ['ok'],
      1,
    ],
    ['twice is reported twice', [`${overLimit}\n${overLimit}\nok\n`], ['ok'], 2],
    [
      'in many chunks is reported once',
      [...Array.from({ length: 9 }, () => overLimit), '\nok\n'],
      ['ok'],
      1,
    ],
    ['without an end is reported too', ['ok\n', overLimit, overLimit], ['ok'], 1],
  ])('%s', (_name, chunks, lines, reports) => {
    const result = split(chunks, 10)
    expect(result.lines).toEqual(lines)
    expect(result.oversize.length).toBe(reports)
    for (const limitBytes of result.oversize) expect(limitBytes).toBe(10)
  })

  test('is reported as soon as it is known, not when it ends', () => {
    const oversize: number[] = []
    const splitter = new LineSplitter({
      maxLineBytes: 10,
      onLine: () => undefined,
      onOversize: (bytes) => oversize.push(bytes),
    })
    splitter.push(Buffer.from('x'.repeat(12)))
    expect(oversize).toEqual([10])
  })

  test('takes no memory while it is skipped, however long', async () => {
    const splitter = new LineSplitter({
      maxLineBytes: 100_000,
      onLine: () => undefined,
      onOversize: () => undefined,
    })
    const before = bufferBytes()
    for (let chunk = 0; chunk < 2000; chunk += 1) splitter.push(Buffer.alloc(65_536, 'x'))
    // 125 MiB went through. What was freed is counted a little later.
    await eventually(() => bufferBytes() - before < 1_000_000, 'nothing is held')
  })
})

describe('B32: time is linear', () => {
  // A bound that a quadratic way exceeds many times over: it would copy 10^14 bytes for chunks of one byte.
  test.each([
    ['one byte', 32_000_000, 1],
    ['sixteen bytes', 32_000_000, 16],
    ['64 KiB', 131_072_000, 65_536],
  ])('a line in chunks of %s', (_name, bytes, chunkBytes) => {
    let got = 0
    const splitter = new LineSplitter({
      maxLineBytes: bytes,
      onLine: (line) => {
        got = line.length
      },
      onOversize: () => undefined,
    })
    const chunk = Buffer.alloc(chunkBytes, 'x')
    const startedMs = performance.now()
    for (let sent = 0; sent < bytes; sent += chunkBytes) splitter.push(chunk)
    splitter.push(Buffer.from('\n'))
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    expect(got).toBe(bytes)
  })
})

test('B32: a million empty lines cost next to nothing', () => {
  const startedMs = performance.now()
  expect(
    split([Buffer.alloc(1_000_000, '\n'), Buffer.alloc(1_000_000, '\r\n'), 'x\n']).lines,
  ).toEqual(['x'])
  expect(performance.now() - startedMs).toBeLessThan(5000)
})

describe('B29: order, and pausing in the middle of a chunk', () => {
  function recorder(onLine: (line: string, splitter: LineSplitter) => void): {
    splitter: LineSplitter
    lines: string[]
  } {
    const lines: string[] = []
    const splitter = new LineSplitter({
      maxLineBytes: 100,
      onLine: (line) => {
        lines.push(Buffer.from(line).toString())
        onLine(Buffer.from(line).toString(), splitter)
      },
      onOversize: () => lines.push('oversize'),
    })
    return { splitter, lines }
  }

  test('nothing is handed over while paused, and nothing is lost', () => {
    const { splitter, lines } = recorder((line, self) => {
      if (line === 'b') self.pause()
    })
    splitter.push(Buffer.from('a\nb\nc\nd'))
    splitter.push(Buffer.from('e\nf\n'))
    expect(lines).toEqual(['a', 'b'])
    expect(splitter.waiting).toBe(true)
    splitter.resume()
    expect(lines).toEqual(['a', 'b', 'c', 'de', 'f'])
    expect(splitter.waiting).toBe(false)
  })

  test('a receiver that pauses and resumes while it gets a line sees every line in order', () => {
    const { splitter, lines } = recorder((_line, self) => {
      self.pause()
      self.resume()
    })
    splitter.pause()
    for (const text of ['a\nb\nc', '\nd\ne', '\n']) splitter.push(Buffer.from(text))
    splitter.resume()
    expect(lines).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test('a receiver that pauses at every line gets one line per resume', () => {
    const { splitter, lines } = recorder((_line, self) => self.pause())
    splitter.push(Buffer.from('a\nb\nc\n'))
    for (const count of [1, 2, 3, 3]) {
      expect(lines.length).toBe(count)
      splitter.resume()
    }
  })

  test('what is left of a chunk comes before the chunks that arrived meanwhile', () => {
    const { splitter, lines } = recorder((_line, self) => self.pause())
    splitter.pause()
    for (const text of ['a\nb\nc', 'c\nd\n', 'e\n']) splitter.push(Buffer.from(text))
    while (splitter.waiting) splitter.resume()
    expect(lines).toEqual(['a', 'b', 'cc', 'd', 'e'])
  })

  test('any pauses at any cuts change nothing', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[ab\n]{0,9}$/), { maxLength: 9 }),
        fc.array(fc.boolean(), { maxLength: 60 }),
        (chunks, pauses) => {
          let turn = 0
          const { splitter, lines } = recorder((_line, self) => {
            if (pauses[turn++] === true) self.pause()
          })
          for (const chunk of chunks) {
            splitter.push(Buffer.from(chunk))
            if (pauses[turn++] === true) splitter.resume()
          }
          while (splitter.waiting) splitter.resume()
          expect(lines).toEqual(expected(chunks.join('')))
        },
      ),
    )
  })
})
