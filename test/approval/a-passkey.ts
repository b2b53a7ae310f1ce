import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import type { Assertion, Passkey } from '../../src/approval/passkey.ts'
import { assertionBytes, challengeOf, passkeyOf } from '../../src/approval/passkey.ts'

/** What an authenticator and a browser say; a test may have them say something else. */
export interface Said {
  readonly type: string
  readonly challenge: string
  readonly origin: string
  readonly relyingParty: string
  /** Of the authenticator data: present is 1, verified 4. */
  readonly flags: number
  /** Members of the client data besides. */
  readonly more: Readonly<Record<string, unknown>>
}

/** Which algorithms authenticators have. */
export const algorithms = ['ES256', 'EdDSA', 'RS256'] as const

function keyPair(algorithm: (typeof algorithms)[number]): {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
} {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' })
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  return generateKeyPairSync('rsa', { modulusLength: 2048 })
}

/** An authenticator that is a few lines of program, and says whatever a test wants. */
export class TestAuthenticator {
  readonly spki: Uint8Array
  readonly credential: string
  readonly origin = 'http://localhost:22737'
  readonly passkey: Passkey
  readonly #key: KeyObject
  readonly #digest: 'sha256' | null

  constructor(algorithm: (typeof algorithms)[number] = 'ES256', credential = 'dGhlIGZpcnN0') {
    const { publicKey, privateKey } = keyPair(algorithm)
    this.#key = privateKey
    this.#digest = algorithm === 'EdDSA' ? null : 'sha256'
    this.spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
    this.credential = credential
    const { origin, spki } = this
    const passkey = passkeyOf({ credential, origin, spki })
    if (passkey === undefined) throw new Error('its own key is none')
    this.passkey = passkey
  }

  /** What comes back when a page asks for a message to be signed. */
  assertion(message: Uint8Array, changes: Partial<Said> = {}): Assertion {
    const said: Said = {
      type: 'webauthn.get',
      challenge: challengeOf(message),
      origin: this.origin,
      relyingParty: 'localhost',
      flags: 0x05,
      more: { crossOrigin: false },
      ...changes,
    }
    const { type, challenge, origin, more } = said
    const clientDataJSON = Buffer.from(JSON.stringify({ type, challenge, origin, ...more }))
    const authenticatorData = Buffer.concat([
      createHash('sha256').update(said.relyingParty).digest(),
      Buffer.from([said.flags, 0, 0, 0, 0]),
    ])
    return this.signed({ authenticatorData, clientDataJSON })
  }

  /** Signs whatever it is given. */
  signed(parts: Omit<Assertion, 'signature'>): Assertion {
    const { authenticatorData, clientDataJSON } = parts
    const hash = createHash('sha256').update(clientDataJSON).digest()
    const signature = sign(this.#digest, Buffer.concat([authenticatorData, hash]), this.#key)
    return { ...parts, signature: new Uint8Array(signature) }
  }

  /** The same as the bytes of a signature. */
  sign(message: Uint8Array, changes: Partial<Said> = {}): Uint8Array {
    return assertionBytes(this.assertion(message, changes))
  }
}
