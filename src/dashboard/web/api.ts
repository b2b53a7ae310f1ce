/** What the program answers in place of what was asked for. */
export class Problem extends Error {
  readonly status: number
  readonly hint: string | undefined

  constructor(status: number, text: string, hint?: string) {
    super(text)
    this.status = status
    this.hint = hint
  }
}

let csrf = ''

/** Signs this browser in: with the code of the address, or with the cookie that it has. */
export async function signIn(): Promise<void> {
  // A link with another code in a window that shows the page already loads nothing by itself.
  addEventListener('hashchange', () => {
    if (location.hash.startsWith('#code=')) location.reload()
  })
  const code = /^#code=([\w-]{1,100})$/.exec(location.hash)?.[1]
  if (code === undefined) {
    const { csrf: known } = await get<{ readonly csrf: string }>('/api/session')
    csrf = known
    return
  }
  // Before anything else, so that the code stands neither in the address nor in the history.
  history.replaceState(null, '', '/#/overview')
  const { csrf: fresh } = await post<{ readonly csrf: string }>('/api/session', { code })
  csrf = fresh
}

/** Asks for something. @throws Problem when it is not to be had */
export async function get<T>(path: string): Promise<T> {
  return answerOf<T>(await reached(() => fetch(path)))
}

/** Does something. @throws Problem when it was not done */
export async function post<T>(path: string, body: object): Promise<T> {
  const headers = { 'Content-Type': 'application/json', 'X-CapFence-Page': csrf }
  return answerOf<T>(
    await reached(() => fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })),
  )
}

async function reached(ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask()
  } catch {
    throw new Problem(0, 'the program behind this page is gone', 'run `capfence ui` again')
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  const value: unknown = await response.json().catch(() => undefined)
  if (!response.ok) throw problemOf(response.status, value)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- page and program are one version of one package
  return value as T
}

function problemOf(status: number, value: unknown): Problem {
  const error =
    typeof value === 'object' && value !== null && 'error' in value ? value.error : undefined
  if (typeof error !== 'object' || error === null) return new Problem(status, 'it did not answer')
  const text = 'text' in error && typeof error.text === 'string' ? error.text : 'it did not answer'
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : undefined
  return new Problem(status, text, hint)
}
