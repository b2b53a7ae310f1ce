// What one gate does to the log for one call, as often as it can: seal three arguments, build the record, store it.
//
// As a program it is one of several processes on one file: node writer.mjs PATH CALLERS MILLISECONDS. It says that it has
// opened the log, begins when its standard input is closed, and then prints how many commits it made in how long.
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { decisionRecord } from '../../dist/audit/drafts.js'
import { discloseArguments } from '../../dist/audit/disclosure.js'
import { uuidV7 } from '../../dist/crypto/ids.js'
import { systemRandom } from '../../dist/crypto/random.js'
import { ActionEvent } from '../../dist/event/action-event.js'
import { SQLiteEngine } from '../../dist/storage/sqlite-engine.js'

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

/** A log whose head is signed at each commit, as a gate opens it. */
export function openLog(path) {
  return SQLiteEngine.open({ path, software: 'bench' })
}

/** So many callers, each of which commits again as soon as its last commit is stored. */
export async function commits(engine, { durability, callers, ms }) {
  const times = []
  const startMs = performance.now()
  const endMs = startMs + ms
  const caller = async () => {
    while (performance.now() < endMs) {
      const before = performance.now()
      const effects = effectsOfOneCall()
      await engine.commit(() => effects, durability)
      times.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { times, elapsedMs: performance.now() - startMs }
}

/** A place is a path, or what PostgreSQL is opened with. */
async function openPlace(place) {
  if (!place.startsWith('{')) return openLog(place)
  const { PostgresEngine, postgresAddress } = await import('../../dist/cli/postgres-library.js')
  const { url, ...files } = JSON.parse(place)
  return PostgresEngine.open({ ...files, address: postgresAddress(url), software: 'bench' })
}

async function main([place, callers, ms]) {
  const engine = await openPlace(place)
  await commits(engine, { durability: 'process', callers: 1, ms: 50 })
  process.stdout.write('open\n')
  await new Promise((resolve) => {
    process.stdin.resume().once('end', resolve)
  })
  const how = { durability: 'power', callers: Number(callers), ms: Number(ms) }
  const { times, elapsedMs } = await commits(engine, how)
  process.stdout.write(
    `${JSON.stringify({ count: times.length, elapsedMs, times: times.map((time) => Math.round(time * 1000) / 1000) })}\n`,
  )
  await engine.close()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
