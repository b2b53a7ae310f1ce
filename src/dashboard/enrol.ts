import { Hono } from 'hono'
import { addSession, type PageParts, type PagePlace } from './app.ts'
import { newPasskeyFrom, type NewPasskey } from './page-request.ts'
import { shield, withFiles } from './shield.ts'

/** What a browser needs to know to have an authenticator make a passkey (WebAuthn Level 3, section 5.4). */
export interface Enrolment {
  /** The approver's name. */
  readonly name: string
  /** The relying party's id. */
  readonly relyingParty: string
  /** Ids of credentials that the approver has, base64url: an authenticator that holds one makes no other. */
  readonly exclude: readonly string[]
  /** What the new passkey signs to show that it works, base64url. */
  readonly challenge: string
}

/** What the page that makes a passkey is made of. */
export interface EnrolParts extends Omit<PageParts, 'source'> {
  readonly enrolment: Enrolment
  /**
   * Is handed the passkey, once; says how it is told apart.
   *
   * @throws CapFenceError when it is none, or has not signed the challenge on this page
   */
  readonly onMade: (made: NewPasskey, origin: string) => string
}

/** The page that makes a passkey, behind the same guard and sign-in as the operator's page. */
export function enrolApp(parts: EnrolParts, place: PagePlace): Hono {
  const app = new Hono()
  shield(app, place.hosts)
  addSession(app, parts.sessions, place.port)
  app.get('/api/enrolment', (c) => c.json(parts.enrolment))
  app.post('/api/enrolment', async (c) => {
    const made = newPasskeyFrom(await c.req.text())
    return c.json({ code: parts.onMade(made, c.req.header('origin') ?? '') })
  })
  withFiles(app, parts.files, parts.onFailure)
  return app
}
