// One log that several processes write: in PostgreSQL, and beside it in a file of SQLite, in turns.
//
// Starts a PostgreSQL server of its own on loopback, with everything synced; its programs are found in
// CAPFENCE_POSTGRES_BIN, in the path, or where Debian puts them. CAPFENCE_BENCH_FOLDER names the disk of both.
import { spawn, spawnSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { together, writers } from './processes.mjs'

const rounds = 3
const counts = [1, 4, 16]
const roundMs = 1500
const callers = 8
/** PostgreSQL refuses to run as root. */
const nobody = 65_534
const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}

/** Measures everything in turns; rates are decisions per second, all synced. */
export async function postgresBench() {
  const given = process.env.CAPFENCE_BENCH_FOLDER
  if (given !== undefined) mkdirSync(given, { recursive: true })
  const folder = mkdtempSync(join(given ?? tmpdir(), 'capfence-bench-'))
  const server = await startServer(folder)
  try {
    const sums = new Map()
    for (let round = 0; round < rounds; round += 1) {
      for (const count of counts) {
        for (const engine of ['SQLite', 'PostgreSQL']) {
          const place = placeOf(engine, { folder, url: server.url, name: `r${round}_${count}` })
          const ended = await writers(place, { count, callers, ms: roundMs })
          const name = `${engine}, ${count} process${count === 1 ? '' : 'es'} of ${callers} callers`
          const sum = sums.get(name) ?? { count: 0, elapsedMs: 0, times: [] }
          const all = together(ended)
          sum.count += all.count
          sum.elapsedMs += all.elapsedMs
          for (const { times } of ended) sum.times.push(...times)
          sums.set(name, sum)
        }
      }
    }
    return { rows: Array.from(sums, rowOf) }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function rowOf([name, { count, elapsedMs, times }]) {
  const sorted = Float64Array.from(times).sort()
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]
  return { name, perSecond: (count / elapsedMs) * 1000, p50Ms: at(0.5), p99Ms: at(0.99) }
}

function placeOf(engine, { folder, url, name }) {
  if (engine === 'SQLite') return join(folder, `${name}.db`)
  const own = join(folder, name)
  return JSON.stringify({
    url: `${url}&schema=${name}`,
    keys: `${own}.keys`,
    highWater: `${own}.highwater`,
  })
}

async function startServer(folder) {
  const bin = findBinaries()
  const home = join(folder, 'server')
  mkdirSync(home, { mode: 0o700 })
  const password = join(folder, 'password')
  writeFileSync(password, 'bench', { mode: 0o600 })
  if (identity.uid !== undefined) {
    for (const path of [folder, home, password]) chownSync(path, identity.uid, identity.gid)
  }
  const data = join(home, 'data')
  const options = { ...identity, cwd: home, encoding: 'utf8' }
  const flags = [
    '-U',
    'bench',
    '--pwfile',
    password,
    '-A',
    'scram-sha-256',
    '-E',
    'UTF8',
    '--locale=C',
  ]
  const made = spawnSync(join(bin, 'initdb'), ['-D', data, ...flags], options)
  if (made.status !== 0) throw new Error(`initdb fails: ${made.stderr}${String(made.error ?? '')}`)
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=']
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    { ...options, stdio: 'ignore' },
  )
  const ended = new Promise((resolve) => child.once('close', resolve))
  const url = `postgres://bench@127.0.0.1:${port}/postgres?passwordfile=${encodeURIComponent(password)}`
  const stop = () => {
    child.kill('SIGINT')
    return ended
  }
  await answers(url, child)
  return { url, stop }
}

async function answers(url, child) {
  const { PostgresLog, postgresAddress } = await import('../../dist/cli/postgres-library.js')
  const endMs = performance.now() + 30_000
  for (;;) {
    try {
      await (await PostgresLog.open(postgresAddress(`${url}&schema=none`))).close()
      return
    } catch (error) {
      if (/there is no log/.test(error.message)) return
      if (child.exitCode !== null || performance.now() > endMs) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function findBinaries() {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian)
    ? readdirSync(debian).map((name) => join(debian, name, 'bin'))
    : []
  const named = process.env.CAPFENCE_POSTGRES_BIN
  const folders = [named ?? '', ...(process.env.PATH ?? '').split(delimiter), ...versions]
  const found = folders.find(
    (one) => existsSync(join(one, 'initdb')) && existsSync(join(one, 'postgres')),
  )
  if (found !== undefined) return found
  throw new Error(
    'there is no PostgreSQL server; `apt-get install postgresql`, or name its programs in CAPFENCE_POSTGRES_BIN',
  )
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}
