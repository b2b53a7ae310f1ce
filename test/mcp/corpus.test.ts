import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { inspectClientMessage } from '../../src/mcp/inspect-client.ts'
import { MessageRefusal } from '../../src/mcp/message.ts'
import type { ClientMessage } from '../../src/mcp/message.ts'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'

interface Case {
  readonly id: string
  readonly kind: string
  readonly expect: string
  readonly note: string
  readonly raw_b64: string
  readonly framed_b64?: string
}

const path = 'corpora/json/json_cases.jsonl'
const missing = requireSharedOrSkip(path)
const cases: readonly Case[] = missing
  ? []
  : readFileSync(sharedPath(path), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Case)

function inspect(bytes: Buffer): ClientMessage | MessageRefusal {
  try {
    return inspectClientMessage(bytes)
  } catch (error) {
    if (error instanceof MessageRefusal) return error
    throw error
  }
}

const named = ({ id, note }: Case): string => `${id} ${note}`

describe.skipIf(missing)('published cases, each as the value inside a call', () => {
  const framed = cases.flatMap((row) =>
    row.framed_b64 === undefined ? [] : [{ row, bytes: Buffer.from(row.framed_b64, 'base64') }],
  )

  test('what is no JSON is refused, what is JSON passes', () => {
    const wrong = framed.filter(({ row, bytes }) => {
      const refused = inspect(bytes) instanceof MessageRefusal
      return (row.expect === 'reject' && !refused) || (row.expect === 'accept' && refused)
    })
    expect(framed.length).toBeGreaterThan(100)
    expect(wrong.map(({ row }) => named(row))).toEqual([])
  })

  test('what readers differ about is refused, or is numbers alone, which are kept as they are written', () => {
    const unclear = framed.filter(({ row }) => !['reject', 'accept'].includes(row.expect))
    const passed = unclear.filter(({ bytes }) => !(inspect(bytes) instanceof MessageRefusal))
    expect(unclear.length).toBeGreaterThan(20)
    expect(passed.map(({ row }) => row.note).filter((note) => !note.includes('number_'))).toEqual(
      [],
    )
  })

  test('two keys that collide are refused', () => {
    const collisions = cases.filter((row) => row.kind === 'key_collision')
    const passed = collisions.filter(
      (row) => !(inspect(Buffer.from(row.raw_b64, 'base64')) instanceof MessageRefusal),
    )
    expect(collisions.length).toBeGreaterThan(20)
    expect(passed.map(named)).toEqual([])
  })

  test('amounts in odd notation pass this layer as they are written', () => {
    for (const row of cases.filter(({ kind }) => kind === 'number_guard')) {
      expect(inspect(Buffer.from(row.raw_b64, 'base64')), named(row)).toMatchObject({
        kind: 'request',
      })
    }
  })
})
