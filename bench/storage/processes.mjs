// Several processes that write one log at the same time.
import { spawn } from 'node:child_process'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Starts so many processes on one log, lets them begin at once, and waits for what each has done. */
export async function writers(place, { count, callers, ms }) {
  const program = fileURLToPath(new URL('./writer.mjs', import.meta.url))
  const args = [program, place, String(callers), String(ms)]
  const started = []
  for (let at = 0; at < count; at += 1) {
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const ended = new Promise((resolve) => child.once('close', resolve))
    started.push({ child, lines, ended })
    // One after the other: on a busy file not even opening would end in time.
    await lines.next()
  }
  for (const { child } of started) child.stdin.end()
  return Promise.all(
    started.map(async ({ lines, ended }) => {
      const { value } = await lines.next()
      const code = await ended
      if (code !== 0) throw new Error(`a process that writes ended with ${code}`)
      return JSON.parse(value)
    }),
  )
}

/** What they have done in all. */
export function together(ended) {
  const count = ended.reduce((sum, one) => sum + one.count, 0)
  return { count, times: [], elapsedMs: Math.max(...ended.map(({ elapsedMs }) => elapsedMs)) }
}
