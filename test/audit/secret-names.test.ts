import { expect, test } from 'vitest'
import { looksSecret } from '../../src/audit/secret-names.ts'

const secrets = [
  'password',
  'Password',
  'PASSWORD',
  'passwd',
  'pwd',
  'passphrase',
  'db_password',
  'dbPassword',
  'DB_PASSWORD',
  'db.password',
  'password2',
  'newPassword',
  'password_confirmation',
  'hashed_password',
  'secret',
  'clientSecret',
  'client_secret',
  'AWS_SECRET_ACCESS_KEY',
  'token',
  'accessToken',
  'refresh_token',
  'GITHUB_TOKEN',
  'id-token',
  'api_key',
  'apiKey',
  'APIKey',
  'apikey',
  'X-Api-Key',
  'OPENAI_API_KEY',
  'authorization',
  'Authorization',
  'Proxy-Authorization',
  'cookie',
  'Set-Cookie',
  'private_key',
  'privateKey',
  'sshKey',
  'signing-key',
  'encryption_keys',
  'credentials',
  'credential',
  'bearer',
  'jwt',
  'otp',
  'pin',
  'auth',
  'pass',
  'cvv',
  'card_number',
  'connection_string',
  'connectionString',
  'seed_phrase',
  'mnemonic',
  'tokens',
  'ｐａｓｓｗｏｒｄ',
]
test.each(secrets)('%s looks like a secret', (name) => {
  expect(looksSecret(name)).toBe(true)
  // What was said once is said again, from memory.
  expect(looksSecret(name)).toBe(true)
})

const plain = [
  '',
  'path',
  'content',
  'author',
  'authority',
  'monkey',
  'key',
  'keys',
  'keyboard',
  'primary_key',
  'sort_key',
  'max_tokens',
  'tokenizer',
  'token_count',
  'token_type',
  'password_policy',
  'passwordLength',
  'secret_name',
  'secretId',
  'access_key_id',
  'token_endpoint',
  'authorization_url',
  'compass',
  'passenger',
  'bypass',
  'spinning',
  'secretary',
  'pinned',
  'card',
  'number',
  '123',
  '日本語',
]
test.each(plain)('%j does not', (name) => {
  expect(looksSecret(name)).toBe(false)
  expect(looksSecret(name)).toBe(false)
})

test('names without end are looked at, and not remembered', () => {
  const long = `${'a'.repeat(100_000)}_password`
  expect(looksSecret(long)).toBe(true)
  for (let index = 0; index < 5000; index += 1) expect(looksSecret(`x${index}`)).toBe(false)
  expect(looksSecret('password')).toBe(true)
})
