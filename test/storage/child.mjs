// A process that writes to a store, for tests with several of them: node child.mjs JSON
//
// It prints one line of JSON for everything that has been stored, after it has been stored.
import { writeSync } from 'node:fs'

/**
 * @import { Store, StoreView } from '../../src/runtime/store.ts'
 * @import { Fact, Job } from './children.ts'
 * @typedef {{ forwarded?: boolean, settled?: boolean, durability?: 'power' | 'process' }} How
 */

const { dist, module, engine, options, job } = JSON.parse(process.argv[2] ?? '')
const { [engine]: Engine } = await import(module)
const { decisionRecord, outcomeRecord } = await import(`${dist}/audit/drafts.js`)
const { discloseArguments, discloseNothing } = await import(`${dist}/audit/disclosure.js`)
const { ActionEvent } = await import(`${dist}/event/action-event.js`)
const { uuidV7 } = await import(`${dist}/crypto/ids.js`)
const { systemRandom } = await import(`${dist}/crypto/random.js`)

const event = ActionEvent.create({
  actor: 'agent',
  resource: 'fs',
  action: 'read',
  scope: 'ws',
  arguments: { path: '/srv/x' },
})

/**
 * Written at once, so that a process that is killed has said everything it knew.
 *
 * @param {Fact} fact
 */
function say(fact) {
  writeSync(1, `${JSON.stringify(fact)}\n`)
}

/**
 * @param {string} call
 * @param {boolean} forwarded
 */
function decisionOn(call, forwarded) {
  const args = discloseArguments(event.arguments, systemRandom, 'args')
  const record = decisionRecord({
    call,
    event,
    decision: forwarded ? 'allow' : 'deny',
    reason: 'rule',
    rules: [],
    policyHash: 'a'.repeat(64),
    toolDefinitionHash: null,
    grant: null,
    approval: null,
    args: args.digests,
    forwarded,
    mode: 'enforce',
  })
  return { record, disclosures: args.disclosures }
}

/**
 * One call from its decision to its outcome; what was acknowledged is said before the next step.
 *
 * @param {Store} store
 * @param {How} how
 */
async function oneCall(store, { forwarded = false, settled = false, durability = 'process' }) {
  const call = uuidV7(Date.now(), systemRandom)
  const { record, disclosures } = decisionOn(call, forwarded)
  const seq = await store.commit(
    (/** @type {StoreView} */ { nextSeq }) => ({ records: [record], disclosures, result: nextSeq }),
    durability,
  )
  say({ call, seq })
  if (!settled) return
  const result = discloseNothing('none').digests
  const outcome = outcomeRecord({ call, decisionSeq: seq, status: 'ok', ms: 1, bytes: 2, result })
  await store.commit(() => ({ records: [outcome], result: undefined }), 'lazy')
  say({ call, settled: true })
}

/**
 * @param {Store} store
 * @param {Job} job
 */
async function calls(store, { count = 0, callers = 1, ...how }) {
  let left = count
  const caller = async () => {
    while (left > 0) {
      left -= 1
      await oneCall(store, how)
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

/**
 * Commits until one is refused, and says why.
 *
 * @param {Store} store
 * @param {Job} how
 */
async function untilRefused(store, how) {
  try {
    await calls(store, how)
    say({ refused: null })
  } catch (error) {
    const { code, message, hint } = /** @type {import('../../src/errors.ts').CapFenceError} */ (
      error
    )
    say({ refused: { code, message, hint } })
  }
}

/**
 * Calls on and on until standard input ends, also when some are refused; each refusal is said.
 *
 * @param {Store} store
 * @param {Job} job
 */
async function callsThroughOutages(store, { callers = 1, ...how }) {
  const ended = new AbortController()
  process.stdin.resume().once('end', () => ended.abort())
  const caller = async () => {
    while (!ended.signal.aborted) {
      try {
        await oneCall(store, how)
      } catch (error) {
        const { code, message, hint } = /** @type {import('../../src/errors.ts').CapFenceError} */ (
          error
        )
        say({ refused: { code, message, hint } })
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

/**
 * Begins epoch after epoch of keys, with calls in between; of any engine that has them.
 *
 * @param {any} store
 * @param {Job} job
 */
async function rotations(store, { count = 0 }) {
  for (let done = 0; done < count; done += 1) {
    const { epoch } = await store.rotateKeys()
    say({ epoch })
    await oneCall(store, {})
  }
}

/** @returns {Promise<Store | undefined>} */
async function opened() {
  try {
    return await Engine.open(options)
  } catch (error) {
    const { code, hint } = /** @type {import('../../src/errors.ts').CapFenceError} */ (error)
    say({ failed: { code, hint } })
    return undefined
  }
}

/** @param {Store} store */
async function work(store) {
  say({ open: true })
  if (job.kind === 'calls') await calls(store, job)
  if (job.kind === 'calls-through-outages') await callsThroughOutages(store, job)
  if (job.kind === 'until-refused') await untilRefused(store, job)
  if (job.kind === 'rotations') await rotations(store, job)
  // A job that waits ends with its standard input, or is killed.
  if (job.wait === true) await new Promise((resolve) => process.stdin.resume().once('end', resolve))
  await store.close()
  say({ closed: true })
}

const store = await opened()
if (store !== undefined) await work(store)
