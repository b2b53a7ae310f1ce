import { Problem, post } from './api.ts'

/** What an authenticator made, each base64url. */
export interface AssertionText {
  readonly authenticatorData: string
  readonly clientDataJSON: string
  readonly signature: string
}

/** An answer that is still to be signed, as the program has it. */
interface Statement {
  readonly challenge: string
  readonly credential: string
  readonly payload: string
  readonly payloadType: string
}

/** What a card says about the answer that is asked for; the statement must say the same. */
export interface Meant {
  readonly approval: string
  readonly passkey: string
  readonly session: string | null
}

/** How long somebody may take to find the key, milliseconds. */
const patienceMs = 120_000

/**
 * Has a passkey sign an answer, and gives it.
 *
 * The page looks at the statement itself and makes the challenge of it, so that what is signed is what is shown.
 *
 * @throws Problem when it is not signed, or not taken
 */
export async function approveByPasskey(meant: Meant, term: object): Promise<unknown> {
  const { approval, passkey } = meant
  const path = `/api/approvals/${approval}`
  const wanted = { verdict: 'approve', ...term, passkey }
  const statement = await post<Statement>(`${path}/statement`, wanted)
  const payload = bytesOf(statement.payload)
  if (!saysTheSame(payload, meant)) {
    throw new Problem(0, 'the statement to sign is about something else than this card')
  }
  const challenge = await digestOf(encoded(statement.payloadType, payload))
  const assertion = await assertionOver(challenge, statement.credential)
  return post(`${path}/signed`, { passkey, payload: statement.payload, ...assertion })
}

/** Has one credential sign a challenge. @throws Problem when it does not */
export async function assertionOver(
  challenge: Uint8Array<ArrayBuffer>,
  credential: string,
): Promise<AssertionText> {
  const made = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        challenge,
        rpId: location.hostname,
        allowCredentials: [{ type: 'public-key', id: bytesOf(credential) }],
        userVerification: 'required',
        timeout: patienceMs,
      },
    }),
  )
  const { response } = made
  if (!(response instanceof AuthenticatorAssertionResponse)) throw noPasskey()
  return {
    authenticatorData: textOf(response.authenticatorData),
    clientDataJSON: textOf(response.clientDataJSON),
    signature: textOf(response.signature),
  }
}

/** What the program keeps of a new passkey, each base64url. */
export interface NewCredential {
  readonly credential: string
  readonly spki: string
}

/** Has an authenticator make a passkey. @throws Problem when it does not */
export async function makePasskey({
  name,
  relyingParty,
  exclude,
}: {
  readonly name: string
  readonly relyingParty: string
  readonly exclude: readonly string[]
}): Promise<NewCredential> {
  const made = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        // Nothing is made of the answer but the key, which signs another challenge right away.
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        rp: { id: relyingParty, name: 'CapFence' },
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name, displayName: name },
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
        excludeCredentials: exclude.map((id) => ({ type: 'public-key', id: bytesOf(id) })),
        authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
        attestation: 'none',
        timeout: patienceMs,
      },
    }),
  )
  const { response } = made
  const spki =
    response instanceof AuthenticatorAttestationResponse ? response.getPublicKey() : undefined
  if (spki === undefined || spki === null) {
    throw new Problem(0, 'the passkey has a key of a kind that CapFence does not take')
  }
  return { credential: textOf(made.rawId), spki: textOf(spki) }
}

/** base64url as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

function textOf(buffer: ArrayBuffer): string {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!('PublicKeyCredential' in globalThis)) {
    throw new Problem(
      0,
      'this browser makes no passkeys here',
      'open the page as http://localhost, in a current browser',
    )
  }
  try {
    const made = await ask()
    if (made instanceof PublicKeyCredential) return made
  } catch (error) {
    throw noPasskey(error instanceof Error ? error : undefined)
  }
  throw noPasskey()
}

function noPasskey(error?: Error): Problem {
  if (error?.name === 'InvalidStateError') {
    return new Problem(0, 'this authenticator holds a passkey of yours already')
  }
  return new Problem(
    0,
    'the passkey did not sign',
    'it was cancelled, took too long, or is another',
  )
}

/** The pre-authentication encoding of DSSE: what is signed is type and payload, each with its length. */
function encoded(payloadType: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = `DSSEv1 ${String(payloadType.length)} ${payloadType} ${String(payload.length)} `
  return Uint8Array.from([...new TextEncoder().encode(head), ...payload])
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

function saysTheSame(payload: Uint8Array, { approval, passkey, session }: Meant): boolean {
  const said: unknown = JSON.parse(new TextDecoder().decode(payload))
  if (typeof said !== 'object' || said === null) return false
  const member = (name: string): unknown => Object.getOwnPropertyDescriptor(said, name)?.value
  return (
    member('approval') === approval &&
    member('key') === passkey &&
    member('presence') === 'passkey' &&
    member('verdict') === 'approve' &&
    (member('session') === null || member('session') === session)
  )
}
