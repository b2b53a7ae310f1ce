/** What of a request says where it comes from and what it carries. */
export interface RequestFacts {
  readonly method: string
  /** A header by its name in small letters; undefined when it is missing. */
  header(name: string): string | undefined
  /** Names of headers that stand there more than once although they must not. */
  readonly repeated: readonly string[]
}

/** Under which names a server may be asked for, and by which pages. */
export interface GuardRules {
  /** As a client writes them in `Host`, in small letters: with the port, unless that is the usual one. */
  readonly hosts: ReadonlySet<string>
  /** Pages of other origins that may ask, such as `http://localhost:6274`. */
  readonly origins: ReadonlySet<string>
}

/** Why a request is refused before it is looked at: the status of the answer and what it says. */
export interface HttpRefusal {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Headers on whose value something depends: two of them would be read differently by two readers (THREATS B6). */
export const singleHeaders: readonly string[] = [
  ...['authorization', 'content-encoding', 'content-length', 'content-type', 'host', 'origin'],
  ...['last-event-id', 'mcp-method', 'mcp-name', 'mcp-protocol-version', 'mcp-session-id'],
  ...['sec-fetch-site', 'transfer-encoding'],
]

/**
 * Says why a request is not served to whoever sent it: a page in a browser may send requests to this machine under any
 * name that leads here (THREATS B14).
 *
 * A program sends neither `Origin` nor `Sec-Fetch-Site`, and a page cannot leave out either. What programs may do, the
 * token decides.
 */
export function guardComplaint(request: RequestFacts, rules: GuardRules): HttpRefusal | undefined {
  const [repeated] = request.repeated
  if (repeated !== undefined)
    return { status: 400, text: `the header \`${repeated}\` stands twice` }
  const host = request.header('host')?.toLowerCase()
  if (host === undefined || !rules.hosts.has(host)) {
    return { status: 403, text: 'the gate is not served under that name' }
  }
  const origin = request.header('origin')
  const isKnownPage = origin !== undefined && isAllowedOrigin(origin, host, rules)
  if (origin !== undefined && !isKnownPage) {
    return { status: 403, text: 'requests of this page are not taken' }
  }
  const site = request.header('sec-fetch-site')
  if (site === undefined || site === 'same-origin' || isKnownPage) return undefined
  return { status: 403, text: 'requests of other pages are not taken' }
}

function isAllowedOrigin(origin: string, host: string, { origins }: GuardRules): boolean {
  return origins.has(origin) || origin === `http://${host}` || origin === `https://${host}`
}

/** Says why a body is not read: only JSON in UTF-8, as it is, is a message (THREATS B3). */
export function bodyComplaint(request: RequestFacts): HttpRefusal | undefined {
  const { essence, charsets } = mediaType(request.header('content-type') ?? '')
  if (essence !== 'application/json') {
    return { status: 415, text: 'the body must be of the type application/json' }
  }
  if (charsets.some((charset) => charset !== 'utf-8' && charset !== 'utf8')) {
    return { status: 415, text: 'the body must be UTF-8' }
  }
  const encoding = request.header('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity') return { status: 415, text: 'the body must not be compressed' }
  return undefined
}

/** Says why no answer is of use to the client: it has to take all of `types`. */
export function acceptComplaint(
  request: RequestFacts,
  types: readonly string[],
): HttpRefusal | undefined {
  const ranges = (request.header('accept') ?? '').split(',').filter(isWanted)
  const accepted = new Set(ranges.map((range) => mediaType(range).essence))
  const missing = types.find(
    (type) =>
      !accepted.has(type) && !accepted.has(`${type.split('/')[0] ?? ''}/*`) && !accepted.has('*/*'),
  )
  if (missing === undefined) return undefined
  return { status: 406, text: `the client must accept ${types.join(' and ')}` }
}

/** A range with the weight 0 is one that the client does not take (RFC 9110, section 12.4.2). */
function isWanted(range: string): boolean {
  return !/;\s*q\s*=\s*0(?:\.0*)?\s*(?:;|$)/i.test(range)
}

function mediaType(text: string): {
  readonly essence: string
  readonly charsets: readonly string[]
} {
  const [essence = '', ...parameters] = text.split(';')
  const charsets = parameters.flatMap((parameter) => {
    const named = /^\s*charset\s*=\s*"?([^"]*?)"?\s*$/i.exec(parameter)?.[1]
    return named === undefined ? [] : [named.toLowerCase()]
  })
  return { essence: essence.trim().toLowerCase(), charsets }
}
