// Times one engine at some number of rules, in a process of its own, so that no engine decides what the compiler has
// learnt of another: `node bench/policy/one.mjs casbin 1000` prints `{p50Us, p99Us, byKind, lookUp}` in JSON.
//
// "One look-up" is `map.get(key)` in a Map from the names of capabilities, such as `service17.action3.live`, with as many
// entries as there are rules. Its key is a text that was just made, as the names of a call are. Both are timed in turns.
import process from 'node:process'

import { engines, fresh } from './engines.mjs'
import { inTurns, quantile } from './timing.mjs'
import { callsOf, kindNames, rulesOf } from './workload.mjs'

const callCount = 500
/** A slow engine is asked less often, and for at most about so long. */
const maxMs = 6000
const slowCallCount = 50

const [name, size] = [process.argv[2], Number(process.argv[3])]
const { prepare, decide } = await engines[name](rulesOf(size))
const all = callsOf(callCount, size)
const calls = isSlow() ? all.slice(0, slowCallCount) : all
checkAnswers()
const map = new Map(
  Array.from({ length: size }, (_, at) => [`service${at}.action${at % 7}.live`, at]),
)
const times = inTurns(
  {
    decide: { prepare: (at) => prepare(calls[at]), run: (request) => decide(request).length },
    lookUp: { prepare: (at) => fresh(calls[at].key), run: (key) => map.get(key) ?? 0 },
  },
  { inputs: calls.length, rounds: 60, maxMs },
)
const byKind = kindNames.map((kind) => {
  const own = times.decide.filter((_time, at) => calls[at % calls.length].kind === kind)
  return [kind, quantile(own, 0.5)]
})
process.stdout.write(
  `${JSON.stringify({ ...quantiles(times.decide), byKind: Object.fromEntries(byKind), lookUp: quantiles(times.lookUp) })}\n`,
)

/** Engines that answer differently do different work, and their times say nothing about each other. */
function checkAnswers() {
  for (const call of calls) {
    const answer = decide(prepare(call))
    if (answer !== call.answer) throw new Error(`${name}: ${answer} to ${JSON.stringify(call)}`)
  }
}

function isSlow() {
  const start = performance.now()
  decide(prepare(all[0]))
  return performance.now() - start > 2
}

function quantiles(measured) {
  return { p50Us: quantile(measured, 0.5), p99Us: quantile(measured, 0.99) }
}
