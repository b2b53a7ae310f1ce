/** Words that name a secret wherever they stand in a name. */
const secretWords: ReadonlySet<string> = new Set([
  'password',
  'passwords',
  'passwd',
  'pwd',
  'passphrase',
  'passcode',
  'secret',
  'secrets',
  'token',
  'authorization',
  'bearer',
  'cookie',
  'cookies',
  'credential',
  'credentials',
  'jwt',
  'otp',
  'totp',
  'mnemonic',
  'cvv',
  'cvc',
  'apikey',
  'accesskey',
  'secretkey',
  'privatekey',
])

/** Names that are secrets only as a whole. */
const secretNames: ReadonlySet<string> = new Set(['auth', 'pin', 'pass', 'creds', 'tokens', 'dsn'])

/** A key is a secret when one of these says what it is for: `api_key`, `signing-key`. */
const keyKinds: ReadonlySet<string> = new Set([
  'access',
  'account',
  'api',
  'app',
  'auth',
  'client',
  'deploy',
  'encryption',
  'license',
  'master',
  'private',
  'secret',
  'service',
  'session',
  'shared',
  'signing',
  'ssh',
  'storage',
  'subscription',
])

/** Two words that are one secret together. */
const secretPairs: ReadonlySet<string> = new Set([
  'card number',
  'connection string',
  'recovery code',
  'recovery phrase',
  'security code',
  'seed phrase',
  'verification code',
])

/** Last words that turn a secret's name into the name of something about it: `token_count`, `password_policy`. */
const aboutSecrets: ReadonlySet<string> = new Set([
  'count',
  'endpoint',
  'expires',
  'expiry',
  'id',
  'length',
  'limit',
  'name',
  'policy',
  'ttl',
  'type',
  'uri',
  'url',
])

/** What was said about the names of late: the same few tools are called again and again. */
const known = new Map<string, boolean>()
const maxKnown = 1000
const maxKnownCharacters = 64

/**
 * Whether a member of this name probably holds a secret (THREATS B27).
 *
 * Looks at words, not at letters: `author`, `monkey` and `max_tokens` are no secrets, `X-Api-Key`, `dbPassword`,
 * `GITHUB_TOKEN` and `apikey` are. Unsure means yes: what is wrongly taken for a secret is only not shown.
 */
export function looksSecret(name: string): boolean {
  const before = known.get(name)
  if (before !== undefined) return before
  const secret = namesSecret(name)
  if (name.length <= maxKnownCharacters) {
    if (known.size >= maxKnown) known.clear()
    known.set(name, secret)
  }
  return secret
}

function namesSecret(name: string): boolean {
  const words = wordsOf(name)
  const last = words.at(-1)
  if (last === undefined) return false
  if (words.length === 1 && secretNames.has(last)) return true
  if (aboutSecrets.has(last)) return false
  return words.some(
    (word, index) => secretWords.has(word) || secretPair(words[index - 1] ?? '', word),
  )
}

function secretPair(before: string, word: string): boolean {
  if (word === 'key' || word === 'keys') return keyKinds.has(before)
  return secretPairs.has(`${before} ${word}`)
}

/** `dbPassword2`, `DB_PASSWORD`, `db-password` and `db.password` are all `db password`; `APIKey` is `api key`. */
function wordsOf(name: string): readonly string[] {
  return name
    .normalize('NFKC')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')
}
