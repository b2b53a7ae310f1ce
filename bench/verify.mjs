// How long a log takes to verify: `node bench/verify.mjs [RECORDS]`, 1,000,000 of about 800 bytes by default.
//
// The log is written as a gate writes it, but past the engine: signed by its keys, a checkpoint at every thousandth record,
// and disclosures beside it. The command runs in a process of its own, whose memory and time are what is measured.
import Database from 'better-sqlite3'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
execFileSync(process.execPath, [here('../scripts/build.mjs')], { stdio: 'inherit' })
const { createSchema } = await import('../dist/storage/database-file.js')
const { SQLiteLog } = await import('../dist/storage/sqlite-log.js')
const { encodeRecord, noLeaf } = await import('../dist/audit/codec.js')
const { logOpenRecord, procStartRecord } = await import('../dist/audit/log-drafts.js')
const { decisionRecord, outcomeRecord } = await import('../dist/audit/drafts.js')
const { discloseArguments, discloseBytes } = await import('../dist/audit/disclosure.js')
const { signCheckpoint } = await import('../dist/audit/checkpoint.js')
const { noteSigner, printVerifierKey, verifierOf } = await import('../dist/audit/note.js')
const { appendLeaf, emptyTree, rootOf } = await import('../dist/audit/tree.js')
const { ActionEvent } = await import('../dist/event/action-event.js')
const { signingKey } = await import('../dist/crypto/ed25519.js')
const { ulid, uuidV7 } = await import('../dist/crypto/ids.js')
const { systemRandom } = await import('../dist/crypto/random.js')

const records = Number(process.argv[2] ?? 1_000_000)
const targets = { seconds: 20, workerMegabytes: 150, lookUpMs: 1 }
const rule = {
  id: 'read-workspace',
  effect: 'allow',
  position: { file: 'policies/ops.yaml', line: 12, column: 5 },
  value: 'true',
  predicates: [{ predicate: 'under: ./workspace', value: 'true' }],
}
const event = ActionEvent.create({
  actor: 'agent',
  action: 'delete',
  resource: 'filesystem.workspace',
  environment: 'production',
  risk: 'high',
  arguments: { path: '/srv/workspace/report.txt', recursive: false },
  server: 'files',
  tool: 'delete_file',
  client: 'claude-code',
  session: 's-1',
})

/** Two records of one call, and what is kept beside them. */
function* calls() {
  for (let seq = 2; ; seq += 2) {
    const call = uuidV7(Date.now(), systemRandom)
    const args = discloseArguments(event.arguments, systemRandom, 'args')
    const decision = decisionRecord({
      call,
      event,
      decision: 'allow',
      reason: 'rule',
      rules: [rule],
      policyHash: 'a'.repeat(64),
      toolDefinitionHash: 'b'.repeat(64),
      grant: null,
      approval: null,
      args: args.digests,
      forwarded: true,
      mode: 'enforce',
    })
    yield [decision, args.disclosures]
    const result = discloseBytes('result', Buffer.from('{}'), systemRandom, 'args')
    const end = { call, decisionSeq: seq, status: 'ok', ms: 3, bytes: 2, result: result.digests }
    yield [outcomeRecord(end), result.disclosures]
  }
}

function* drafts(keys) {
  yield [logOpenRecord({ software: 'bench', ...keys }), []]
  yield [procStartRecord({ software: 'bench', pid: 1 }), []]
  yield* calls()
}

function writeLog(path) {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = OFF')
  createSchema(db)
  const log = `capfence.local/${ulid(Date.now(), systemRandom)}`
  const w = ulid(Date.now(), systemRandom)
  const stable = noteSigner(log, signingKey(systemRandom(32)))
  const epoch = noteSigner(`${log}/epoch-1`, signingKey(systemRandom(32)))
  const [vkey, epochVkey] = [stable, epoch].map((signer) => printVerifierKey(verifierOf(signer)))
  const record = db.prepare('INSERT INTO records (seq, leaf, body) VALUES (?, ?, ?)')
  const disclosure = db.prepare('INSERT INTO disclosures (seq, encoded) VALUES (?, ?)')
  const checkpoint = db.prepare('INSERT INTO checkpoints (size, note) VALUES (?, ?)')
  const known = db.prepare('INSERT INTO calls (call, decision_seq, outcome_seq) VALUES (?, ?, ?)')
  db.prepare('INSERT INTO log (id, origin, opened_ms) VALUES (1, ?, 0)').run(log)
  const noteOf = (tree) =>
    signCheckpoint({ origin: log, size: tree.size, root: rootOf(tree) }, [stable, epoch])
  let tree = emptyTree
  let prev = noLeaf
  let bytes = 0
  db.exec('BEGIN')
  for (const [draft, disclosures] of drafts({ vkey, epochVkey })) {
    const seq = tree.size
    if (seq === records) break
    const ts = new Date(1_764_000_000_000 + seq * 10).toISOString()
    const { body, leaf } = encodeRecord(draft, { log, seq, prev, ts, w, wn: seq })
    record.run(seq, Buffer.from(leaf, 'hex'), body)
    bytes += body.length
    if (disclosures.length > 0) {
      disclosure.run(seq, disclosures.map(({ encoded }) => `${encoded}~`).join(''))
    }
    if (draft.type === 'outcome') known.run(draft.data.call, seq - 1, seq)
    prev = leaf
    tree = appendLeaf(tree, leaf)
    if (tree.size % 1000 === 0) checkpoint.run(tree.size, noteOf(tree))
    if (tree.size % 20_000 === 0) db.exec('COMMIT; BEGIN')
  }
  db.prepare('INSERT INTO head (id, size, root, frontier, note) VALUES (1, ?, ?, ?, ?)').run(
    tree.size,
    Buffer.from(rootOf(tree), 'hex'),
    Buffer.from(tree.frontier.join(''), 'hex'),
    noteOf(tree),
  )
  db.exec('COMMIT')
  const call = db.prepare('SELECT call FROM calls ORDER BY random() LIMIT 200').pluck().all()
  db.close()
  return { pin: `${vkey}\n${epochVkey}\n`, bytes: bytes / tree.size, calls: call }
}

/** Runs the command, and looks twice a second how much memory it has. */
async function verify(path, pin) {
  const cli = here('../dist/cli/main.js')
  const startMs = performance.now()
  const args = [cli, 'audit', 'verify', path, '--pin', pin, '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (text) => (out += text))
  let peak = 0
  let cpu = 0
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      peak = Math.max(peak, Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')
      cpu = (Number(stat[13]) + Number(stat[14])) / 100
    } catch {
      // It has ended, or there is no /proc.
    }
  }, 100)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearInterval(timer)
  const report = JSON.parse(out)
  if (code !== 0 || report.verdict !== 'ok') throw new Error(`it did not verify: ${out}`)
  return { seconds: (performance.now() - startMs) / 1000, peak, cpu, report }
}

async function lookUp(path, ids) {
  const log = SQLiteLog.open(path)
  const times = []
  for (const call of ids) {
    const before = performance.now()
    const found = await log.call(call)
    times.push(performance.now() - before)
    if (found.length !== 2) throw new Error('a call was not found')
  }
  await log.close()
  times.sort((left, right) => left - right)
  return { p50: times[Math.floor(times.length * 0.5)], p99: times[Math.floor(times.length * 0.99)] }
}

const print = (line) => process.stdout.write(`${line}\n`)
const folder = mkdtempSync(join(tmpdir(), 'capfence-bench-'))
try {
  const path = join(folder, 'log.db')
  const { pin, bytes, calls: known } = writeLog(path)
  writeFileSync(join(folder, 'pin'), pin)
  print(`${records} records of ${bytes.toFixed(0)} bytes, with what was kept beside them`)
  const { seconds, peak, cpu, report } = await verify(path, join(folder, 'pin'))
  const rate = (report.size / seconds).toFixed(0)
  print(
    `verified in ${seconds.toFixed(1)} s (${rate} records/s), ${cpu.toFixed(1)} s of processor time`,
  )
  print(
    `memory of the whole process: ${peak.toFixed(0)} MB, two threads that read and one that follows`,
  )
  const times = await lookUp(path, known)
  print(`a call by its id: p50 ${times.p50.toFixed(3)} ms, p99 ${times.p99.toFixed(3)} ms`)
  const scale = records / 1_000_000
  const met = [
    [`1,000,000 records within ${targets.seconds} s`, seconds <= targets.seconds * scale],
    [
      `three threads within ${targets.workerMegabytes} MB each`,
      peak <= targets.workerMegabytes * 3,
    ],
    [`a call within ${targets.lookUpMs} ms, p99`, times.p99 < targets.lookUpMs],
  ]
  for (const [name, isMet] of met) print(`${isMet ? 'met   ' : 'MISSED'} ${name}`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
