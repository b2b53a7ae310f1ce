/** The list methods, the member of the result that holds the items, and the capability a server needs. */
export const listMethods = {
  'tools/list': { member: 'tools', capability: 'tools' },
  'prompts/list': { member: 'prompts', capability: 'prompts' },
  'resources/list': { member: 'resources', capability: 'resources' },
  'resources/templates/list': { member: 'resourceTemplates', capability: 'resources' },
} as const

/** A method that lists, page by page. */
export type ListMethod = keyof typeof listMethods

/** Whether a method lists, page by page. */
export function isListMethod(method: string): method is ListMethod {
  return Object.hasOwn(listMethods, method)
}

/** Requests of the handshake revisions that a client may send, besides `initialize`, `ping`, lists and `tools/call`. */
const routed: ReadonlySet<string> = new Set([
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'completion/complete',
  'logging/setLevel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/cancel',
])

/** Whether a request of this method goes to the server it is for. */
export function isRoutedMethod(method: string): boolean {
  return routed.has(method)
}
