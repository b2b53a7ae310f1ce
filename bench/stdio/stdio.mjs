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

/** Runs the comparison and returns one row for each variant. */
export async function stdioBench({ rounds = 12, callsPerRound = 250, starts = 7 } = {}) {
  const folder = mkdtempSync(
    join(fileURLToPath(new URL('../..', import.meta.url)), '.capfence-bench-'),
  )
  try {
    const variants = variantsIn(folder)
    const latency = await latencies(variants, rounds, callsPerRound)
    const sync = fdatasyncMs(join(folder, 'sync'))
    return { rows: await rest(variants, latency, starts), fdatasyncUs: sync * 1000 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
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

/** Sequential calls, in rounds that take turns, so that a slow second of the machine hits every variant. */
async function latencies(variants, rounds, callsPerRound) {
  const peers = {}
  const samples = {}
  for (const [name, command] of Object.entries(variants)) {
    peers[name] = new Peer(command)
    await peers[name].initialize()
    await peers[name].call('echo', { warm: true })
    samples[name] = []
  }
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, peer] of Object.entries(peers)) {
      for (let call = 0; call < callsPerRound; call += 1) {
        const startedAt = performance.now()
        await peer.call('echo', { path: '/srv/data/file.txt', round, call })
        // The first round warms up.
        if (round > 0) samples[name].push((performance.now() - startedAt) * 1000)
      }
    }
  }
  for (const peer of Object.values(peers)) await peer.close()
  return samples
}

async function rest(variants, samples, starts) {
  const rows = []
  for (const [name, command] of Object.entries(variants)) {
    const sorted = samples[name].toSorted((a, b) => a - b)
    rows.push({
      name,
      p50Us: quantile(sorted, 0.5),
      p99Us: quantile(sorted, 0.99),
      callsPerSecond: await throughput(command),
      bigMs: await bigResult(command),
      firstReplyMs: 0,
    })
  }
  const first = Object.fromEntries(rows.map(({ name }) => [name, []]))
  for (let start = 0; start < starts; start += 1) {
    for (const [name, command] of Object.entries(variants))
      first[name].push(await firstReply(command))
  }
  for (const row of rows)
    row.firstReplyMs = quantile(
      first[row.name].toSorted((a, b) => a - b),
      0.5,
    )
  return rows
}

/** 16 calls in flight for two seconds. */
async function throughput(command) {
  const peer = new Peer(command)
  await peer.initialize()
  let done = 0
  const until = performance.now() + 2000
  const lane = async () => {
    while (performance.now() < until) {
      await peer.call('echo', { path: '/srv/data/file.txt' })
      done += 1
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
  await peer.close()
  return done / 2
}

async function bigResult(command) {
  const peer = new Peer(command)
  await peer.initialize()
  const times = []
  for (let call = 0; call < 9; call += 1) {
    const startedAt = performance.now()
    await peer.call('big', {})
    times.push(performance.now() - startedAt)
  }
  await peer.close()
  return quantile(
    times.toSorted((a, b) => a - b),
    0.5,
  )
}

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
  for (let write = 0; write < 400; write += 1) {
    const startedAt = performance.now()
    writeSync(file, block)
    fdatasyncSync(file)
    times.push(performance.now() - startedAt)
  }
  closeSync(file)
  return quantile(
    times.toSorted((a, b) => a - b),
    0.5,
  )
}

function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
}
