// Side by side, in one run: a server over HTTP alone; the gate before it; the gate, mcp-proxy and supergateway before a
// server that they start.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { HttpPeer } from './peer.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const node = process.execPath
const stdioServer = [node, here('../stdio/server.mjs')]
const main = here('../../dist/cli/main.js')

/** What is installed beside, if it is: `npm ci --prefix bench/http/peers`. */
export const hasPeers = existsSync(here('peers/node_modules/mcp-proxy'))

/**
 * Runs the comparison, all variants in turns, round after round: a slow minute of the machine slows all of them, and a
 * ratio is the median of the ratios of the rounds.
 */
export async function httpBench({ rounds = 12, callsPerRound = 150 } = {}) {
  const folder = mkdtempSync(join(here('../..'), '.capfence-bench-'))
  const started = []
  try {
    const variants = await startAll(folder, started)
    for (const { peer } of Object.values(variants)) await peer.initialize()
    const before = cpuOf(variants)
    const calls = await inTurns(variants, rounds + 2, ({ peer }) => sequential(peer, callsPerRound))
    const cpu = cpuOf(variants)
    const cpuUs = (name) => ((cpu[name] - before[name]) * 1000) / ((rounds + 2) * callsPerRound)
    const perSecond = await inTurns(variants, 6, ({ peer }) => throughput(peer))
    const big = await inTurns(variants, 12, ({ peer }) => bigResult(peer))
    // What came first warmed up.
    const warm = (all) =>
      Object.fromEntries(Object.entries(all).map(([name, one]) => [name, one.slice(2)]))
    return summary(variants, {
      cpuUs,
      calls: warm(calls),
      perSecond: warm(perSecond),
      big: warm(big),
    })
  } finally {
    for (const child of started) await ended(child)
    rmSync(folder, { recursive: true, force: true })
  }
}

function summary(variants, { cpuUs, calls, perSecond, big }) {
  const rows = Object.keys(variants).map((name) => ({
    name,
    p50Us: quantile(calls[name].flat(), 0.5),
    p99Us: quantile(calls[name].flat(), 0.99),
    cpuUs: cpuUs(name),
    callsPerSecond: quantile(perSecond[name], 0.5),
    bigMs: quantile(big[name], 0.5),
  }))
  const added = (name, round) =>
    quantile(calls[name][round], 0.5) - quantile(calls.direct[round], 0.5)
  const ofRounds = (all, ratio) =>
    quantile(
      all.map((_, round) => ratio(round)),
      0.5,
    )
  return {
    rows,
    ratios: {
      big: ofRounds(big.direct, (round) => big['gate, HTTP server'][round] / big.direct[round]),
      ...(hasPeers && {
        throughput: ofRounds(
          perSecond.direct,
          (round) => perSecond['gate, stdio server'][round] / perSecond['mcp-proxy'][round],
        ),
        mcpProxy: ofRounds(
          calls.direct,
          (round) => added('gate, stdio server', round) / added('mcp-proxy', round),
        ),
      }),
    },
  }
}

/** Starts every variant; each has a client of its own. */
async function startAll(folder, started) {
  const start = (command, options = {}) => {
    const child = spawn(command[0], command.slice(1), {
      stdio: ['ignore', 'pipe', 'ignore'],
      ...options,
    })
    started.push(child)
    return child
  }
  const alone = start([node, here('server.mjs')])
  const url = await firstLine(alone)
  const gate = async (name, server) => {
    const config = join(folder, `${name}.json`)
    writeFileSync(join(folder, 'policy.yaml'), 'version: 1\nallow:\n  - bench.*\n')
    writeFileSync(config, JSON.stringify(configFor(server, join(folder, name, 'log.db'))))
    const child = start([node, main, 'serve', '--config', config, '--port', '0', '--json'])
    const { urls, tokenFile } = JSON.parse(await firstLine(child))
    const token = readFileSync(tokenFile, 'utf8').trim()
    return { child, peer: new HttpPeer(urls[0], { authorization: `Bearer ${token}` }) }
  }
  const [command, ...args] = stdioServer
  return {
    direct: { child: alone, peer: new HttpPeer(url) },
    'gate, HTTP server': await gate('http', { url }),
    'gate, stdio server': await gate('stdio', { command, args }),
    ...(hasPeers ? await startPeers(start) : {}),
  }
}

async function startPeers(start) {
  const from = (path) => here(`peers/node_modules/${path}`)
  const ports = [await freePort(), await freePort()].map(String)
  const [proxyPort, gatewayPort] = ports
  const proxy = [
    node,
    from('mcp-proxy/dist/bin/mcp-proxy.mjs'),
    '--server',
    'stream',
    '--host',
    '127.0.0.1',
  ]
  const proxied = start([...proxy, '--port', proxyPort, '--', ...stdioServer])
  const gateway = [
    node,
    from('supergateway/dist/index.js'),
    '--stdio',
    stdioServer.join(' '),
    '--stateful',
  ]
  const gatewayed = start([
    ...gateway,
    '--outputTransport',
    'streamableHttp',
    '--logLevel',
    'none',
    '--port',
    gatewayPort,
  ])
  const urls = ports.map((port) => `http://127.0.0.1:${port}/mcp`)
  for (const url of urls) await answering(url)
  return {
    'mcp-proxy': { child: proxied, peer: new HttpPeer(urls[0]) },
    supergateway: { child: gatewayed, peer: new HttpPeer(urls[1]) },
  }
}

function configFor(server, database) {
  return {
    mcpServers: { bench: server },
    policies: ['policy.yaml'],
    actor: 'bench',
    environment: 'development',
    storage: `sqlite:${database}`,
    // The others keep no log at all; what a synced one costs, the stdio part says.
    audit: { durability: 'process' },
  }
}

/** Milliseconds of processor time that each variant has used, without what it started; 0 where nobody says so. */
function cpuOf(variants) {
  const used = ({ child }) => {
    const path = `/proc/${String(child.pid)}/stat`
    if (!existsSync(path)) return 0
    const fields = readFileSync(path, 'latin1').split(') ').at(-1).split(' ')
    // A tick is 10 ms on every Linux that Node runs on.
    return (Number(fields[11]) + Number(fields[12])) * 10
  }
  return Object.fromEntries(Object.entries(variants).map(([name, one]) => [name, used(one)]))
}

/** Measures every variant once a round, and gives the measurements of each. */
async function inTurns(variants, rounds, measure) {
  const found = Object.fromEntries(Object.keys(variants).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, variant] of Object.entries(variants)) found[name].push(await measure(variant))
  }
  return found
}

/** Microseconds of each of so many calls, one after the other. */
async function sequential(peer, count) {
  const times = []
  for (let call = 0; call < count; call += 1) {
    const startedAt = performance.now()
    await peer.call('echo', { path: '/srv/data/file.txt', call })
    times.push((performance.now() - startedAt) * 1000)
  }
  return times
}

/** Calls a second with 16 in flight. */
async function throughput(peer) {
  let done = 0
  const startedAt = performance.now()
  const lane = async () => {
    while (performance.now() < startedAt + 700) {
      await peer.call('echo', { path: '/srv/data/file.txt' })
      done += 1
    }
  }
  await Promise.all(Array.from({ length: 16 }, lane))
  return done / ((performance.now() - startedAt) / 1000)
}

/** Milliseconds for a result of 10 MB. */
async function bigResult(peer) {
  const startedAt = performance.now()
  const body = await peer.call('big', {})
  if (body.length < 10_000_000) throw new Error('the result is not whole')
  return performance.now() - startedAt
}

async function firstLine(child) {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`a variant ended with ${String(code)}`)))
  })
}

async function answering(url) {
  for (let tries = 0; tries < 200; tries += 1) {
    const isThere = await fetch(url, { method: 'OPTIONS' }).then(
      () => true,
      () => false,
    )
    if (isThere) return
    await new Promise((resolve) => {
      setTimeout(resolve, 50)
    })
  }
  throw new Error(`nothing answers at ${url}`)
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

function ended(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    const timer = setTimeout(() => child.kill('SIGKILL'), 3000)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    return child.kill('SIGTERM')
  })
}

function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
}
