/** Which entries of the log to read. */
export interface EntriesQuery {
  /** Only entries before this seq; the newest when undefined. */
  readonly before: number | undefined
  /** At most so many. */
  readonly count: number
  readonly decision: string | undefined
  /** Text that a tool, actor, rule, capability, client, session, call or approval holds. */
  readonly search: string | undefined
}

/** What came since the page looked last. */
export interface News {
  /** Entries of the log, oldest first, each a JSON text. */
  readonly entries: readonly string[]
  /** How calls ended, each a JSON text. */
  readonly outcomes: readonly string[]
  /** Whether anything about approvals was recorded. */
  readonly approvals: boolean
  /** The same of grants. */
  readonly grants: boolean
  /** Where to look next time. */
  readonly size: number
}

/** An answer of a person to a request. */
export interface PageAnswer {
  readonly verdict: 'approve' | 'deny' | 'revoke'
  /** How long the same call may pass; once when undefined. */
  readonly minutes: number | undefined
  /** Whether it may pass for the rest of the session. */
  readonly session: boolean
}

/** An answer that is still to be signed, and by which passkey. */
export interface PageStatement extends PageAnswer {
  /** `keyId` of a passkey. */
  readonly passkey: string
}

/** What an authenticator made of a statement (WebAuthn Level 3, section 5.2.2). */
export interface PageAssertion {
  readonly authenticatorData: Uint8Array
  readonly clientDataJSON: Uint8Array
  readonly signature: Uint8Array
}

/** A statement that came back signed. */
export interface PageSignature extends PageAssertion {
  /** `keyId` of the passkey. */
  readonly passkey: string
  /** What was signed, as the statement had it. */
  readonly payload: Uint8Array
}

/**
 * Everything that the page shows and does, behind it the same commands that a terminal has: each answer is the JSON text
 * that the command prints with `--json`, so that there is one account of everything.
 *
 * Each rejects with a `CapFenceError` for what cannot be.
 */
export interface PageSource {
  /** How many records the log has. */
  size(): Promise<number>
  /** What happened over a time, as numbers to draw; the hours look back from now. */
  overview(hours: number): Promise<string>
  /** Newest first: `{entries, next, size}`. */
  entries(query: EntriesQuery): Promise<string>
  /** At most a bounded number; `from` is a seq. */
  since(from: number): Promise<News>
  /** One record with all that the log says of it. */
  receipt(which: string, showSecrets: boolean): Promise<string>
  /** Requests that wait, or all. */
  approvals(all: boolean): Promise<string>
  approval(id: string, showSecrets: boolean): Promise<string>
  answer(id: string, answer: PageAnswer): Promise<string>
  /** Who may approve, and with which passkeys. */
  approvers(): Promise<string>
  /** What has to be signed for an answer: `{challenge, credential, payload, payloadType}`, the bytes base64url. */
  statement(id: string, statement: PageStatement): Promise<string>
  /** The same as `answer`, with what an authenticator signed. */
  answerSigned(id: string, signature: PageSignature): Promise<string>
  /** Every grant, whatever became of it, in the order in which they were given. */
  grants(): Promise<string>
  /** Takes a grant back. */
  revokeGrant(id: string): Promise<string>
  budgets(): Promise<string>
  /** The rules of the policy with how often each decided. */
  rules(): Promise<string>
  /** Where the log stands, without reading all of it. */
  health(): Promise<string>
  /** Reads all of it. */
  verify(): Promise<string>
}
