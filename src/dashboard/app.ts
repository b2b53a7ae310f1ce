import type { Context, MiddlewareHandler } from 'hono'
import { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { eventStream } from './event-stream.ts'
import type { PageFiles } from './files.ts'
import { answerFrom, codeFrom, entriesFrom, flagFrom, hoursFrom } from './page-request.ts'
import { signatureFrom, statementFrom } from './page-request.ts'
import type { PageSessions } from './sessions.ts'
import { problem, shield, withFiles } from './shield.ts'
import type { PageSource } from './source.ts'

/** What the page is made of. */
export interface PageParts {
  readonly source: PageSource
  readonly sessions: PageSessions
  readonly files: PageFiles
  /** Is told of every failure that is not the request's fault. */
  readonly onFailure: (error: unknown) => void
}

/** Where a page is served. */
export interface PagePlace {
  /** Under which names it is served, such as `localhost:4173`. */
  readonly hosts: readonly string[]
  /** The port, which tells its cookie apart: browsers send a cookie to every port. */
  readonly port: number
  /** Aborted when the page is closed: streams end. */
  readonly closed: AbortSignal
}

/**
 * The operator's page as a function from a request to an answer.
 *
 * Nothing but its own files answers before a code was exchanged, and nothing at all answers a request that another page
 * makes a browser send (`guard.ts`).
 */
export function pageApp(parts: PageParts, place: PagePlace): Hono {
  const app = new Hono()
  shield(app, place.hosts)
  addSession(app, parts.sessions, place.port)
  addReadings(app, parts, place)
  addChanges(app, parts, place)
  withFiles(app, parts.files, parts.onFailure)
  return app
}

/** A code becomes a cookie that no script can read; everything else of `/api/` asks for it. */
export function addSession(app: Hono, sessions: PageSessions, port: number): void {
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
  app.use('/api/*', signedIn(sessions, name))
}

function signedIn(sessions: PageSessions, name: string): MiddlewareHandler {
  return async (c, next) => {
    const token = getCookie(c, name)
    if (sessions.csrfOf(token) === undefined) return c.json(signIn, 401)
    if (c.req.method === 'POST' && !sessions.isNamed(token, c.req.header('x-capfence-page'))) {
      return c.json(problem('USAGE', 'the request does not come from the page'), 403)
    }
    return next()
  }
}

function addReadings(app: Hono, { source, onFailure }: PageParts, { closed }: PagePlace): void {
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
  app.get('/api/approvers', async (c) => json(c, await source.approvers()))
  app.get('/api/grants', async (c) => json(c, await source.grants()))
  app.get('/api/budgets', async (c) => json(c, await source.budgets()))
  app.get('/api/rules', async (c) => json(c, await source.rules()))
  app.get('/api/health', async (c) => json(c, await source.health()))
  app.get('/api/events', (c) => eventStream(c, { source, closed, onFailure }))
}

function addChanges(app: Hono, { source, sessions }: PageParts, { port }: PagePlace): void {
  app.post('/api/approvals/:id', async (c) =>
    json(c, await source.answer(c.req.param('id'), answerFrom(await c.req.text()))),
  )
  app.post('/api/approvals/:id/statement', async (c) =>
    json(c, await source.statement(c.req.param('id'), statementFrom(await c.req.text()))),
  )
  app.post('/api/approvals/:id/signed', async (c) =>
    json(c, await source.answerSigned(c.req.param('id'), signatureFrom(await c.req.text()))),
  )
  app.post('/api/grants/:id/revoke', async (c) =>
    json(c, await source.revokeGrant(c.req.param('id'))),
  )
  app.post('/api/verify', async (c) => json(c, await source.verify()))
  app.post('/api/sign-out', (c) => {
    sessions.end(getCookie(c, cookieName(port)) ?? '')
    deleteCookie(c, cookieName(port), { path: '/' })
    return c.json({})
  })
}

function json(c: Context, text: string): Response {
  return c.body(text, 200, { 'Content-Type': 'application/json' })
}

const signIn = problem('USAGE', 'nobody is signed in', 'run `capfence ui` in a terminal')

function cookieName(port: number): string {
  return `capfence-page-${String(port)}`
}
