import { openArguments } from '../audit/open-disclosure.ts'
import { sha256Base64url } from '../crypto/sha256.ts'
import { ActionEvent } from '../event/action-event.ts'
import type { ArgumentRoles, EventContext, EventParts } from '../event/event.ts'
import { isRiskLevel } from '../event/capability.ts'
import { Decimal } from '../json/decimal.ts'
import type { JsonObject } from '../json/value.ts'
import { isJsonObject } from '../json/value.ts'
import { limits } from '../limits.ts'
import { presences } from '../policy/rule.ts'
import { badLine, LineFields } from './line-fields.ts'
import { missingArguments, nothingMissing } from './missing.ts'
import type { Told } from './told-state.ts'
import { traceStatuses } from './trace.ts'
import type {
  TraceApproval,
  TraceCall,
  TraceCarry,
  TraceEntry,
  TraceGrant,
  TraceOutcome,
  TracePolicyFile,
  TraceRule,
  TraceVerdict,
} from './trace.ts'

/**
 * Reads one line of a trace of CapFence behind its header.
 *
 * @throws CapFenceError `TRACE_INVALID` or `EVENT_INVALID`, without the number of the line
 */
export function ownEntry(object: JsonObject, line: number): TraceEntry {
  const { t } = object
  const read = typeof t === 'string' ? readers.get(t) : undefined
  if (read !== undefined) return read(object, line)
  throw badLine('`t` says none of `call`, `outcome`, `approval`, `grant`, `policy`, `carry`')
}

const readers: ReadonlyMap<string, (object: JsonObject, line: number) => TraceEntry> = new Map<
  string,
  (object: JsonObject, line: number) => TraceEntry
>([
  ['call', callOf],
  ['outcome', outcomeOf],
  ['approval', approvalOf],
  ['grant', grantOf],
  ['policy', policyOf],
  ['carry', carryOf],
])

const contextFields = ['server', 'tool', 'role', 'tenant', 'session', 'client'] as const

const callFields: ReadonlySet<string> = new Set([
  't',
  'seq',
  'at',
  'actor',
  'resource',
  'action',
  'scope',
  'environment',
  'risk',
  ...contextFields,
  'arguments',
  'disclosures',
  'digests',
  'missing',
  'unnamed',
  'amounts',
  'paths',
  'definition',
  'told',
  'flagged',
  'verdict',
])

function callOf(object: JsonObject, line: number): TraceCall {
  const fields = new LineFields(object, callFields)
  const { args, missing } = argumentsOf(fields)
  const risk = fields.textOrNull('risk')
  if (risk !== null && !isRiskLevel(risk)) throw badLine('`risk` is no risk level')
  const environment = fields.textOrNull('environment')
  const parts: EventParts = {
    actor: fields.text('actor'),
    capability: {
      resource: fields.text('resource'),
      action: fields.text('action'),
      scope: fields.text('scope'),
    },
    ...(environment === null ? {} : { environment }),
    ...(risk === null ? {} : { risk }),
    arguments: args,
    context: contextOf(fields),
    argumentRoles: rolesOf(fields),
  }
  const verdict = fields.has('verdict') ? verdictOf(fields.object('verdict')) : undefined
  return {
    kind: 'call',
    line,
    seq: fields.count('seq'),
    atMs: fields.countOrNull('at'),
    event: ActionEvent.of(parts),
    missing,
    told: toldOf(object),
    definitionHash: fields.hashOrNull('definition'),
    verdict,
    isFlagged: fields.flag('flagged', false),
  }
}

function argumentsOf(fields: LineFields): {
  readonly args: JsonObject
  readonly missing: TraceCall['missing']
} {
  const unnamed = fields.has('unnamed')
    ? fields.oneOf('unnamed', ['none', 'secret', 'any'] as const)
    : 'none'
  if (!fields.has('disclosures')) {
    const args = fields.object('arguments')
    if (fields.has('digests')) throw badLine('`digests` stand without `disclosures`')
    if (unnamed === 'none' && !fields.has('missing')) return { args, missing: nothingMissing }
    return { args, missing: missingArguments(pointersIn(fields, 'missing'), unnamed) }
  }
  if (fields.has('arguments')) throw badLine('`arguments` and `disclosures` do not go together')
  const digests = new Set(fields.texts('digests'))
  const disclosures = fields.texts('disclosures').map((encoded) => {
    const digest = sha256Base64url(encoded)
    if (!digests.has(digest)) throw badLine('none of `digests` stands for one of `disclosures`')
    return { digest, encoded }
  })
  const { value, missing, withheld } = openArguments(digests, disclosures)
  if (withheld > 0 && unnamed === 'none') {
    throw badLine('`digests` without disclosures need `unnamed` to say what they may be')
  }
  return { args: value, missing: missingArguments(missing, unnamed) }
}

function contextOf(fields: LineFields): EventContext {
  const context: { -readonly [Name in keyof EventContext]: EventContext[Name] } = {}
  for (const name of contextFields) {
    const value = fields.textOrNull(name)
    if (value !== null) context[name] = value
  }
  return context
}

function rolesOf(fields: LineFields): ArgumentRoles {
  return {
    ...(fields.has('amounts') ? { amount: pointersIn(fields, 'amounts') } : {}),
    ...(fields.has('paths') ? { path: pointersIn(fields, 'paths') } : {}),
  }
}

function pointersIn(fields: LineFields, name: string): readonly string[] {
  const pointers = fields.texts(name)
  const wrong = pointers.find((one) => !/^(?:\/(?:[^~/]|~[01])*)*$/.test(one))
  if (wrong !== undefined) throw badLine(`\`${name}\` holds a text that is no JSON Pointer`)
  return pointers
}

function toldOf(object: JsonObject): Told {
  const told = object['told']
  if (told === undefined || told === 'erased') return told
  if (isJsonObject(told)) return told
  throw badLine('`told` is neither an object nor `erased`')
}

const verdictFields: ReadonlySet<string> = new Set([
  'decision',
  'reason',
  'rules',
  'omitted',
  'policy',
  'forwarded',
  'mode',
  'approval',
  'grant',
])

const effects = ['allow', 'require_approval', 'deny'] as const

function verdictOf(object: JsonObject): TraceVerdict {
  const fields = new LineFields(object, verdictFields, 'verdict.')
  return {
    decision: fields.oneOf('decision', effects),
    reason: fields.textOrNull('reason'),
    rules: fields.objects('rules').map(ruleOf),
    omittedRules: fields.countOrNull('omitted') ?? 0,
    policyHash: fields.hashOrNull('policy'),
    forwarded: fields.flagOrNull('forwarded'),
    mode: fields.has('mode') ? fields.oneOf('mode', ['enforce', 'observe'] as const) : 'enforce',
    approval: fields.textOrNull('approval'),
    grant: fields.textOrNull('grant'),
  }
}

const ruleFields: ReadonlySet<string> = new Set(['id', 'effect', 'file', 'line'])

function ruleOf(object: JsonObject): TraceRule {
  const fields = new LineFields(object, ruleFields, 'verdict.rules.')
  return {
    id: fields.text('id'),
    effect: fields.oneOf('effect', effects),
    file: fields.text('file'),
    line: fields.count('line'),
  }
}

const outcomeFields: ReadonlySet<string> = new Set(['t', 'of', 'at', 'status', 'sent'])

function outcomeOf(object: JsonObject, line: number): TraceOutcome {
  const fields = new LineFields(object, outcomeFields)
  return {
    kind: 'outcome',
    line,
    of: fields.count('of'),
    atMs: fields.countOrNull('at'),
    status: fields.oneOf('status', traceStatuses),
    sent: fields.flag('sent', true),
  }
}

const approvalFields: Readonly<Record<TraceApproval['what'], ReadonlySet<string>>> = {
  request: approvalSet('of', 'expires', 'presence', 'quorum', 'uses'),
  grant: approvalSet('approver', 'presence', 'uses', 'expires', 'session'),
  deny: approvalSet('approver', 'expires'),
  revoke: approvalSet('approver'),
  use: approvalSet('of'),
  expire: approvalSet(),
}

function approvalSet(...names: readonly string[]): ReadonlySet<string> {
  return new Set(['t', 'what', 'approval', 'at', ...names])
}

const everyWhat = ['request', 'grant', 'deny', 'revoke', 'use', 'expire'] as const

function approvalOf(object: JsonObject, line: number): TraceApproval {
  const what = everyWhat.find((one) => one === object['what'])
  if (what === undefined) throw badLine(`\`what\` says none of ${everyWhat.join(', ')}`)
  const fields = new LineFields(object, approvalFields[what])
  const about = {
    kind: 'approval',
    line,
    approval: fields.text('approval'),
    atMs: fields.count('at'),
  } as const
  switch (what) {
    case 'request':
      return {
        ...about,
        what,
        of: fields.count('of'),
        expiresAtMs: fields.count('expires'),
        presence: fields.oneOf('presence', presences),
        quorum: fields.count('quorum'),
        uses: fields.countOrNull('uses'),
      }
    case 'grant':
      return {
        ...about,
        what,
        approver: fields.text('approver'),
        presence: fields.oneOf('presence', presences),
        uses: fields.count('uses'),
        expiresAtMs: fields.count('expires'),
        session: fields.textOrNull('session'),
      }
    case 'deny':
      return {
        ...about,
        what,
        approver: fields.text('approver'),
        expiresAtMs: fields.count('expires'),
      }
    case 'revoke':
      return { ...about, what, approver: fields.text('approver') }
    case 'use':
      return { ...about, what, of: fields.count('of') }
    case 'expire':
      return { ...about, what }
  }
}

const grantFields: Readonly<Record<TraceGrant['what'], ReadonlySet<string>>> = {
  create: grantSet('envelope', 'issuers'),
  revoke: grantSet('by'),
  use: grantSet('of'),
  expire: grantSet(),
}

function grantSet(...names: readonly string[]): ReadonlySet<string> {
  return new Set(['t', 'what', 'grant', 'at', ...names])
}

const everyGrant = ['create', 'revoke', 'use', 'expire'] as const

function grantOf(object: JsonObject, line: number): TraceGrant {
  const what = everyGrant.find((one) => one === object['what'])
  if (what === undefined) throw badLine(`\`what\` says none of ${everyGrant.join(', ')}`)
  const fields = new LineFields(object, grantFields[what])
  const about = {
    kind: 'grant',
    line,
    grant: fields.text('grant'),
    atMs: fields.count('at'),
  } as const
  switch (what) {
    case 'create':
      return { ...about, what, envelope: fields.text('envelope'), issuers: fields.texts('issuers') }
    case 'revoke':
      return { ...about, what, by: fields.text('by') }
    case 'use':
      return { ...about, what, of: fields.count('of') }
    case 'expire':
      return { ...about, what }
  }
}

const policyFields: ReadonlySet<string> = new Set(['t', 'hash', 'index', 'count', 'path', 'text'])

function policyOf(object: JsonObject, line: number): TracePolicyFile {
  const fields = new LineFields(object, policyFields)
  const [index, count] = [fields.count('index'), fields.count('count')]
  if (count === 0 || count > limits.maxPolicyFiles) {
    throw badLine(`a policy has 1 to ${limits.maxPolicyFiles} files`)
  }
  if (index >= count) throw badLine('`index` must be below `count`')
  return {
    kind: 'policy',
    line,
    hash: fields.hash('hash'),
    index,
    count,
    path: fields.text('path'),
    text: fields.text('text'),
  }
}

const carryFields: ReadonlySet<string> = new Set(['t', 'charges', 'labels'])
const chargeFields: ReadonlySet<string> = new Set(['pot', 'amount', 'at', 'expires'])
const labelFields: ReadonlySet<string> = new Set([
  'subject',
  'label',
  'bound',
  'held',
  'proven',
  'perhaps',
])

function carryOf(object: JsonObject, line: number): TraceCarry {
  const fields = new LineFields(object, carryFields)
  return {
    kind: 'carry',
    line,
    charges: fields.objects('charges').map((one) => {
      const charge = new LineFields(one, chargeFields, 'charges.')
      const amount = charge.text('amount')
      if (Decimal.parsePlain(amount) === undefined) throw badLine('`charges.amount` is no number')
      return {
        pot: charge.text('pot'),
        amount,
        atMs: charge.count('at'),
        expiresAtMs: charge.count('expires'),
      }
    }),
    labels: fields.objects('labels').map((one) => {
      const label = new LineFields(one, labelFields, 'labels.')
      return {
        subject: label.text('subject'),
        label: label.text('label'),
        isBound: label.flag('bound', false),
        heldUntilMs: label.count('held'),
        provenUntilMs: label.count('proven'),
        perhapsUntilMs: label.countOrNull('perhaps') ?? 0,
      }
    }),
  }
}
