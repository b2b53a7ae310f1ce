/**
 * One gate of several on one database: waits until it is told to go, makes the same call once and says what became of
 * it. Run as `node racer.mjs <dist> <database> <job>`; a job that names `postgres` has its log there.
 */
const [dist = '', path = ''] = process.argv.slice(2)
const { ActionRuntime, ActionEvent } = await import(`${dist}/index.js`)
const { pay, policyFile, postgres } = JSON.parse(process.argv[4] ?? '{}')

/** What of a runtime depends on where its log is. */
async function place() {
  if (postgres === undefined) return { storage: path }
  const { PostgresEngine, postgresAddress } = await import(`${dist}/cli/postgres-library.js`)
  const { readAuthority } = await import(`${dist}/cli/authority.js`)
  const { url, keys, highWater } = postgres
  const address = postgresAddress(url)
  return {
    store: await PostgresEngine.open({ address, keys, highWater, software: 'test' }),
    authority: () => readAuthority(undefined, { path: '', keys }),
  }
}

const where = await place()
const runtime = new ActionRuntime({ policy: policyFile, ...where })
await runtime.start()
process.stdout.write('ready\n')
await new Promise((resolve) => process.stdin.once('data', resolve))
const verdict = await runtime.execute(ActionEvent.create(pay))
process.stdout.write(`${verdict.decision}\n`)
await runtime.close()
await where.store?.close()
process.stdin.destroy()
