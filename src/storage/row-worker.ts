import { parentPort } from 'node:worker_threads'
import { readRow } from '../audit/read-row.ts'
import { packRead, unpackRows, type PackedRead, type PackedRows } from './row-pack.ts'

/** What a thread that reads rows is asked. */
export interface RowsQuestion {
  readonly id: number
  readonly rows: PackedRows
}

/** What it answers. */
export interface RowsAnswer {
  readonly id: number
  readonly reads: readonly PackedRead[]
}

/** This file is the whole program of such a thread; there is nothing to do where it is only imported. */
parentPort?.on('message', ({ id, rows }: RowsQuestion) => {
  const answer: RowsAnswer = { id, reads: unpackRows(rows).map((row) => packRead(readRow(row))) }
  parentPort?.postMessage(answer)
})
