// One workload for every engine, as plain data: what the rules say, and calls with the answer that is right.

/** How many calls in a hundred ask for something that no rule knows. */
const unknownShare = 10
/** One call in so many meets the guard of its rule, or misses its grant. */
const refusedEvery = 8

/**
 * What a rule asks, in turn. A guard has a grant beside it, for the same capability and without a condition; each tenth
 * capability has a wildcard for its action. `given` are the arguments of a call that passes, `refused` of one that does
 * not.
 */
const kinds = [
  { name: 'plain', effect: 'allow', given: { path: '/srv/data/report.txt' } },
  {
    name: 'text',
    effect: 'deny',
    given: { command: 'tar -czf backup.tgz notes', cwd: '/srv/data' },
    refused: { command: 'rm -rf notes', cwd: '/srv/data' },
  },
  {
    name: 'amount',
    effect: 'require_approval',
    given: { amount: 250, currency: 'EUR', recipient: 'acme' },
    refused: { amount: 2500, currency: 'EUR', recipient: 'acme' },
  },
  {
    name: 'path',
    effect: 'allow',
    given: { path: '/srv/data/2026/report.txt', head: 20 },
    refused: { path: '/srv/secret/report.txt', head: 20 },
  },
  { name: 'environment', effect: 'allow', given: { id: 'x-17' }, refused: { id: 'x-17' } },
]
export const kindNames = [...kinds.map(({ name }) => name), 'unknown']

/** The texts, the amount, the folder and the environment that conditions ask for. */
export const asked = {
  texts: ['rm -rf', 'drop table'],
  amount: 1000,
  folder: '/srv/data',
  environment: 'live',
}

/** Rules: `{id, effect, resource, action, scope, asks}`; `asks` is a kind, or undefined. */
export function rulesOf(count) {
  const rules = []
  for (let at = 0; rules.length < count; at += 1) {
    const { name, effect } = kinds[at % kinds.length]
    const [resource, action, scope] = namesOf(at)
    const about = { resource, action: at % 10 === 3 ? '*' : action, scope }
    rules.push({ id: `r${at}`, effect, ...about, asks: name === 'plain' ? undefined : name })
    if (effect !== 'allow' && rules.length < count)
      rules.push({ id: `a${at}`, effect: 'allow', ...about })
  }
  return rules
}

/** Calls on a policy of `rules` rules: `{kind, key, resource, action, scope, environment, arguments, answer}`. */
export function callsOf(count, rules) {
  return Array.from({ length: count }, (_, at) => callOf(at, rules))
}

function callOf(at, rules) {
  // Seven capabilities stand in ten rules.
  const rule = (at * 7919) % Math.max(kinds.length, Math.floor(rules * 0.7))
  const kind = kinds[rule % kinds.length]
  const isUnknown = at % 100 < unknownShare
  const isRefused = at % refusedEvery === 0 && kind.refused !== undefined
  const [resource, action, scope] = namesOf(isUnknown ? rule + rules : rule)
  const refusal = kind.effect === 'require_approval' ? 'require_approval' : 'deny'
  return {
    kind: isUnknown ? 'unknown' : kind.name,
    key: namesOf(rule).join('.'),
    ...{ resource, action, scope },
    environment: isRefused && kind.name === 'environment' ? 'test' : asked.environment,
    arguments: isRefused ? kind.refused : kind.given,
    answer: isUnknown ? 'deny' : isRefused ? refusal : 'allow',
  }
}

function namesOf(at) {
  return [`service${at}`, `action${at % 7}`, 'live']
}
