import { emptyObject, isJsonObject } from '../mcp/params.ts'
import type { ClientRequest } from '../mcp/message.ts'
import { isPlainObject } from '../mcp/merge.ts'
import type { PlainObject } from '../mcp/merge.ts'
import { metaKeys } from '../mcp/modern.ts'
import { notificationMessage, resultMessage } from '../mcp/rpc.ts'
import type { OpenStream } from './http-answers.ts'

/** What a client wants to hear of. */
interface Filter {
  readonly kinds: ReadonlySet<string>
  readonly uris: ReadonlySet<string>
}

interface Listener {
  readonly idText: string
  readonly filter: Filter
  readonly stream: OpenStream
}

/** How servers are told which resources somebody listens for. */
export interface ResourceInterest {
  onFirst(uri: string): void
  onLast(uri: string): void
}

/** Resources that one client may listen for, count. */
const maxUris = 10_000

const kindOf: ReadonlyMap<string, string> = new Map([
  ['notifications/tools/list_changed', 'toolsListChanged'],
  ['notifications/prompts/list_changed', 'promptsListChanged'],
  ['notifications/resources/list_changed', 'resourcesListChanged'],
])

/** The streams of `subscriptions/listen` of one client, and what each of them is told. */
export class ModernListeners {
  readonly #interest: ResourceInterest
  readonly #listeners = new Set<Listener>()
  readonly #uris = new Map<string, number>()

  constructor(interest: ResourceInterest) {
    this.#interest = interest
  }

  /**
   * Begins to tell a client what it asked for, as far as the servers tell it.
   *
   * @param open called when the stream may begin; not when the request is refused
   * @returns what is wrong with the request
   */
  add(
    request: ClientRequest,
    capabilities: PlainObject,
    open: (onOver: () => void) => OpenStream,
  ): string | undefined {
    const wanted = request.params['notifications']
    if (!isJsonObject(wanted)) return '`params.notifications` is not an object'
    const filter = honoured(wanted, capabilities)
    if (filter === undefined)
      return `\`resourceSubscriptions\` is no list of at most ${maxUris} texts`
    const stream = open(() => this.#remove(listener))
    const listener: Listener = { idText: request.idText, filter, stream }
    this.#listeners.add(listener)
    this.#tell(listener, 'notifications/subscriptions/acknowledged', {
      notifications: shown(filter),
    })
    for (const uri of filter.uris) this.#count(uri, 1)
    if (filter.kinds.size === 0 && filter.uris.size === 0) this.#end(listener)
    return undefined
  }

  /** Passes on what a server tells, to whoever asked for it. */
  notify(method: string, params: PlainObject): void {
    const kind = kindOf.get(method)
    for (const listener of this.#listeners) {
      const { kinds, uris } = listener.filter
      const isWanted =
        kind === undefined
          ? method === 'notifications/resources/updated' && uris.has(String(params['uri']))
          : kinds.has(kind)
      if (isWanted) this.#tell(listener, method, params)
    }
  }

  /** Ends every stream as a server does that ends. */
  close(): void {
    for (const listener of this.#listeners) this.#end(listener)
  }

  #tell({ idText, stream }: Listener, method: string, params: PlainObject): void {
    if (stream.isOver) return
    const { _meta: given, ...rest } = params
    const meta = isPlainObject(given) ? JSON.stringify(given).slice(1, -1) : ''
    const marked = `"${metaKeys.subscriptionId}":${idText}${meta === '' ? '' : `,${meta}`}`
    const others = JSON.stringify(rest).slice(1, -1)
    const text = `{"_meta":{${marked}}${others === '' ? '' : `,${others}`}}`
    stream.send([notificationMessage(method, text)])
  }

  #end(listener: Listener): void {
    const { idText, stream } = listener
    const meta = `"_meta":{"${metaKeys.subscriptionId}":${idText}}`
    if (!stream.isOver) {
      stream.send([resultMessage(idText, `{"resultType":"complete",${meta}}`)])
      stream.end()
    }
    this.#remove(listener)
  }

  #remove(listener: Listener): void {
    if (!this.#listeners.delete(listener)) return
    for (const uri of listener.filter.uris) this.#count(uri, -1)
  }

  #count(uri: string, by: 1 | -1): void {
    const before = this.#uris.get(uri) ?? 0
    const after = before + by
    if (after <= 0) this.#uris.delete(uri)
    else this.#uris.set(uri, after)
    if (before === 0) this.#interest.onFirst(uri)
    if (after === 0) this.#interest.onLast(uri)
  }
}

/** What of a wish the servers can fulfil. */
function honoured(wanted: typeof emptyObject, capabilities: PlainObject): Filter | undefined {
  const can = (kind: string, what: string): boolean => {
    const capability = capabilities[kind]
    return isPlainObject(capability) && capability[what] === true
  }
  const kinds = ['tools', 'prompts', 'resources'].filter(
    (kind) => wanted[`${kind}ListChanged`] === true && can(kind, 'listChanged'),
  )
  const uris = wanted['resourceSubscriptions'] ?? []
  if (!Array.isArray(uris) || uris.length > maxUris) return undefined
  const texts = uris.filter((uri): uri is string => typeof uri === 'string')
  if (texts.length < uris.length) return undefined
  return {
    kinds: new Set(kinds.map((kind) => `${kind}ListChanged`)),
    uris: new Set(can('resources', 'subscribe') ? texts : []),
  }
}

function shown({ kinds, uris }: Filter): PlainObject {
  return {
    ...Object.fromEntries([...kinds].map((kind) => [kind, true])),
    ...(uris.size > 0 && { resourceSubscriptions: [...uris] }),
  }
}
