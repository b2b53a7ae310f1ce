import { KnownNames } from '../json/fold.ts'

/** What a member of `params` has to be, if the gate is to read it. */
export type MemberType = 'string' | 'object' | 'id' | 'any'

/** A member of `params` that the gate reads, rewrites or leaves to the upstream but must not overlook. */
export interface MemberRule {
  readonly name: string
  readonly type: MemberType
  readonly required: boolean
}

/** What the gate reads of every method's `params`, a method of the protocol or not. */
const metaRule: MemberRule = { name: '_meta', type: 'object', required: false }

const required = (name: string, type: MemberType): MemberRule => ({ name, type, required: true })
const optional = (name: string, type: MemberType): MemberRule => ({ name, type, required: false })

const noMembers: readonly MemberRule[] = [metaRule]
const handshake: readonly MemberRule[] = [
  optional('protocolVersion', 'string'),
  optional('capabilities', 'object'),
  optional('clientInfo', 'object'),
  metaRule,
]
const page: readonly MemberRule[] = [optional('cursor', 'string'), metaRule]
const resource: readonly MemberRule[] = [required('uri', 'string')]
const named: readonly MemberRule[] = [required('name', 'string'), optional('arguments', 'object')]
/** A client of the newest revision repeats a request with its answers to what the server asked. */
const repeated: readonly MemberRule[] = [
  optional('inputResponses', 'any'),
  optional('requestState', 'any'),
  metaRule,
]
const toolCall: readonly MemberRule[] = [...named, optional('task', 'any'), ...repeated]
const task: readonly MemberRule[] = [required('taskId', 'string'), metaRule]

/** What the gate knows about a method. */
export interface MethodRule {
  readonly kind: 'request' | 'notification'
  readonly members: readonly MemberRule[]
  /** The names of `members`. */
  readonly names: KnownNames
}

function rule(kind: MethodRule['kind'], members: readonly MemberRule[]): MethodRule {
  return { kind, members, names: new KnownNames(members.map(({ name }) => name)) }
}

/** The methods and notifications of a client, in every revision up to 2026-07-28. */
const rules: ReadonlyMap<string, MethodRule> = new Map([
  ['initialize', rule('request', handshake)],
  ['ping', rule('request', noMembers)],
  ['server/discover', rule('request', noMembers)],
  ['tools/list', rule('request', page)],
  ['tools/call', rule('request', toolCall)],
  ['resources/list', rule('request', page)],
  ['resources/templates/list', rule('request', page)],
  ['resources/read', rule('request', [...resource, ...repeated])],
  // The newest revision does not have these two, and says so whatever their params are.
  ['resources/subscribe', rule('request', [optional('uri', 'string'), metaRule])],
  ['resources/unsubscribe', rule('request', [optional('uri', 'string'), metaRule])],
  ['prompts/list', rule('request', page)],
  ['prompts/get', rule('request', [...named, ...repeated])],
  ['completion/complete', rule('request', [required('ref', 'object'), metaRule])],
  ['logging/setLevel', rule('request', [optional('level', 'string'), metaRule])],
  ['subscriptions/listen', rule('request', noMembers)],
  ['tasks/list', rule('request', page)],
  ['tasks/get', rule('request', task)],
  ['tasks/result', rule('request', task)],
  ['tasks/update', rule('request', task)],
  ['tasks/cancel', rule('request', task)],
  ['notifications/initialized', rule('notification', noMembers)],
  ['notifications/cancelled', rule('notification', [optional('requestId', 'id'), metaRule])],
  ['notifications/progress', rule('notification', [required('progressToken', 'id'), metaRule])],
  ['notifications/roots/list_changed', rule('notification', noMembers)],
  ['notifications/tasks/status', rule('notification', noMembers)],
])

/** Of a method that the protocol does not have, the gate reads nothing but `_meta`. */
export const foreignMethod: Omit<MethodRule, 'kind'> = {
  members: noMembers,
  names: new KnownNames(['_meta']),
}

/** The methods of the protocol. */
export const knownMethods: KnownNames = new KnownNames([...rules.keys()])

/** What a method of the protocol is; undefined for any other. */
export function methodRule(method: string): MethodRule | undefined {
  return rules.get(method)
}
