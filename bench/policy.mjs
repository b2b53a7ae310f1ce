// What one decision costs, beside one look-up in a Map that has as many entries as the policy has rules. Every operation
// is timed on its own, in turns with the other kind and with nothing at all, which is what reading the clock costs; so a
// busy machine slows all of them. Run it alone with `node bench/policy.mjs`.
import process from 'node:process'
import { fileURLToPath } from 'node:url'

import { ActionEvent } from '../dist/event/action-event.js'
import { Decimal } from '../dist/json/decimal.js'
import { loadPolicy } from '../dist/policy/load.js'

const sizes = [10, 100, 1000, 10_000]
/** How often each call is decided. */
const rounds = 60
const eventCount = 500

/**
 * Times decisions and Map look-ups at 10, 100, 1,000 and 10,000 rules, in microseconds.
 *
 * `ratio` is the median decision in median look-ups; `byKind` has the median of each kind of call; `loadMs` is the time
 * from the policy's text to the policy.
 */
export function policyBench() {
  return sizes.map(measure)
}

function measure(rules) {
  const text = policyText(rules)
  const policy = load(text)
  const loadMs = quantile(
    Array.from({ length: 5 }, () => millisecondsOf(() => load(text))),
    0.5,
  )
  const calls = Array.from({ length: eventCount }, (_, at) => callOf(at, rules))
  const map = new Map(Array.from({ length: rules }, (_, rule) => [nameOf(rule), rule]))
  // Copies, so that no look-up ends at comparing two addresses.
  const keys = calls.map(({ rule }) => copyOf(nameOf(rule)))
  const times = inTurns({
    decide: (at) => policy.decide(calls[at].event).decision.length,
    lookup: (at) => map.get(keys[at]) ?? 0,
  })
  const byKind = Object.fromEntries(
    [...kinds.map(({ name }) => name), 'unknown'].map((name) => {
      const own = times.decide.filter((_, at) => calls[at % eventCount].kind === name)
      return [name, quantile(own, 0.5)]
    }),
  )
  const p50Us = quantile(times.decide, 0.5)
  const mapP50Us = quantile(times.lookup, 0.5)
  const p99Us = quantile(times.decide, 0.99)
  return { rules, p50Us, p99Us, mapP50Us, ratio: p50Us / mapP50Us, byKind, loadMs }
}

function load(text) {
  return loadPolicy([{ path: 'bench.yaml', text }])
}

/**
 * What a rule asks, and the arguments of the calls that meet it: five kinds in turn, two of them guards. Each guard has
 * a grant beside it; every tenth capability of a rule has a wildcard.
 */
const kinds = [
  { name: 'plain', list: 'allow', asks: '', arguments: { path: '/srv/data/report.txt' } },
  {
    name: 'text',
    list: 'deny',
    asks: ', contains: ["rm -rf", "drop table"]',
    arguments: { command: 'tar -czf backup.tgz notes', cwd: '/srv/data' },
  },
  {
    name: 'amount',
    list: 'require_approval',
    asks: ', amount_gt: 1000',
    arguments: { amount: new Decimal('250.00'), currency: 'EUR', recipient: 'acme' },
  },
  {
    name: 'path',
    list: 'allow',
    asks: ', path_prefix: /srv/data',
    arguments: { path: '/srv/data/2026/report.txt', head: new Decimal('20') },
  },
  { name: 'environment', list: 'allow', asks: ', environment: live', arguments: { id: 'x-17' } },
]
/** How many calls in a hundred ask for something that no rule knows. */
const unknownShare = 10

function policyText(rules) {
  const lists = { deny: [], require_approval: [], allow: [] }
  let count = 0
  for (let at = 0; count < rules; at += 1) {
    const { list, asks } = kinds[at % kinds.length]
    const capability = at % 10 === 3 ? `"service${at}.*.live"` : nameOf(at)
    lists[list].push(`  - {id: r${at}, capability: ${capability}${asks}}`)
    count += 1
    if (list === 'allow' || count === rules) continue
    lists.allow.push(`  - {id: a${at}, capability: ${capability}}`)
    count += 1
  }
  return Object.entries(lists)
    .map(([list, items]) => `${list}:${items.length === 0 ? ' []' : `\n${items.join('\n')}`}\n`)
    .join('')
}

function nameOf(at) {
  return `service${at}.action${at % 7}.live`
}

function callOf(at, rules) {
  // Seven capabilities stand in ten rules.
  const rule = (at * 7919) % Math.max(kinds.length, Math.floor(rules * 0.7))
  const kind = kinds[rule % kinds.length]
  const unknown = at % 100 < unknownShare
  const [resource, action, scope] = copyOf(nameOf(unknown ? rule + rules : rule)).split('.')
  const event = ActionEvent.of({
    actor: 'agent-1',
    capability: { resource, action, scope },
    environment: 'live',
    risk: 'medium',
    arguments: Object.assign(Object.create(null), kind.arguments),
  })
  return { kind: unknown ? 'unknown' : kind.name, rule, event }
}

function copyOf(text) {
  return Buffer.from(text).toString('latin1')
}

/**
 * Times operations on every call in turns, and leaves out what the clock itself costs.
 *
 * @returns for each operation its times in microseconds, call by call and round after round
 */
function inTurns(operations) {
  const all = { ...operations, nothing: (at) => at }
  const times = Object.fromEntries(
    Object.keys(all).map((name) => [name, new Float64Array(rounds * eventCount)]),
  )
  let sum = 0
  // As many rounds again come first and warm up.
  for (let round = -rounds; round < rounds; round += 1) {
    for (let at = 0; at < eventCount; at += 1) {
      for (const name in all) {
        const operation = all[name]
        const start = performance.now()
        sum += operation(at)
        const end = performance.now()
        if (round >= 0) times[name][round * eventCount + at] = (end - start) * 1000
      }
    }
  }
  // Something that depends on every answer, so that no operation can be left out.
  if (Number.isNaN(sum)) throw new Error('an operation gave no number')
  const clock = quantile(times.nothing, 0.5)
  const net = (name) => times[name].map((time) => Math.max(0, time - clock))
  return Object.fromEntries(Object.keys(operations).map((name) => [name, net(name)]))
}

function quantile(values, share) {
  return Float64Array.from(values).sort()[Math.floor((values.length - 1) * share)]
}

function millisecondsOf(work) {
  const start = performance.now()
  work()
  return performance.now() - start
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const row of policyBench()) {
    const byKind = Object.entries(row.byKind).map(([kind, us]) => `${kind} ${us.toFixed(2)}`)
    process.stdout.write(
      `${String(row.rules).padStart(6)} rules: p50 ${row.p50Us.toFixed(2)} us, p99 ${row.p99Us.toFixed(2)} us, ` +
        `one Map look-up ${row.mapP50Us.toFixed(3)} us, ${row.ratio.toFixed(1)} look-ups (target at 1,000: 15), ` +
        `load ${row.loadMs.toFixed(0)} ms; by kind: ${byKind.join(', ')}\n`,
    )
  }
}
