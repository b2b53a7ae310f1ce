// How fast decisions become durable: `node bench/storage.mjs [FOLDER]`, in a temporary folder by default.
//
// One commit is what the gate does for one call: seal three arguments, build the record, store it. Raw appends with
// fdatasync are measured between the rounds, because a disk is not equally fast at all times.
import { execFileSync } from 'node:child_process'
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
import { fileURLToPath } from 'node:url'

execFileSync(process.execPath, [fileURLToPath(new URL('../scripts/build.mjs', import.meta.url))], {
  stdio: 'inherit',
})
const { SQLiteEngine } = await import('../dist/storage/sqlite-engine.js')
const { decisionRecord } = await import('../dist/audit/drafts.js')
const { discloseArguments } = await import('../dist/audit/disclosure.js')
const { ActionEvent } = await import('../dist/event/action-event.js')
const { uuidV7 } = await import('../dist/crypto/ids.js')
const { systemRandom } = await import('../dist/crypto/random.js')

const rounds = 3
const roundMs = 700

const event = ActionEvent.create({
  actor: 'agent',
  action: 'delete',
  resource: 'filesystem.workspace',
  environment: 'production',
  risk: 'high',
  arguments: { path: '/srv/workspace/report.txt', recursive: false, command: 'rm -rf /var/lib/x' },
  server: 'files',
  tool: 'delete_file',
  client: 'claude-code',
  session: 's-1',
})

/** What one decision stores. */
function effectsOfOneCall() {
  const args = discloseArguments(event.arguments, systemRandom, 'args')
  const record = decisionRecord({
    call: uuidV7(Date.now(), systemRandom),
    event,
    decision: 'allow',
    reason: 'rule',
    rules: [
      {
        id: 'read-workspace',
        effect: 'allow',
        position: { file: 'policies/ops.yaml', line: 12, column: 5 },
        value: 'true',
        predicates: [{ predicate: 'under: ./workspace', value: 'true' }],
      },
    ],
    policyHash: 'a'.repeat(64),
    toolDefinitionHash: 'b'.repeat(64),
    grant: null,
    approval: null,
    args: args.digests,
    forwarded: false,
    mode: 'enforce',
  })
  return { records: [record], disclosures: args.disclosures, result: undefined }
}

async function commits(engine, durability, callers) {
  const times = []
  const endMs = performance.now() + roundMs
  const startMs = performance.now()
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < endMs) {
        const before = performance.now()
        const effects = effectsOfOneCall()
        await engine.commit(() => effects, durability)
        times.push(performance.now() - before)
      }
    }),
  )
  return { times, elapsedMs: performance.now() - startMs }
}

function rawAppends(path) {
  const file = openSync(path, 'a')
  const page = Buffer.alloc(4096, 1)
  const times = []
  const startMs = performance.now()
  while (performance.now() < startMs + roundMs / 2) {
    const before = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    times.push(performance.now() - before)
  }
  closeSync(file)
  return { times, elapsedMs: performance.now() - startMs }
}

function add(rows, name, { times, elapsedMs }) {
  const row = rows.get(name) ?? { times: [], elapsedMs: 0 }
  for (const time of times) row.times.push(time)
  row.elapsedMs += elapsedMs
  rows.set(name, row)
}

function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function print(line) {
  process.stdout.write(`${line}\n`)
}

function printRows(rows) {
  print(`${'what'.padEnd(34)}${'per s'.padStart(9)}${'p50 us'.padStart(9)}${'p99 us'.padStart(9)}`)
  for (const [name, { times, elapsedMs }] of rows) {
    const sorted = Float64Array.from(times).sort()
    const cells = [
      (times.length / elapsedMs) * 1000,
      quantile(sorted, 0.5) * 1000,
      quantile(sorted, 0.99) * 1000,
    ]
    print(name.padEnd(34) + cells.map((cell) => cell.toFixed(0).padStart(9)).join(''))
  }
}

const given = process.argv[2]
if (given !== undefined) mkdirSync(given, { recursive: true })
const folder = mkdtempSync(join(given ?? tmpdir(), 'capfence-bench-'))
const rows = new Map()
try {
  const engine = SQLiteEngine.open({ path: join(folder, 'log.db'), software: 'bench' })
  await commits(engine, 'process', 1)
  for (let round = 0; round < rounds; round += 1) {
    add(rows, 'raw append of 4 KiB + fdatasync', rawAppends(join(folder, 'raw')))
    for (const durability of ['process', 'power']) {
      for (const callers of [1, 8, 32, 128]) {
        const name = `${durability}, ${callers} caller${callers === 1 ? '' : 's'}`
        add(rows, name, await commits(engine, durability, callers))
      }
    }
  }
  const size = await engine.size()
  await engine.close()
  printRows(rows)
  const bytes = statSync(join(folder, 'log.db')).size / size
  print(`\n${size} records, ${bytes.toFixed(0)} bytes of database for each`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
