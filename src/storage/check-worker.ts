import { constants, setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import type { LogReport } from '../audit/log-report.ts'
import { verifyLog } from './verify-log.ts'

/** What a thread that verifies a log is told. */
export interface CheckQuestion {
  /** The database file, absolute. */
  readonly path: string
}

/** What it answers. */
export type CheckAnswer = Pick<LogReport, 'verdict' | 'reason'>

/** Whatever else is to be done, calls first of all, is done before; on Linux the number 0 means this thread alone. */
function standBack(): void {
  if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_LOW)
}

/** Whose log it is, the gate knows by its own keys; here the question is whether it is still what was written. */
async function answerTo({ path }: CheckQuestion): Promise<void> {
  const { report } = await verifyLog(path, { trustLog: true })
  const answer: CheckAnswer = { verdict: report.verdict, reason: report.reason }
  parentPort?.postMessage(answer)
}

/** This file is the whole program of such a thread; there is nothing to do where it is only imported. */
parentPort?.once('message', (question: CheckQuestion) => {
  standBack()
  void answerTo(question)
})
