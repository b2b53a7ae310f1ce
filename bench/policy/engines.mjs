// The same rules in the language of each engine. An engine gets what it needs to be fast: policies parsed beforehand,
// the synchronous call, an index where it has one. `prepare` makes what a caller has at hand when it asks, and is not
// timed; `decide` answers `allow`, `require_approval` or `deny`.
//
// What the others cannot say is left out of their rules, which makes them faster, not slower:
// * none of them has a third answer: a guard that holds is a deny here, told apart by the rule that decided;
// * none finds an amount, a path or a text by itself at any depth and under any name: their rules name the argument;
// * none compares text without regard to case, width, hidden characters and how a tool joins it; none normalises a path;
// * casbin and CASL compare amounts as doubles;
// * none says `indeterminate`: Cedar skips a rule that fails, the others throw or take it for false.
import { createMongoAbility, subject } from '@casl/ability'
import cedar from '@cedar-policy/cedar-wasm/nodejs'
import { newEnforcer, newModelFromString, StringAdapter } from 'casbin'

import { ActionEvent } from '../../dist/event/action-event.js'
import { scanStrict, wanted } from '../../dist/json/scan.js'
import { loadPolicy } from '../../dist/policy/load.js'
import { policyText } from './policy-text.mjs'
import { asked } from './workload.mjs'

/** The engines, by name: each makes `{prepare, decide}` of rules. */
export const engines = { capfence, cedar: cedarEngine, casbin: casbinEngine, casl }

/** A text that no other string shares memory or a hash with, as one that was just read. */
export function fresh(text) {
  return Buffer.from(text).toString('latin1')
}

function capfence(rules) {
  const policy = loadPolicy([{ path: 'bench.yaml', text: policyText(rules) }])
  return {
    // As the gate makes it: the arguments from the bytes of the message, the names from its bindings.
    prepare: ({ resource, action, scope, environment, arguments: given }) =>
      ActionEvent.of({
        actor: 'agent-1',
        capability: { resource: fresh(resource), action: fresh(action), scope: fresh(scope) },
        environment,
        risk: 'medium',
        arguments: scanStrict(Buffer.from(JSON.stringify(given)), wanted({})).value,
      }),
    decide: (event) => policy.decide(event).decision,
  }
}

function cedarEngine(rules) {
  const when = {
    text: asked.texts.map((text) => `context.args.command like "*${text}*"`).join(' || '),
    amount: `context.args.amount.greaterThan(decimal("${asked.amount}.0"))`,
    path: `context.args.path == "${asked.folder}" || context.args.path like "${asked.folder}/*"`,
    environment: `context.environment == "${asked.environment}"`,
  }
  const policies = rules.map(({ id, effect, resource, action, scope, asks }) => {
    const head = `principal, ${action === '*' ? 'action' : `action == Action::"${action}"`}, resource == Service::"${resource}"`
    const condition = `context.scope == "${scope}"${asks === undefined ? '' : ` && (${when[asks]})`}`
    return [id, `${effect === 'allow' ? 'permit' : 'forbid'}(${head}) when { ${condition} };`]
  })
  const preparsed = `bench-${rules.length}`
  const parsed = cedar.preparsePolicySet(preparsed, {
    staticPolicies: Object.fromEntries(policies),
  })
  if (parsed.type !== 'success') throw new Error(JSON.stringify(parsed.errors[0]))
  const held = new Set(
    rules.filter(({ effect }) => effect === 'require_approval').map(({ id }) => id),
  )
  return {
    prepare: ({ resource, action, scope, environment, arguments: given }) => ({
      principal: { type: 'Agent', id: 'agent-1' },
      action: { type: 'Action', id: action },
      resource: { type: 'Service', id: resource },
      context: { scope, environment, args: { ...given, ...decimalOf(given.amount) } },
      entities: [],
      preparsedPolicySetId: preparsed,
    }),
    decide: (request) => {
      const { response } = cedar.statefulIsAuthorized(request)
      if (response.decision === 'allow') return 'allow'
      return response.diagnostics.reason.some((id) => held.has(id)) ? 'require_approval' : 'deny'
    },
  }
}

function decimalOf(amount) {
  return amount === undefined ? {} : { amount: { __extn: { fn: 'decimal', arg: `${amount}.0` } } }
}

async function casbinEngine(rules) {
  const model = newModelFromString(`
[request_definition]
r = resource, action, scope, environment, args
[policy_definition]
p = resource, action, scope, asks, answer, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.resource == p.resource && (p.action == "*" || r.action == p.action) && r.scope == p.scope && asks(p.asks, r.environment, r.args)
`)
  const lines = rules.map(({ effect, resource, action, scope, asks = 'nothing' }) => {
    const result = effect === 'allow' ? 'allow' : 'deny'
    return `p, ${resource}, ${action}, ${scope}, ${asks}, ${effect}, ${result}`
  })
  const enforcer = await newEnforcer(model, new StringAdapter(lines.join('\n')))
  const conditions = {
    nothing: () => true,
    text: (_, { command }) => asked.texts.some((text) => command.includes(text)),
    amount: (_, { amount }) => amount > asked.amount,
    path: (_, { path }) => path === asked.folder || path.startsWith(`${asked.folder}/`),
    environment: (environment) => environment === asked.environment,
  }
  enforcer.addFunction('asks', (name, environment, args) => conditions[name](environment, args))
  return {
    prepare: (call) => [call.resource, call.action, call.scope, call.environment, call.arguments],
    decide: (request) => {
      const [allowed, rule] = enforcer.enforceExSync(...request)
      if (allowed) return 'allow'
      return rule[4] === 'require_approval' ? 'require_approval' : 'deny'
    },
  }
}

function casl(rules) {
  const conditions = {
    text: { 'args.command': { $regex: asked.texts.join('|') } },
    amount: { 'args.amount': { $gt: asked.amount } },
    path: { 'args.path': { $regex: `^${asked.folder}(?:/|$)` } },
    environment: { environment: asked.environment },
  }
  const raw = rules.map(({ effect, resource, action, scope, asks }) => ({
    action: action === '*' ? 'manage' : action,
    subject: resource,
    conditions: { scope, ...conditions[asks] },
    inverted: effect !== 'allow',
    reason: effect,
  }))
  // Of two rules that match the later one decides, so the guards come last.
  const ability = createMongoAbility(raw.toSorted((one, other) => one.inverted - other.inverted))
  return {
    prepare: ({ resource, action, scope, environment, arguments: args }) => ({
      action,
      about: subject(resource, { scope, environment, args }),
    }),
    decide: ({ action, about }) => ability.relevantRuleFor(action, about)?.reason ?? 'deny',
  }
}
