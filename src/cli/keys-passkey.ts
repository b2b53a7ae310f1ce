import { changePasskeys, type Approver } from '../approval/approver-list.ts'
import { assertionBytes, challengeOf, passkeyOf, relyingParty } from '../approval/passkey.ts'
import type { Passkey } from '../approval/passkey.ts'
import { systemRandom } from '../crypto/random.ts'
import { enrolApp } from '../dashboard/enrol.ts'
import { readPageFiles } from '../dashboard/files.ts'
import { serveApp } from '../dashboard/listen.ts'
import type { NewPasskey } from '../dashboard/page-request.ts'
import { PageSessions } from '../dashboard/sessions.ts'
import { CapFenceError } from '../errors.ts'
import { approversSoFar, keyPath, openKey } from './approver-files.ts'
import type { ExitCode, Io } from './io.ts'
import { approverOf, signerOf, storeList, type ApproverFlags } from './keys.ts'
import { letIn, portOf, requireReader, stopAsked } from './page-door.ts'
import { pageFolder } from './page-folder.ts'
import { passkeyPort } from './page-passkeys.ts'
import { readConfig } from './places.ts'
import { complaint } from './report-error.ts'

/** What `capfence keys approver passkey add` takes besides. */
export interface PasskeyFlags extends ApproverFlags {
  readonly port?: string | undefined
  /** False for `--no-open`. */
  readonly open?: boolean | undefined
}

/** Where passkeys are made, unless another port is named: they sign at no other, so that it has to stay the same. */
const usualPort = 22_737

/**
 * `capfence keys approver passkey add NAME`: has a browser make a passkey, and enters it in the list of approvers.
 *
 * The passphrase is asked for when the passkey is there and its code is shown: whoever takes the place of the browser
 * brings a passkey with another code.
 *
 * @throws CapFenceError `USAGE` when it cannot be shown to anybody, or the port is taken
 */
export async function passkeyAdd(name: string, flags: PasskeyFlags, io: Io): Promise<ExitCode> {
  const port = portOf(flags.port) ?? (await passkeyPort(flags, io)) ?? usualPort
  const config = await readConfig(flags.config, io)
  const before = approverOf(approversSoFar(config), name)
  requireReader('capfence keys approver passkey add', io)
  const passkey = await madeInBrowser(before, port, flags, io)
  await io.err.write(complaint(io, `the passkey has the code ${codeOf(passkey)}`))
  const signer = await openKey(flags.key ?? keyPath(config, name), flags, io)
  // Somebody may have changed the list while the browser was open.
  const list = approversSoFar(config)
  const changed = changePasskeys(list, {
    change: 'add',
    name,
    passkey,
    publicKey: passkey.key.publicKey,
    signer,
  })
  return storeList(config, changed, [`\`${name}\` has the passkey ${passkey.keyId}`], io)
}

/** `capfence keys approver passkey remove NAME KEY`: takes it away; what it signed no longer counts. */
export async function passkeyRemove(
  name: string,
  key: string,
  flags: ApproverFlags,
  io: Io,
): Promise<ExitCode> {
  const config = await readConfig(flags.config, io)
  const list = approversSoFar(config)
  const passkey = passkeyNamed(approverOf(list, name), key)
  const signer = await signerOf(list, config, { ...flags, by: flags.by ?? name }, io)
  const changed = changePasskeys(list, {
    change: 'remove',
    name,
    passkey,
    publicKey: passkey.key.publicKey,
    signer,
  })
  return storeList(config, changed, [`\`${name}\` has that passkey no more`], io)
}

/** A passkey by the beginning of its id. */
function passkeyNamed({ name, passkeys }: Approver, text: string): Passkey {
  const found = passkeys.filter(({ keyId }) => keyId.startsWith(text))
  const [only, ...others] = found
  if (only !== undefined && others.length === 0 && text.length >= 8) return only
  throw new CapFenceError(
    'USAGE',
    `\`${name}\` has no passkey, or several, of the id \`${text}\``,
    {
      hint: 'write at least the first 8 digits that `capfence keys approver list` shows',
    },
  )
}

/** What a person compares between the page and the terminal: 60 bits of the key's id, in groups. */
function codeOf({ keyId }: Passkey): string {
  return (keyId.slice(0, 15).match(/.{5}/g) ?? []).join('-')
}

/** Serves the page that makes a passkey, until it is made. */
async function madeInBrowser(
  { name, passkeys }: Approver,
  port: number,
  flags: PasskeyFlags,
  io: Io,
): Promise<Passkey> {
  const sessions = new PageSessions({ random: systemRandom, nowMs: io.nowMs })
  const message = systemRandom(32)
  const making = new Making(message)
  const enrolment = {
    name,
    relyingParty,
    exclude: passkeys.map(({ credential }) => credential),
    challenge: challengeOf(message),
  }
  const parts = {
    sessions,
    files: readPageFiles(pageFolder, 'enrol'),
    onFailure: (error: unknown): void => void io.err.write(complaint(io, String(error))),
    enrolment,
    onMade: (made: NewPasskey, origin: string): string => making.take(made, origin),
  }
  const page = await serveApp((place) => enrolApp(parts, place), port)
  try {
    const ended = Promise.race([making.done, stopAsked(io)])
    await letIn(page, { sessions, io, open: flags.open !== false, ended })
  } finally {
    await page.close()
  }
  if (making.passkey !== undefined) return making.passkey
  throw new CapFenceError('USAGE', 'no passkey was made')
}

/** The first passkey that a page brings, if it has signed what it was asked to. */
class Making {
  passkey: Passkey | undefined
  readonly done: Promise<void>
  readonly #message: Uint8Array
  #finish: () => void = () => undefined

  constructor(message: Uint8Array) {
    this.#message = message
    this.done = new Promise((resolve) => {
      this.#finish = resolve
    })
  }

  take({ credential, spki, ...assertion }: NewPasskey, origin: string): string {
    if (this.passkey !== undefined) throw new CapFenceError('USAGE', 'a passkey was made already')
    const passkey = passkeyOf({ credential, spki, origin })
    if (passkey === undefined) {
      throw new CapFenceError('USAGE', 'the passkey is of a kind that is not taken', {
        hint: 'it needs a key for ES256, EdDSA or RS256, and the page the address localhost',
      })
    }
    if (!passkey.key.verify(this.#message, assertionBytes(assertion))) {
      throw new CapFenceError('USAGE', 'the passkey did not sign as it should', {
        hint: 'it must ask who you are: set a PIN or a fingerprint for it',
      })
    }
    this.passkey = passkey
    // The answer goes out before the page is closed.
    setTimeout(this.#finish, 100)
    return codeOf(passkey)
  }
}
