// npm run bench: prints every comparison with its target. Timings of a shared machine are noisy; the ratios, taken side
// by side in one run, are what counts.
import process from 'node:process'

import { stdioBench } from './stdio/stdio.mjs'

const wanted = process.argv.slice(2)
const wants = (name) => wanted.length === 0 || wanted.includes(name)
const print = (text = '') => process.stdout.write(`${text}\n`)

if (wants('stdio')) {
  const { rows, fdatasyncUs } = await stdioBench()
  const row = (name) => rows.find((candidate) => candidate.name === name)
  const direct = row('direct')
  print('stdio, one server')
  print(
    `${'variant'.padEnd(18)} p50 us   p99 us   added p50  added p99  calls/s (16)  10 MB ms  first reply ms`,
  )
  for (const { name, p50Us, p99Us, callsPerSecond, bigMs, firstReplyMs } of rows) {
    const columns = [
      p50Us.toFixed(0).padStart(6),
      p99Us.toFixed(0).padStart(8),
      (p50Us - direct.p50Us).toFixed(0).padStart(10),
      (p99Us - direct.p99Us).toFixed(0).padStart(10),
      callsPerSecond.toFixed(0).padStart(13),
      bigMs.toFixed(1).padStart(9),
      firstReplyMs.toFixed(0).padStart(15),
    ]
    print(`${name.padEnd(18)} ${columns.join(' ')}`)
  }
  print(`one appending fdatasync of 4 KiB: ${fdatasyncUs.toFixed(0)} us`)
  const hop = row('hop')
  const added = (name) => row(name).p50Us - direct.p50Us
  const hopAdded = hop.p50Us - direct.p50Us
  verdict('process durability adds at most 2x the hop', added('gate, process') / hopAdded, 2)
  verdict(
    'power durability adds at most 2x the hop and 1.5 fdatasync',
    added('gate, power') / (2 * hopAdded + 1.5 * fdatasyncUs),
    1,
  )
  verdict(
    'first reply within 1.5x the hop',
    row('gate, process').firstReplyMs / hop.firstReplyMs,
    1.5,
  )
  verdict('10 MB result within 3x direct', row('gate, process').bigMs / direct.bigMs, 3)
}

function verdict(target, ratio, limit) {
  print(
    `${ratio <= limit ? 'met   ' : 'MISSED'} ${target}: ${ratio.toFixed(2)} (limit ${String(limit)})`,
  )
}
