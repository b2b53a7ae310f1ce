// The dearest decision that a bounded search finds, the same one every time: calls that a hostile caller may send, as
// large as the gate takes them, on a policy that asks everything at once.
import { ActionEvent } from '../../dist/event/action-event.js'
import { scanStrict, wanted } from '../../dist/json/scan.js'
import { limits } from '../../dist/limits.js'
import { loadPolicy } from '../../dist/policy/load.js'

const policyText = `
deny:
  - {id: text, capability: x, contains: [${Array.from({ length: 40 }, (_, at) => `"needle ${at} aaab"`).join(', ')}]}
  - {id: few, capability: x, contains: ["rm -rf", "aaaaaaab", "/etc/passwd"]}
  - {id: path, capability: x, path_prefix: [/etc, /root, /home/me/.ssh]}
  - {id: table, capability: x, table: [users, "secret.*"]}
  - {id: amount, capability: x, amount_gt: 1000}
  - {id: glob, capability: x, args: {"/*": {glob: ["**/a*a*a*a*b", "*a*a*a*a*a*c"]}}}
  - {id: under, capability: x, args: {/p/*: {under: /etc}}}
  - {id: host, capability: x, args: {/u/*: {host: ["*.evil.example"]}}}
  - {id: inner, capability: x, args: {/p/*: {contains: ["aaaaaaab"], not_in: [a, b]}}}
  - {id: not, capability: x, not: {path_prefix: /}}
allow: [{capability: x}]
`

/** A value of about so many characters, made of one unit in one shape. */
const shapes = {
  'one text': (unit, size) => ({ a: unit.repeat(size / unit.length) }),
  'many texts': (unit, size) => ({ p: parts(unit, size, 64) }),
  'many short texts': (unit, size) => ({ u: parts(unit, size, 4) }),
  'many members': (unit, size) =>
    Object.fromEntries(parts(unit, size, 16).map((part, at) => [`k${at}`, part])),
  'many paths': (unit, size) => ({ path: parts(unit, size, 256), p: parts(unit, size, 256) }),
  'deep nesting': (unit, size) =>
    Array.from({ length: 100 }).reduce(
      (inner) => ({ file: [inner] }),
      unit.repeat(size / unit.length),
    ),
}
const units = [
  'a',
  'aaaaaaa ',
  'rm -r ',
  '../',
  '/a/..',
  '%2e%2e/',
  '%25',
  '\\',
  '&#46;',
  '～/',
  'é',
  'e\u0301',
  '\u0301',
  'ß',
  '\u200b',
  '1',
  '1e9',
  'http://a.',
  'select users,',
  '\0x',
]
const sizes = [16_000, 250_000]

/** Finds it: `{ms, name, bytes, cases}`; the worst counts with the faster of two runs, so that a busy machine counts less. */
export function worstDecision() {
  const policy = loadPolicy([{ path: 'worst.yaml', text: policyText }])
  let worst = { ms: 0, name: '', bytes: 0 }
  let cases = 0
  for (const { name, text } of calls()) {
    cases += 1
    const first = timeOf(policy, text)
    const ms = first > worst.ms ? Math.min(first, timeOf(policy, text)) : first
    if (ms > worst.ms) worst = { ms, name, bytes: text.length }
  }
  return { ...worst, cases }
}

function* calls() {
  for (const [shape, make] of Object.entries(shapes)) {
    for (const unit of units) {
      for (const size of sizes) {
        const text = Buffer.from(JSON.stringify(make(unit, size)))
        if (text.length > limits.maxClientMessageBytes) continue
        yield { name: `${shape} of ${JSON.stringify(unit)}`, text }
      }
    }
  }
  yield {
    name: 'a number of many digits',
    text: Buffer.from(`{"amount":${'9'.repeat(1000)}e-500}`),
  }
}

function parts(unit, size, length) {
  const part = unit.repeat(Math.max(1, Math.floor(length / unit.length)))
  return Array.from({ length: Math.floor(size / length) }, (_, at) => `${part}${at % 10}`)
}

function timeOf(policy, text) {
  const event = eventOf(text)
  if (event === undefined) return 0
  const start = performance.now()
  policy.decide(event)
  return performance.now() - start
}

/** Undefined for a message that the scanner refuses before anything is decided. */
function eventOf(text) {
  try {
    return ActionEvent.of({
      actor: 'a',
      capability: { resource: 'x', action: 'y', scope: 'z' },
      environment: 'live',
      risk: 'low',
      arguments: scanStrict(text, wanted({})).value,
    })
  } catch {
    // A refusal is the answer: such a message never comes to a decision.
    return undefined
  }
}
