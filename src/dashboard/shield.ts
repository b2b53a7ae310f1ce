import type { Hono, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { CapFenceError, type ErrorCode } from '../errors.ts'
import type { PageFiles } from './files.ts'
import { originComplaint } from './guard.ts'

/** A request, bytes; nothing that a page sends is larger. */
const maxBodyBytes = 16_384

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

/** Puts before everything of a page what keeps other pages and large requests out. */
export function shield(app: Hono, hosts: readonly string[]): void {
  app.use(headers)
  app.use(async (c, next) => {
    const header = (name: string): string | undefined => c.req.header(name)
    const complaint = originComplaint({ method: c.req.method, path: c.req.path, header }, hosts)
    if (complaint === undefined) return next()
    return c.json(problem('USAGE', complaint.text), complaint.status)
  })
  app.use('/api/*', bodyLimit({ maxSize: maxBodyBytes, onError: (c) => c.text('too large', 413) }))
}

/**
 * Serves the files of a page, and says of everything else why it is not there.
 *
 * @param onFailure is told of every failure that is not the request's fault
 */
export function withFiles(app: Hono, files: PageFiles, onFailure: (error: unknown) => void): void {
  for (const [path, { type, bytes }] of files) {
    app.get(path, (c) => c.body(bytes, 200, { 'Content-Type': type }))
  }
  app.notFound((c) => c.json(problem('USAGE', 'there is nothing of that name'), 404))
  app.onError((error, c) => {
    if (error instanceof CapFenceError) {
      return c.json(problem(error.code, error.message, error.hint), statusOf(error.code))
    }
    onFailure(error)
    return c.json(problem('AUDIT_UNAVAILABLE', 'it could not be done; the terminal says why'), 500)
  })
}

/** What a page is told in place of what it asked for. */
export interface PageProblem {
  readonly error: { readonly code: ErrorCode; readonly text: string; readonly hint: string | null }
}

/** A refusal as the body of an answer. */
export function problem(code: ErrorCode, text: string, hint?: string): PageProblem {
  return { error: { code, text, hint: hint ?? null } }
}

function statusOf(code: ErrorCode): 400 | 404 | 409 | 500 {
  if (code === 'APPROVAL_NOT_FOUND' || code === 'GRANT_NOT_FOUND') return 404
  if (code === 'APPROVAL_REFUSED' || code === 'GRANT_REFUSED') return 409
  return code === 'USAGE' || code === 'KEY_INVALID' ? 400 : 500
}
