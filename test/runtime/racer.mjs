/**
 * One gate of several on one database: waits until it is told to go, makes the same call once and says what became of
 * it. Run as `node racer.mjs <dist> <database>`.
 */
const [dist = '', path = ''] = process.argv.slice(2)
const { ActionRuntime, ActionEvent } = await import(`${dist}/index.js`)
const { pay, policyFile } = JSON.parse(process.argv[4] ?? '{}')

const runtime = new ActionRuntime({ policy: policyFile, storage: path })
await runtime.start()
process.stdout.write('ready\n')
await new Promise((resolve) => process.stdin.once('data', resolve))
const verdict = await runtime.execute(ActionEvent.create(pay))
process.stdout.write(`${verdict.decision}\n`)
await runtime.close()
process.stdin.destroy()
