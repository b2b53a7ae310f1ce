import { afterAll, describe, expect, test } from 'vitest'
import { readRow } from '../../src/audit/read-row.ts'
import { packRead, packRows, unpackRead, unpackRows } from '../../src/storage/row-pack.ts'
import { readerHere, readInOrder } from '../../src/storage/row-reader.ts'
import * as sources from '../../src/storage/row-workers.ts'
import { honestLog } from '../audit/honest-log.ts'
import { dist } from '../support/dist.ts'

const honest = honestLog().rows
/** A log with damage of several kinds in it. */
const rows = honest.map((row) => {
  if (row.seq === 7) return { ...row, body: Buffer.from('{"ü":1}') }
  if (row.seq === 8) return { ...row, body: new Uint8Array(0), leaf: new Uint8Array(0) }
  if (row.seq === 9) return { ...row, disclosures: 'ünïcode~' }
  if (row.seq === 10) return { ...row, leaf: new Uint8Array(32) }
  return row
})
const expected = rows.map((row) => readRow(row))

describe('rows that are handed to another thread', () => {
  test('come out as they went in', () => {
    const plain = (list: typeof rows): object[] =>
      list.map((row) => ({ ...row, leaf: [...row.leaf], body: [...row.body] }))
    expect(plain([...unpackRows(packRows(rows))])).toEqual(plain(rows))
    expect(unpackRows(packRows([]))).toEqual([])
  })

  test('and so does what was read of them', () => {
    expect(expected.map((read) => unpackRead(packRead(read)))).toEqual(expected)
    expect(expected.filter((read) => 'reason' in read)).toHaveLength(4)
  })
})

const built = (await import(`${dist}/storage/row-workers.js`)) as typeof sources
const threads = built.rowThreads(2)
afterAll(() => threads?.close())

describe('threads that read rows', () => {
  test.each([
    ['this one', readerHere],
    ['two others', threads],
  ])('%s: the order is that of the log, whatever is damaged', async (_name, reader) => {
    if (reader === undefined) throw new Error('there are no threads')
    const read = []
    for await (const part of readInOrder(rows, reader)) read.push(...part)
    expect(read).toEqual(expected)
  })

  test('may be let go of in the middle', async () => {
    const reader = threads ?? readerHere
    for await (const part of readInOrder(rows, reader)) {
      expect(part[0]).toEqual(expected[0])
      break
    }
    expect(await reader.read(rows.slice(0, 2))).toEqual(expected.slice(0, 2))
  })

  test('that have ended say so, and leave nobody waiting', async () => {
    const ended = built.rowThreads(1)
    const waiting = ended?.read(rows)
    await ended?.close()
    await expect(waiting).rejects.toThrow('a thread that reads records has ended')
    await expect(ended?.read(rows)).rejects.toThrow('a thread that reads records has ended')
  })

  test('there are none where their program is not built', () => {
    expect(sources.rowThreads(2)).toBeUndefined()
  })
})
