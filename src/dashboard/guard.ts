/** What of a request says where it comes from. */
export interface RequestOrigin {
  readonly method: string
  /** Of the URL, such as `/api/approvals`. */
  readonly path: string
  /** A header by its name in small letters. */
  readonly header: (name: string) => string | undefined
}

/** Why a request is refused: the status of the answer and what it says. */
export interface OriginComplaint {
  readonly status: 403 | 405 | 415
  readonly text: string
}

/**
 * Says why a request does not come from the page itself; undefined when it does.
 *
 * No check here is enough alone (a site that resolves to this machine has the right address and the wrong `Host`; a
 * form has the right `Host` and the wrong `Origin`; another port has the same cookies), so all of them must hold:
 * `Host` with the port, letter by letter; `Origin` with the port for whatever is not a reading; and `Sec-Fetch-Site:
 * same-origin` for everything that answers with data, which no page of another origin can make a browser say.
 *
 * @param hosts such as `localhost:4173`
 */
export function originComplaint(
  request: RequestOrigin,
  hosts: readonly string[],
): OriginComplaint | undefined {
  const { method, path, header } = request
  const host = header('host')
  if (host === undefined || !hosts.includes(host)) {
    return refused('this page is not served under that name')
  }
  if (method !== 'GET' && method !== 'POST') return { status: 405, text: 'only GET and POST' }
  const origin = header('origin')
  if (origin !== undefined && origin !== `http://${host}`) {
    return refused('the request comes from another page')
  }
  if (!path.startsWith('/api/')) {
    return method === 'GET' ? undefined : { status: 405, text: 'only GET' }
  }
  if (header('sec-fetch-site') !== 'same-origin') {
    return refused('the request does not come from the page; use a current browser')
  }
  if (method === 'GET') return undefined
  if (origin === undefined) return refused('the request does not say which page it comes from')
  if (header('content-type') !== 'application/json') {
    return { status: 415, text: 'only application/json' }
  }
  return undefined
}

function refused(text: string): OriginComplaint {
  return { status: 403, text }
}
