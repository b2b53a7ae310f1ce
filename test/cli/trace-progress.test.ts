import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Io } from '../../src/cli/io.ts'
import { TraceProgress } from '../../src/cli/trace-progress.ts'
import { cli } from '../support/dist.ts'
import { root } from '../support/root.ts'

interface Place {
  readonly io: Io
  readonly said: string[]
  nowMs: number
}

function place(isTerminal: boolean): Place {
  const said: string[] = []
  const output = {
    write: async (text: string) => void said.push(text),
    isTerminal,
    columns: undefined,
    hasColour: false,
  }
  const secret = async (): Promise<string> => ''
  const made: Place = {
    said,
    nowMs: 1000,
    io: {
      out: output,
      err: output,
      variables: {},
      nowMs: () => made.nowMs,
      secrets: { fromTerminal: secret, fromInput: secret },
      stopped: new AbortController().signal,
    },
  }
  return made
}

test('a terminal has a bar, which goes away at the end', async () => {
  const at = place(true)
  const progress = new TraceProgress(at.io)
  progress.begin(1000)
  progress.note(100, 50)
  expect(at.said).toEqual([])
  at.nowMs = 2000
  progress.note(400, 10_000)
  expect(at.said).toEqual([
    '\r\u001B[K[############------------] 50 %, 10,000 lines, 10,000/s, 1 s left',
  ])
  await progress.end()
  expect(at.said.at(-1)).toBe('\r\u001B[K')
})

test('elsewhere a line now and then; of a pipe nobody knows the end', async () => {
  const at = place(false)
  const progress = new TraceProgress(at.io)
  progress.begin(undefined)
  at.nowMs = 5999
  progress.note(10, 10)
  at.nowMs = 6000
  progress.note(10, 20_000)
  await progress.end()
  expect(at.said).toEqual(['20,000 lines, 4,000/s\n'])
})

test('a trace is read from a pipe too', () => {
  const folder = join(root, 'fixtures/traces')
  const args = ['replay', '-', '--policy', join(folder, 'agents.yaml'), '--json']
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    input: readFileSync(join(folder, 'safe.jsonl')),
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'same', counts: { calls: 12 } })
})
