#!/usr/bin/env node
import { run } from './run.ts'

/*
 * `run` is dispatched by hand: a client waits for its first answer, so nothing is loaded that it does not need.
 *
 * For the same reason no file on its way imports `node:process`, where the global is the same thing: the import reads
 * every property of it, and some of them are slow to make.
 */
const [command, ...rest] = process.argv.slice(2)
process.exitCode = await (command === 'run' ? runGate(rest) : runOther(process.argv.slice(2)))

async function runGate(args: readonly string[]): Promise<number> {
  try {
    return await run(args)
  } catch (error) {
    const [{ reportError }, { processIo }] = await Promise.all([
      import('./report-error.ts'),
      import('./process-io.ts'),
    ])
    return reportError(error, processIo())
  }
}

async function runOther(args: readonly string[]): Promise<number> {
  const [{ runCommand }, { processIo }] = await Promise.all([
    import('./program.ts'),
    import('./process-io.ts'),
  ])
  return runCommand(args, processIo())
}
