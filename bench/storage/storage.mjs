// How fast decisions become durable in a log whose head is signed at each commit, beside what the disk itself can do.
//
// Raw appends with fdatasync are measured between the rounds, because a disk is not equally fast at all times.
// `CAPFENCE_BENCH_FOLDER` names the disk; it is that of temporary files by default.
import {
  closeSync,
  fdatasyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { together, writers } from './processes.mjs'
import { commits, openLog } from './writer.mjs'

const rounds = 5
const roundMs = 500
const callerCounts = [1, 8, 32, 128]
/** Processes that write one file, and the callers of each. */
const processCounts = [1, 2, 4]
const callersOfProcess = 8
const rawName = 'raw append of 4 KiB + fdatasync'

/** Measures everything in turns; rates are per second. */
export async function storageBench() {
  const given = process.env.CAPFENCE_BENCH_FOLDER
  if (given !== undefined) mkdirSync(given, { recursive: true })
  const folder = mkdtempSync(join(given ?? tmpdir(), 'capfence-bench-'))
  const measured = new Map()
  const shares = []
  try {
    const path = join(folder, 'log.db')
    const engine = openLog(path)
    await commits(engine, { durability: 'process', callers: 1, ms: roundMs })
    for (let round = 0; round < rounds; round += 1) {
      add(measured, rawName, rawAppends(join(folder, 'raw')))
      for (const durability of ['process', 'power']) {
        for (const callers of callerCounts) {
          const how = { durability, callers, ms: roundMs }
          add(measured, nameOf(durability, callers), await commits(engine, how))
        }
      }
    }
    const size = await engine.size()
    await engine.close()
    const recordBytes = statSync(path).size / size
    for (let round = 0; round < rounds; round += 1) {
      for (const count of processCounts) {
        const ended = await writers(join(folder, 'shared.db'), {
          count,
          callers: callersOfProcess,
          ms: roundMs,
        })
        add(measured, processName(count), together(ended))
        if (count > 1) shares.push(fairness(ended))
      }
    }
    return answer(measured, { recordBytes, shares })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const nameOf = (durability, callers) =>
  `${durability}, ${callers} caller${callers === 1 ? '' : 's'}`
const processName = (count) =>
  `power, ${count} process${count === 1 ? '' : 'es'} of ${callersOfProcess} callers`

function answer(measured, rest) {
  const raw = measured.get(rawName)
  const rawPerSecond = perSecond(raw)
  const rows = Array.from(measured, ([name, { count, times, elapsedMs }]) => {
    const sorted = Float64Array.from(times).sort()
    const rate = perSecond({ count, elapsedMs })
    return {
      name,
      perSecond: rate,
      ofRaw: rate / rawPerSecond,
      p50Us: quantile(sorted, 0.5) * 1000,
      p99Us: quantile(sorted, 0.99) * 1000,
    }
  })
  const rate = (name) => rows.find((row) => row.name === name).perSecond
  const ratios = {
    grouped: rate(nameOf('power', 32)) / rate(nameOf('power', 1)),
    raw: rate(nameOf('power', 32)) / rawPerSecond,
    several: rate(processName(4)) / rate(processName(1)),
    // The worst round: nobody is kept out in any of them.
    fairness: Math.min(...rest.shares),
  }
  return { rows, ratios, recordBytes: rest.recordBytes }
}

/** What the slowest has of an equal share. */
function fairness(ended) {
  const rates = ended.map(({ count, elapsedMs }) => count / elapsedMs)
  return (Math.min(...rates) * rates.length) / rates.reduce((sum, one) => sum + one, 0)
}

function rawAppends(path) {
  const file = openSync(path, 'a')
  const page = Buffer.alloc(4096, 1)
  const times = []
  const startMs = performance.now()
  while (performance.now() < startMs + roundMs) {
    const before = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    times.push(performance.now() - before)
  }
  closeSync(file)
  return { times, elapsedMs: performance.now() - startMs }
}

function add(measured, name, { times, elapsedMs, count = times.length }) {
  const row = measured.get(name) ?? { count: 0, times: [], elapsedMs: 0 }
  row.count += count
  for (const time of times) row.times.push(time)
  row.elapsedMs += elapsedMs
  measured.set(name, row)
}

function perSecond({ count, elapsedMs }) {
  return (count / elapsedMs) * 1000
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
