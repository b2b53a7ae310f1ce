import { KnownNames } from '../json/fold.ts'
import { excerpt } from '../json/scan.ts'
import { isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { limits } from '../limits.ts'
import { foreignMethod, knownMethods, methodRule } from './client-methods.ts'
import type { MemberRule } from './client-methods.ts'
import type { RefusalReason } from './message.ts'
import { exactId } from './rpc-id.ts'

/** Why a text that is sound JSON is no message to pass on. */
export class Objection extends Error {
  override readonly name = 'Objection'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason, what: string) {
    super(what)
    this.reason = reason
  }
}

const envelope = new KnownNames(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
const inMeta = new KnownNames(['progressToken'])

/** Refuses members outside JSON-RPC, and another version of it. */
export function checkEnvelope(message: JsonObject): void {
  for (const name of Object.keys(message)) {
    if (isKnown(name, envelope)) continue
    throw new Objection('unknown_member', `unknown top-level member ${excerpt(name)}`)
  }
  if (message['jsonrpc'] !== '2.0') throw new Objection('jsonrpc', '`jsonrpc` is not "2.0"')
}

/** The method's name, if it can be taken for no other. */
export function checkMethod(method: JsonValue | undefined): string {
  if (typeof method !== 'string' || method === '' || method.length > limits.maxNameCharacters) {
    const bound = `1 to ${limits.maxNameCharacters} characters`
    throw new Objection('method', `\`method\` is not a string of ${bound}`)
  }
  const meant = knownMethods.meantBy(method) ?? method
  if (meant === method) return method
  throw new Objection('method_variant', `method ${excerpt(method)} can be taken for \`${meant}\``)
}

/** Refuses a request that nobody could be answered about, and a notification that wants an answer. */
export function checkKind(method: string, kind: 'request' | 'notification'): void {
  const known = methodRule(method)?.kind
  if (known === undefined || known === kind) return
  if (known === 'notification') throw new Objection('shape', `\`${method}\` with an id`)
  const reason = method === 'tools/call' ? 'call_without_id' : 'request_without_id'
  throw new Objection(reason, `\`${method}\` without an id`)
}

/** Refuses `params` whose members the gate could read otherwise than the upstream does, and returns all others. */
export function checkParams(method: string, params: JsonObject): JsonObject {
  const { members, names } = methodRule(method) ?? foreignMethod
  for (const name of Object.keys(params)) isKnown(name, names)
  for (const rule of members) checkMember(method, rule, params[rule.name])
  checkMeta(params['_meta'])
  return params
}

function checkMeta(meta: JsonValue | undefined): void {
  if (!isJsonObject(meta)) return
  for (const name of Object.keys(meta)) isKnown(name, inMeta)
  const token = meta['progressToken']
  if (token !== undefined && exactId(token) === undefined) {
    throw new Objection('progress_token', '`progressToken` is neither a string nor a safe integer')
  }
}

/** Whether a member is one the gate knows; refuses one that only a lenient reader takes for such a one. */
function isKnown(name: string, known: KnownNames): boolean {
  const meant = known.meantBy(name)
  if (meant === undefined || meant === name) return meant === name
  throw new Objection('member_variant', `member ${excerpt(name)} can be taken for \`${meant}\``)
}

function checkMember(method: string, rule: MemberRule, value: JsonValue | undefined): void {
  if (value === undefined ? !rule.required : fits(rule, value)) return
  const what = value === undefined ? 'is missing' : `is not ${expected(rule)}`
  throw new Objection(objectionReason(method, rule), `\`params.${rule.name}\` ${what}`)
}

function fits({ name, type }: MemberRule, value: JsonValue): boolean {
  if (type === 'any') return true
  if (type === 'id') return exactId(value) !== undefined
  if (type === 'object') return isJsonObject(value)
  return typeof value === 'string' && (name !== 'name' || value.length <= limits.maxNameCharacters)
}

function expected({ name, type }: MemberRule): string {
  if (type === 'object') return 'an object'
  if (type === 'id') return 'a string or a safe integer'
  return name === 'name' ? `a string of at most ${limits.maxNameCharacters} characters` : 'a string'
}

function objectionReason(method: string, { name, type }: MemberRule): RefusalReason {
  if (type === 'id') return name === 'progressToken' ? 'progress_token' : 'params'
  if (method !== 'tools/call') return 'params'
  if (name === 'name') return 'call_name'
  return name === 'arguments' ? 'call_arguments' : 'params'
}
