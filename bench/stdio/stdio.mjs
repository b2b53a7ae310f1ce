// Side by side, in one run: a server alone, behind a process that only moves bytes, behind the gate with both
// durabilities, behind a naive proxy made of the SDK.
import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

import { Peer } from './peer.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const node = process.execPath
const server = [node, here('server.mjs')]

/**
 * Runs the comparison. Whatever is measured is measured of all variants in turns, round after round: a slow minute of the
 * machine slows all of them, and a ratio is the median of the ratios of the rounds.
 *
 * @returns one row for each variant, the time of one appending fdatasync, and the ratios that have targets
 */
export async function stdioBench({ rounds = 15, callsPerRound = 200 } = {}) {
  const folder = mkdtempSync(
    join(fileURLToPath(new URL('../..', import.meta.url)), '.capfence-bench-'),
  )
  try {
    const variants = variantsIn(folder)
    const first = await inTurns(variants, rounds, firstReply)
    const { calls, big, syncUs } = await latencies(variants, join(folder, 'sync'), {
      rounds,
      callsPerRound,
    })
    const perSecond = await inTurns(variants, 5, throughput)
    return {
      rows: Object.keys(variants).map((name) => ({
        name,
        p50Us: quantile(calls[name].flat(), 0.5),
        p99Us: quantile(calls[name].flat(), 0.99),
        callsPerSecond: quantile(perSecond[name], 0.5),
        bigMs: quantile(big[name], 0.5),
        firstReplyMs: quantile(first[name], 0.5),
      })),
      fdatasyncUs: quantile(syncUs, 0.5),
      ratios: ratiosOf({ calls, big, first, syncUs }),
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The median, over the rounds, of what the targets are about. */
function ratiosOf({ calls, big, first, syncUs }) {
  const p50 = (name, round) => quantile(calls[name][round], 0.5)
  const added = (name, round) => p50(name, round) - p50('direct', round)
  const ofRounds = (ratio) =>
    quantile(
      syncUs.map((_, round) => ratio(round)),
      0.5,
    )
  return {
    process: ofRounds((round) => added('gate, process', round) / added('hop', round)),
    power: ofRounds(
      (round) => added('gate, power', round) / (2 * added('hop', round) + 1.5 * syncUs[round]),
    ),
    firstReply: ofRounds((round) => first['gate, process'][round] / first.hop[round]),
    big: ofRounds((round) => big['gate, process'][round] / big.direct[round]),
  }
}

function variantsIn(folder) {
  const gate = (durability) => {
    const config = join(folder, `${durability}.json`)
    const policy = join(folder, 'policy.yaml')
    writeFileSync(policy, 'version: 1\nallow:\n  - bench.*\n')
    writeFileSync(
      config,
      JSON.stringify({
        mcpServers: { bench: { command: server[0], args: server.slice(1) } },
        policies: [policy],
        actor: 'bench',
        environment: 'development',
        storage: `sqlite:${join(folder, durability, 'log.db')}`,
        audit: { durability },
      }),
    )
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
    return [node, main, 'run', '--config', config, '--server', 'bench']
  }
  return {
    direct: server,
    hop: [node, here('hop.mjs'), ...server],
    'gate, process': gate('process'),
    'gate, power': gate('power'),
    'naive SDK proxy': [node, here('naive.mjs'), ...server],
  }
}

/** Measures every variant once a round, and gives the measurements of each. */
async function inTurns(variants, rounds, measure) {
  const found = Object.fromEntries(Object.keys(variants).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, command] of Object.entries(variants)) found[name].push(await measure(command))
  }
  return found
}

/** Sequential calls, one large result and some fdatasyncs a round. */
async function latencies(variants, syncPath, { rounds, callsPerRound }) {
  const peers = {}
  for (const [name, command] of Object.entries(variants)) {
    peers[name] = new Peer(command)
    await peers[name].initialize()
  }
  const round = async (peer) => {
    const times = []
    for (let call = 0; call < callsPerRound; call += 1) {
      const startedAt = performance.now()
      await peer.call('echo', { path: '/srv/data/file.txt', call })
      times.push((performance.now() - startedAt) * 1000)
    }
    return times
  }
  // What is not kept warms up.
  for (let warm = 0; warm < 2; warm += 1) await inTurns(peers, 1, round)
  await inTurns(peers, 2, bigResult)
  const calls = Object.fromEntries(Object.keys(peers).map((name) => [name, []]))
  const syncUs = []
  for (let at = 0; at < rounds; at += 1) {
    const one = await inTurns(peers, 1, round)
    for (const name of Object.keys(peers)) calls[name].push(...one[name])
    syncUs.push(fdatasyncMs(syncPath) * 1000)
  }
  const big = await inTurns(peers, rounds, bigResult)
  for (const peer of Object.values(peers)) await peer.close()
  return { calls, big, syncUs }
}

/** Calls a second with 16 in flight. */
async function throughput(command) {
  const peer = new Peer(command)
  await peer.initialize()
  await peer.call('echo', { warm: true })
  let done = 0
  const startedAt = performance.now()
  const lane = async () => {
    while (performance.now() < startedAt + 700) {
      await peer.call('echo', { path: '/srv/data/file.txt' })
      done += 1
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
  const seconds = (performance.now() - startedAt) / 1000
  await peer.close()
  return done / seconds
}

/** Milliseconds for a result of 10 MB. */
async function bigResult(peer) {
  const startedAt = performance.now()
  await peer.call('big', {})
  return performance.now() - startedAt
}

/** Milliseconds from the start of the command to its first reply. */
async function firstReply(command) {
  const startedAt = performance.now()
  const peer = new Peer(command)
  await peer.initialize()
  const took = performance.now() - startedAt
  await peer.close()
  return took
}

/** The median time of one appending fdatasync of 4 KiB, milliseconds. */
function fdatasyncMs(path) {
  const file = openSync(path, 'a')
  const block = Buffer.alloc(4096, 1)
  const times = []
  for (let write = 0; write < 40; write += 1) {
    const startedAt = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    times.push(performance.now() - startedAt)
  }
  closeSync(file)
  return quantile(times, 0.5)
}

function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
}
