// A trace as an export of a log writes it: calls with what their policy was told, and their outcomes.
import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { ActionEvent } from '../../dist/index.js'
import { Decimal } from '../../dist/json/decimal.js'
import { toJsonObject } from '../../dist/json/from-js.js'
import { loadPolicy } from '../../dist/policy/load.js'
import {
  callLine,
  headerLine,
  noChecksum,
  outcomeLine,
  policyLine,
} from '../../dist/replay/trace-lines.js'

/** What decided, and another policy that has to work out for itself what limits and labels stand at. */
export const policyText = `version: 1
deny:
  - {id: no-forced-delete, capability: filesystem.delete, contains: "rm -rf"}
  - {id: tainted, capability: mail.send, session: {has: [untrusted]}}
require_approval:
  - {id: large, capability: payment.execute, amount_gt: 1000}
allow:
  - {id: read, capability: filesystem.read, args: {/path: {under: /srv/work}}}
  - {id: get, capability: http.get, limit: {max: 100000, window: 1h}}
  - {id: pay, capability: payment.execute, amount_gte: 0, limit: {max: 1000000, window: 1h, sum: /amount}}
  - {id: mail, capability: mail.send}
labels:
  - {capability: http.get, adds: untrusted, ttl: 10m}
`

const beginMs = Date.parse('2026-11-24T00:00:00Z')
const betweenMs = 250

/** Ten calls as agents make them, again and again; the last part of each is another one every time. */
const kinds = [
  [
    'filesystem',
    'read',
    (at) => ({ path: `/srv/work/reports/${at % 97}/${at}.txt`, encoding: 'utf8' }),
  ],
  [
    'http',
    'get',
    (at) => ({ url: `https://api.example.com/v1/items/${at}?page=1`, accept: 'application/json' }),
  ],
  ['filesystem', 'read', (at) => ({ path: `/srv/work/src/${at}.ts`, head: 200 })],
  ['filesystem', 'read', (at) => ({ path: `/srv/work/src/${at}.ts`, head: 200 })],
  [
    'payment',
    'execute',
    (at) => ({ amount: (at % 90) + 0.5, currency: 'EUR', recipient: `supplier ${at % 50}` }),
  ],
  ['filesystem', 'delete', (at) => ({ command: `rm -rf /srv/work/tmp/${at}` })],
  ['filesystem', 'read', (at) => ({ path: `/srv/work/notes/${at}.md`, encoding: 'utf8' })],
  [
    'mail',
    'send',
    (at) => ({
      to: `person${at % 200}@example.com`,
      subject: `report ${at}`,
      body: 'as every day',
    }),
  ],
  ['filesystem', 'read', (at) => ({ path: `/srv/work/data/${at}.csv`, encoding: 'utf8' })],
  ['filesystem', 'read', (at) => ({ path: `/etc/service-${at}.conf`, encoding: 'utf8' })],
]

/** Writes a trace of so many calls; returns how many lines it has. */
export function writeTrace(path, calls) {
  const policy = loadPolicy([{ path: 'agents.yaml', text: policyText }])
  const hash = sha256(`${sha256(policyText)}\n`)
  const forwarded = Math.round(calls * forwardedPart(policy))
  const lines = 1 + calls + forwarded
  const header = headerLine({
    source: 'log',
    log: 'capfence.local/01KBJ3TXQ1N0J6N9N6YJ7X8W4D',
    isComplete: true,
    policies: [hash],
    calls,
    lines,
  })
  const out = new Writing(path)
  out.write(header)
  out.write(policyLine({ hash, index: 0, count: 1, path: 'agents.yaml', text: policyText }))
  let seq = 0
  let written = 0
  for (let at = 0; at < calls; at += 1) {
    const call = callAt(policy, at)
    const isForwarded = call.answer.decision === 'allow'
    out.write(lineOf(call, { seq, hash, isForwarded }))
    if (isForwarded) {
      written += 1
      out.write(outcomeLine({ of: seq, atMs: call.atMs + 40, status: 'ok', sent: true }))
    }
    seq += 2
  }
  if (written !== forwarded) throw new Error(`${written} calls were forwarded, not ${forwarded}`)
  out.end(header.indexOf(noChecksum))
  return lines
}

function forwardedPart(policy) {
  return (
    kinds.filter((_, at) => callAt(policy, at).answer.decision === 'allow').length / kinds.length
  )
}

function callAt(policy, at) {
  const [resource, action, args] = kinds[at % kinds.length]
  const event = ActionEvent.create({
    actor: `agent-${at % 7}`,
    resource,
    action,
    environment: 'production',
    risk: 'medium',
    server: resource,
    tool: `${action}_${resource}`,
    client: 'claude-code',
    arguments: args(at),
  })
  const atMs = beginMs + at * betweenMs
  const asked = { added: [], charged: [], labels: [], pots: [] }
  const state = {
    nowMs: atMs,
    usage: (pot, sinceMs) => {
      asked.pots.push({ pot, since_ms: sinceMs, used: '100' })
      return { used: new Decimal('100'), reachedAtMs: () => undefined }
    },
    label: (label) => {
      asked.labels.push({ bind: null, held: true, label, proven: true })
      return { held: true, proven: true }
    },
  }
  const asksState = policy.asksState(event)
  const answer = policy.decide(event, asksState ? state : undefined)
  return { event, atMs, answer, told: asksState ? toJsonObject(asked) : undefined }
}

function lineOf({ event, atMs, answer, told }, { seq, hash, isForwarded }) {
  return callLine({
    seq,
    atMs,
    event,
    missing: [],
    unnamed: 'none',
    sealed: undefined,
    told,
    definitionHash: null,
    isFlagged: false,
    verdict: {
      decision: answer.decision,
      reason: answer.reason,
      rules: answer.rules.map(({ id, effect, position: { file, line } }) => ({
        id,
        effect,
        file,
        line,
      })),
      omittedRules: 0,
      policyHash: hash,
      forwarded: isForwarded,
      mode: 'enforce',
      approval: null,
      grant: null,
    },
  })
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex')
}

class Writing {
  #file
  #sha256 = createHash('sha256')
  #texts = []
  #size = 0

  constructor(path) {
    this.#file = openSync(path, 'w')
  }

  write(text) {
    this.#texts.push(text)
    this.#size += text.length
    if (this.#size > 1_000_000) this.#flush()
  }

  end(checksumAt) {
    this.#flush()
    writeSync(this.#file, this.#sha256.digest('hex'), checksumAt)
    closeSync(this.#file)
  }

  #flush() {
    const bytes = Buffer.from(this.#texts.join(''))
    this.#texts = []
    this.#size = 0
    this.#sha256.update(bytes)
    for (let at = 0; at < bytes.length; at += writeSync(this.#file, bytes, at));
  }
}
