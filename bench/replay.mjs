// How fast `capfence replay` goes through a million events, and whether its memory grows with them.
//
// An event is a call or an outcome, as a log has them: each is one line of a trace. Everything counts: the start of the
// command, the checksum, the report.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { policyText, writeTrace } from './replay/trace.mjs'

const cli = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
/** Nearly half of them are outcomes. */
const sizes = [62_500, 625_000]
const runs = 3

/** Says at the end how much memory the command took at most. */
const saysMemory = `data:text/javascript,process.on('exit', () => {
  process.stderr.write('\\nmaxRSS ' + process.resourceUsage().maxRSS)
})`

/** Replays traces under the policies that decided and under another one; best of several runs. */
export function replayBench() {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-bench-'))
  try {
    const other = join(folder, 'other.yaml')
    writeFileSync(other, `# The same in other bytes.\n${policyText}`)
    const rows = sizes.flatMap((calls) => {
      const trace = join(folder, `${calls}.jsonl`)
      const events = writeTrace(trace, calls) - 1
      const megabytes = statSync(trace).size / 1e6
      return [
        { name: 'as it was decided', args: [], most: 0 },
        // Nobody has the label at the very beginning; the trace says that everybody has it always.
        { name: 'under another policy', args: ['--policy', other], most: 7 },
      ].map(({ name, args, most }) => {
        const found = Array.from({ length: runs }, () => replayOnce([trace, ...args], most))
        const seconds = Math.min(...found.map((one) => one.seconds))
        const peakMb = Math.max(...found.map((one) => one.peakMb))
        return { name, calls, events, megabytes, seconds, peakMb, perSecond: events / seconds }
      })
    })
    const [small, smallOther, large, largeOther] = rows
    return {
      rows,
      slowestPerSecond: Math.min(large.perSecond, largeOther.perSecond),
      growth: Math.max(large.peakMb / small.peakMb, largeOther.peakMb / smallOther.peakMb),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function replayOnce(args, mostDifferent) {
  const begin = process.hrtime.bigint()
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', saysMemory, cli, 'replay', '--json', ...args],
    { encoding: 'utf8' },
  )
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9
  const { counts } = JSON.parse(stdout)
  if (counts.unknown > 0 || counts.different > mostDifferent) {
    throw new Error(`the replay of ${args.join(' ')} gives ${JSON.stringify(counts)}`)
  }
  const [, kilobytes] = /maxRSS (\d+)/.exec(stderr)
  return { seconds, peakMb: Number(kilobytes) / 1024 }
}
