import type { Context, MiddlewareHandler } from 'hono'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { CapFenceError, type ErrorCode } from '../errors.ts'
import { eventStream } from './event-stream.ts'
import type { PageFiles } from './files.ts'
import { originComplaint } from './guard.ts'
import { answerFrom, codeFrom, entriesFrom, flagFrom, hoursFrom } from './page-request.ts'
import type { PageSessions } from './sessions.ts'
import type { PageSource } from './source.ts'

/** What the page is made of. */
export interface PageParts {
  readonly source: PageSource
  readonly sessions: PageSessions
  readonly files: PageFiles
  /** Under which names it is served, such as `localhost:4173`. */
  readonly hosts: readonly string[]
  /** The port, which tells its cookie apart: browsers send a cookie to every port. */
  readonly port: number
  /** Is told of every failure that is not the request's fault. */
  readonly onFailure: (error: unknown) => void
  /** Aborted when the page is closed: streams end. */
  readonly closed: AbortSignal
}

/** A request, bytes; nothing that the page sends is larger. */
const maxBodyBytes = 16_384

/**
 * The operator's page as a function from a request to an answer.
 *
 * Nothing but its own files answers before a code was exchanged, and nothing at all answers a request that another page
 * makes a browser send (`guard.ts`).
 */
export function pageApp(parts: PageParts): Hono {
  const app = new Hono()
  app.use(headers)
  app.use(guard(parts))
  app.use('/api/*', bodyLimit({ maxSize: maxBodyBytes, onError: (c) => c.text('too large', 413) }))
  addSession(app, parts)
  app.use('/api/*', signedIn(parts))
  addReadings(app, parts)
  addChanges(app, parts)
  addFiles(app, parts.files)
  app.notFound((c) => c.json(problem('USAGE', 'there is nothing of that name'), 404))
  app.onError((error, c) => {
    if (error instanceof CapFenceError) {
      return c.json(problem(error.code, error.message, error.hint), statusOf(error.code))
    }
    parts.onFailure(error)
    return c.json(problem('AUDIT_UNAVAILABLE', 'it could not be done; the terminal says why'), 500)
  })
  return app
}

const contentPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

const headers: MiddlewareHandler = async (c, next) => {
  await next()
  c.header('Content-Security-Policy', contentPolicy)
  c.header('Cross-Origin-Opener-Policy', 'same-origin')
  c.header('Cross-Origin-Resource-Policy', 'same-origin')
  c.header('Referrer-Policy', 'no-referrer')
  c.header('X-Content-Type-Options', 'nosniff')
  c.header('X-Frame-Options', 'DENY')
  c.header('Cache-Control', 'no-store')
}

function guard({ hosts }: PageParts): MiddlewareHandler {
  return async (c, next) => {
    const header = (name: string): string | undefined => c.req.header(name)
    const complaint = originComplaint({ method: c.req.method, path: c.req.path, header }, hosts)
    if (complaint === undefined) return next()
    return c.json(problem('USAGE', complaint.text), complaint.status)
  }
}

/** A code becomes a cookie that no script can read. */
function addSession(app: Hono, { sessions, port }: PageParts): void {
  const name = cookieName(port)
  app.post('/api/session', async (c) => {
    const session = sessions.exchange(codeFrom(await c.req.text()))
    if (session === undefined) {
      return c.json(problem('USAGE', 'the code is wrong, used or older than two minutes'), 401)
    }
    setCookie(c, name, session.token, { httpOnly: true, sameSite: 'Strict', path: '/' })
    return c.json({ csrf: session.csrf })
  })
  app.get('/api/session', (c) => {
    const csrf = sessions.csrfOf(getCookie(c, name))
    return csrf === undefined ? c.json(signIn, 401) : c.json({ csrf })
  })
}

function signedIn({ sessions, port }: PageParts): MiddlewareHandler {
  const name = cookieName(port)
  return async (c, next) => {
    const token = getCookie(c, name)
    if (sessions.csrfOf(token) === undefined) return c.json(signIn, 401)
    if (c.req.method === 'POST' && !sessions.isNamed(token, c.req.header('x-capfence-page'))) {
      return c.json(problem('USAGE', 'the request does not come from the page'), 403)
    }
    return next()
  }
}

function addReadings(app: Hono, { source, closed, onFailure }: PageParts): void {
  app.get('/api/overview', async (c) =>
    json(c, await source.overview(hoursFrom(c.req.query('hours')))),
  )
  app.get('/api/entries', async (c) => json(c, await source.entries(entriesFrom(c.req.query()))))
  app.get('/api/records/:which', async (c) =>
    json(c, await source.receipt(c.req.param('which'), flagFrom(c.req.query('secrets')))),
  )
  app.get('/api/approvals', async (c) =>
    json(c, await source.approvals(flagFrom(c.req.query('all')))),
  )
  app.get('/api/approvals/:id', async (c) =>
    json(c, await source.approval(c.req.param('id'), flagFrom(c.req.query('secrets')))),
  )
  app.get('/api/budgets', async (c) => json(c, await source.budgets()))
  app.get('/api/rules', async (c) => json(c, await source.rules()))
  app.get('/api/health', async (c) => json(c, await source.health()))
  app.get('/api/events', (c) => eventStream(c, { source, closed, onFailure }))
}

function addChanges(app: Hono, { source, sessions, port }: PageParts): void {
  app.post('/api/approvals/:id', async (c) =>
    json(c, await source.answer(c.req.param('id'), answerFrom(await c.req.text()))),
  )
  app.post('/api/verify', async (c) => json(c, await source.verify()))
  app.post('/api/sign-out', (c) => {
    sessions.end(getCookie(c, cookieName(port)) ?? '')
    deleteCookie(c, cookieName(port), { path: '/' })
    return c.json({})
  })
}

function addFiles(app: Hono, files: PageFiles): void {
  for (const [path, { type, bytes }] of files) {
    app.get(path, (c) => c.body(bytes, 200, { 'Content-Type': type }))
  }
}

function json(c: Context, text: string): Response {
  return c.body(text, 200, { 'Content-Type': 'application/json' })
}

interface Problem {
  readonly error: { readonly code: ErrorCode; readonly text: string; readonly hint: string | null }
}

function problem(code: ErrorCode, text: string, hint?: string): Problem {
  return { error: { code, text, hint: hint ?? null } }
}

const signIn = problem('USAGE', 'nobody is signed in', 'run `capfence ui` in a terminal')

function statusOf(code: ErrorCode): 400 | 404 | 409 | 500 {
  if (code === 'APPROVAL_NOT_FOUND') return 404
  if (code === 'APPROVAL_REFUSED') return 409
  return code === 'USAGE' || code === 'KEY_INVALID' ? 400 : 500
}

function cookieName(port: number): string {
  return `capfence-page-${String(port)}`
}
