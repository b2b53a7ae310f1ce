// npm run bench: what the gate costs, beside its targets. Timings of a shared machine are noisy; the ratios, taken side by
// side in one run, are what counts.
//   npm run bench                     stdio and policy: what a call costs
//   npm run bench -- storage json     only these parts; there are stdio, http, policy, storage, postgres, scan, replay,
//                                     verify, json and framing
//   npm ci --prefix bench/http/peers  what http is measured beside: mcp-proxy and supergateway
//   npm run bench -- --json           one object on standard output, for programs; the rest goes to standard error
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
/** Parts with targets return what they found; the others print. */
const measured = {
  stdio: benchStdio,
  http: benchHttp,
  policy: benchPolicy,
  storage: benchStorage,
  postgres: benchPostgres,
  scan: benchScan,
  replay: benchReplay,
}
/** What runs where no part is named. */
const usual = ['stdio', 'policy']
const printed = ['verify', 'json', 'framing']

const wanted = process.argv.slice(2).filter((word) => word !== '--json')
const asJson = process.argv.includes('--json')
const print = (text = '') => (asJson ? process.stderr : process.stdout).write(`${text}\n`)

await main()

async function main() {
  const known = [...Object.keys(measured), ...printed]
  const unknown = wanted.find((word) => !known.includes(word))
  if (unknown !== undefined) {
    process.stderr.write(`bench: there is no part \`${unknown}\`; there are ${known.join(', ')}\n`)
    process.exitCode = 2
    return
  }
  runNode('../scripts/build.mjs')
  const parts = wanted.length === 0 ? usual : wanted
  const found = {}
  const targets = []
  for (const part of parts) {
    if (printed.includes(part)) runNode(`./${part}.mjs`)
    else {
      const result = await measured[part]()
      found[part] = result.found
      targets.push(...result.targets)
    }
    print()
  }
  printTargets(targets)
  if (asJson) process.stdout.write(`${JSON.stringify({ ...found, targets })}\n`)
}

/** Runs a program of ours; what it prints is seen, but never mixed into an answer in JSON. */
function runNode(name) {
  const { status } = spawnSync(process.execPath, [here(name)], {
    stdio: ['ignore', asJson ? 2 : 1, 2],
  })
  if (status !== 0) process.exitCode = 1
}

async function benchStdio() {
  const { stdioBench } = await import('./stdio/stdio.mjs')
  const found = await stdioBench()
  const direct = found.rows.find(({ name }) => name === 'direct')
  print('stdio, one server; every measurement in turns with the others')
  print(
    `${'variant'.padEnd(18)} p50 us   p99 us   added p50  added p99  calls/s (16)  10 MB ms  first reply ms`,
  )
  for (const { name, p50Us, p99Us, callsPerSecond, bigMs, firstReplyMs } of found.rows) {
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
  print(`one appending fdatasync of 4 KiB: ${found.fdatasyncUs.toFixed(0)} us`)
  const { ratios } = found
  const targets = [
    target('process durability adds at most 2x what the hop adds, p50', ratios.process, 2),
    target('power durability adds at most 2x the hop and 1.5 fdatasync, p50', ratios.power, 1),
    target('first reply within 1.5x the hop', ratios.firstReply, 1.5),
    target('10 MB result within 3x direct', ratios.big, 3),
  ]
  return { found, targets }
}

async function benchHttp() {
  const { hasPeers, httpBench } = await import('./http/http.mjs')
  const found = await httpBench()
  const direct = found.rows.find(({ name }) => name === 'direct')
  print('HTTP, one session; every measurement in turns with the others')
  print(`${'variant'.padEnd(18)} p50 us   p99 us   added p50    cpu us  calls/s (16)  10 MB ms`)
  for (const { name, p50Us, p99Us, cpuUs, callsPerSecond, bigMs } of found.rows) {
    const columns = [
      p50Us.toFixed(0).padStart(6),
      p99Us.toFixed(0).padStart(8),
      (p50Us - direct.p50Us).toFixed(0).padStart(10),
      cpuUs.toFixed(0).padStart(9),
      callsPerSecond.toFixed(0).padStart(13),
      bigMs.toFixed(1).padStart(9),
    ]
    print(`${name.padEnd(18)} ${columns.join(' ')}`)
  }
  if (!hasPeers) print('mcp-proxy and supergateway: npm ci --prefix bench/http/peers')
  const { ratios } = found
  const targets = [target('10 MB result within 2x direct', ratios.big, 2)]
  if (hasPeers) {
    const what = 'before a server that it starts, adds at most a third of what mcp-proxy adds, p50'
    targets.push(target(what, ratios.mcpProxy, 1 / 3))
    const rate = 'with 16 in flight, gets at least the rate of mcp-proxy, which keeps no log'
    targets.push(atLeast(rate, ratios.throughput, 1))
  }
  return { found, targets }
}

async function benchScan() {
  const { scanBench } = await import('./scan.mjs')
  const found = scanBench()
  print('capfence scan, as a user starts it')
  print('        files  with tools       MB  findings       s')
  for (const { language, files, share, megabytes, findings, ms } of found.rows) {
    const columns = [
      language.padStart(5),
      String(files).padStart(7),
      `${(share * 100).toFixed(0)} %`.padStart(11),
      megabytes.toFixed(0).padStart(8),
      String(findings).padStart(9),
      (ms / 1000).toFixed(2).padStart(7),
    ]
    print(columns.join(' '))
  }
  const usualRows = found.rows.filter(({ share }) => share < 1)
  const worst = Math.max(...usualRows.map(({ ms }) => ms))
  return {
    found,
    targets: [
      target(
        '10,000 files, a fifth of them with tools, are scanned within 20 s, in s',
        worst / 1000,
        20,
      ),
    ],
  }
}

async function benchPolicy() {
  const { policyBench } = await import('./policy.mjs')
  const found = policyBench()
  print(
    'policy, one decision: p50 and p99 in microseconds, on the same rules and calls with the same answers',
  )
  const names = Object.keys(found.rows[0].engines)
  print(`  rules  ${['look-up', ...names].map((name) => name.padEnd(19)).join('')}look-ups`)
  for (const { rules, engines } of found.rows) {
    const { lookUp } = engines.capfence
    const columns = [lookUp, ...Object.values(engines)].map(({ p50Us, p99Us }) =>
      `${p50Us.toFixed(2).padStart(8)} ${p99Us.toFixed(2).padStart(9)} `.padEnd(19),
    )
    const lookUps = engines.capfence.p50Us / lookUp.p50Us
    print(`${String(rules).padStart(7)}  ${columns.join('')}${lookUps.toFixed(1).padStart(8)}`)
  }
  const { worst, diff } = found
  print(`10,000 rules are loaded in ${found.loadMs.toFixed(0)} ms by a fresh process`)
  print(
    `two policies of 100 rules are compared in ${diff.firstMs.toFixed(0)} ms by a fresh process, in ${diff.againMs.toFixed(0)} ms by one that has done it before`,
  )
  print(
    `worst decision found by the fuzzer: ${worst.ms.toFixed(1)} ms, ${worst.name}, ${String(worst.bytes)} bytes (of ${String(worst.cases)} calls)`,
  )
  return { found, targets: policyTargets(found) }
}

function policyTargets({ rows, loadMs, diff }) {
  const engines = (size) => rows.find(({ rules }) => rules === size).engines
  const inLookUps = (time, { lookUp }) => time / lookUp.p50Us
  const { capfence: few, cedar } = engines(10)
  const { capfence: thousand } = engines(1000)
  const { capfence: many } = engines(10_000)
  return [
    target(
      "twenty decisions cost no more than one of Cedar's at 10 rules, p50",
      (20 * few.p50Us) / cedar.p50Us,
      1,
    ),
    target(
      'a decision at 1,000 rules costs at most 10 Map look-ups, p50',
      inLookUps(thousand.p50Us, thousand),
      10,
    ),
    target('p99 at 10,000 rules is at most 60 Map look-ups', inLookUps(many.p99Us, many), 60),
    target('10,000 rules are loaded within 200 ms by a fresh process, in ms', loadMs, 200),
    target('two policies of 100 rules are compared within 100 ms, in ms', diff.againMs, 100),
    target(
      'two policies of 100 rules are compared within 100 ms by a fresh process, in ms',
      diff.firstMs,
      100,
    ),
  ]
}

async function benchStorage() {
  const { storageBench } = await import('./storage/storage.mjs')
  const found = await storageBench()
  print('storage: decisions in a log with a signed head, beside what the disk can do, in turns')
  print(
    `${'what'.padEnd(34)}${'per s'.padStart(9)}${'of raw'.padStart(9)}${'p50 us'.padStart(9)}${'p99 us'.padStart(9)}`,
  )
  for (const { name, perSecond, ofRaw, p50Us, p99Us } of found.rows) {
    const numbers = [perSecond.toFixed(0), ofRaw.toFixed(2)]
    const times = [p50Us, p99Us].map((time) => (Number.isNaN(time) ? '' : time.toFixed(0)))
    print(name.padEnd(34) + [...numbers, ...times].map((cell) => cell.padStart(9)).join(''))
  }
  print(`a record takes ${found.recordBytes.toFixed(0)} bytes of the database`)
  const { ratios } = found
  const targets = [
    atLeast('32 callers get at least 4x the rate of one, synced', ratios.grouped, 4),
    atLeast('32 callers get at least the rate of raw synced appends', ratios.raw, 1),
    atLeast('four processes on one file get at least half the rate of one', ratios.several, 0.5),
    atLeast('the slowest of several processes gets half its share', ratios.fairness, 0.5),
  ]
  return { found, targets }
}

function atLeast(name, ratio, limit) {
  return { name, ratio, limit, isLeast: true, met: ratio >= limit }
}

async function benchPostgres() {
  const { postgresBench } = await import('./storage/postgres.mjs')
  const found = await postgresBench()
  print('postgres: synced decisions of processes that write one log, on this machine, in turns')
  print(`${'what'.padEnd(40)}${'per s'.padStart(9)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}`)
  for (const { name, perSecond, p50Ms, p99Ms } of found.rows) {
    const cells = [perSecond.toFixed(0), p50Ms.toFixed(1), p99Ms.toFixed(1)]
    print(name.padEnd(40) + cells.map((cell) => cell.padStart(9)).join(''))
  }
  return { found, targets: [] }
}

async function benchReplay() {
  const { replayBench } = await import('./replay.mjs')
  const found = replayBench()
  print('replay of a trace: calls and their outcomes, with everything around; best of three')
  print(
    `${'what'.padEnd(22)}${'calls'.padStart(9)}${'events'.padStart(11)}${'MB'.padStart(6)}${'s'.padStart(7)}${'events/s'.padStart(10)}${'calls/s'.padStart(10)}${'peak MB'.padStart(9)}`,
  )
  for (const { name, calls, events, megabytes, seconds, perSecond, peakMb } of found.rows) {
    const cells = [calls, events].map((count) => String(count))
    const rates = [perSecond, calls / seconds, peakMb].map((rate) => rate.toFixed(0))
    print(
      `${name.padEnd(22)}${cells[0].padStart(9)}${cells[1].padStart(11)}${megabytes.toFixed(0).padStart(6)}${seconds.toFixed(1).padStart(7)}${rates[0].padStart(10)}${rates[1].padStart(10)}${rates[2].padStart(9)}`,
    )
  }
  const targets = [
    atLeast('a million events, thousands a second', found.slowestPerSecond / 1000, 50),
    target('ten times the events take at most 1.5x the memory', found.growth, 1.5),
  ]
  return { found, targets }
}

function target(name, ratio, limit) {
  return { name, ratio, limit, met: ratio <= limit }
}

function printTargets(targets) {
  if (targets.length === 0) return
  print('targets')
  for (const { name, ratio, limit, isLeast, met } of targets) {
    const bound = isLeast === true ? 'at least' : 'limit'
    print(`${met ? 'met   ' : 'MISSED'} ${name}: ${ratio.toFixed(2)} (${bound} ${String(limit)})`)
  }
}
