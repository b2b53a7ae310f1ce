import { foldKey } from '../json/fold.ts'

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
const page: readonly MemberRule[] = [optional('cursor', 'string'), metaRule]
const resource: readonly MemberRule[] = [required('uri', 'string'), metaRule]
/** A client of the newest revision repeats a request with answers to what the server asked. */
const repeated: readonly MemberRule[] = [
  optional('inputResponses', 'any'),
  optional('requestState', 'any'),
  metaRule,
]
const task: readonly MemberRule[] = [required('taskId', 'string'), metaRule]

/** The methods and notifications of a client, in every revision up to 2026-07-28. */
const rules: ReadonlyMap<string, readonly MemberRule[]> = new Map([
  ['initialize', noMembers],
  ['ping', noMembers],
  ['server/discover', noMembers],
  ['tools/list', page],
  [
    'tools/call',
    [
      required('name', 'string'),
      optional('arguments', 'object'),
      optional('task', 'any'),
      ...repeated,
    ],
  ],
  ['resources/list', page],
  ['resources/templates/list', page],
  ['resources/read', [required('uri', 'string'), ...repeated]],
  ['resources/subscribe', resource],
  ['resources/unsubscribe', resource],
  ['prompts/list', page],
  ['prompts/get', [required('name', 'string'), optional('arguments', 'object'), ...repeated]],
  ['completion/complete', [required('ref', 'object'), metaRule]],
  ['logging/setLevel', noMembers],
  ['subscriptions/listen', noMembers],
  ['tasks/list', page],
  ['tasks/get', task],
  ['tasks/result', task],
  ['tasks/update', task],
  ['tasks/cancel', task],
  ['notifications/initialized', noMembers],
  ['notifications/cancelled', [optional('requestId', 'id'), metaRule]],
  ['notifications/progress', [required('progressToken', 'id'), metaRule]],
  ['notifications/roots/list_changed', noMembers],
  ['notifications/tasks/status', noMembers],
])

const exactMethods: ReadonlyMap<string, string> = new Map(
  [...rules.keys()].map((method) => [foldKey(method), method]),
)

/** Whether a method of the protocol wants an answer; undefined when the protocol has no such method. */
export function kindOfMethod(method: string): 'request' | 'notification' | undefined {
  if (!rules.has(method)) return undefined
  return method.startsWith('notifications/') ? 'notification' : 'request'
}

/** What `params` of this method must look like; other members of it pass. */
export function memberRules(method: string): readonly MemberRule[] {
  return rules.get(method) ?? noMembers
}

/** The protocol's method that a lenient server may take this one for, though it is another text. */
export function methodMistakenFor(method: string): string | undefined {
  const exact = exactMethods.get(foldKey(method))
  return exact === method ? undefined : exact
}
