import { describe, expect, test } from 'vitest'
import { printJson } from '../../src/audit/redacted-json.ts'
import { hideSecrets } from '../../src/audit/hide-secrets.ts'
import { toJsonObject } from '../../src/json/from-js.ts'

function hide(
  value: Readonly<Record<string, unknown>>,
): readonly [json: string, ...places: string[]] {
  const { value: left, places } = hideSecrets(toJsonObject(value))
  return [printJson(left), ...places]
}

/** Made of parts, so that no scanner takes this file for a leak. */
const letters = (count: number): string => 'aB3'.repeat(count).slice(0, count)

describe('B27: a secret is hidden by its own form, whatever it is called', () => {
  const texts: readonly (readonly [name: string, text: string])[] = [
    ['a GitHub token', `ghp_${letters(36)}`],
    ['a fine-grained one', `github_pat_${letters(40)}`],
    ['a GitLab token', `glpat-${letters(20)}`],
    ['a Slack token', `xoxb-${letters(24)}`],
    ['an OpenAI key', `sk-proj-${letters(30)}`],
    ['a Stripe key', `sk_live_${letters(24)}`],
    ['an AWS key id', `AKIA${'A1'.repeat(8)}`],
    ['a Google key', `AIza${letters(35)}`],
    ['an npm token', `npm_${letters(36)}`],
    ['a JSON Web Token', `eyJ${letters(20)}.eyJ${letters(20)}.${letters(20)}`],
    [
      'a private key',
      `-----BEGIN RSA PRIVATE KEY-----\n${letters(60)}\n-----END RSA PRIVATE KEY-----`,
    ],
  ]
  test.each(texts)('%s', (_, text) => {
    expect(hide({ note: text })).toEqual(['{"note":"[hidden]"}', '/note'])
    expect(hide({ note: `before ${text} after` })).toEqual([
      '{"note":"before [hidden] after"}',
      '/note',
    ])
  })

  test('a private key that is cut off', () => {
    const text = `-----BEGIN PRIVATE KEY-----\n${letters(60)}`
    expect(hide({ note: `before ${text}` })).toEqual(['{"note":"before [hidden]"}', '/note'])
  })

  const announced: readonly (readonly [text: string, left: string])[] = [
    [`Authorization: Bearer ${letters(12)}`, 'Authorization: Bearer [hidden]'],
    [`Authorization: Basic ${letters(12)}`, 'Authorization: Basic [hidden]'],
    ['postgres://app:s3cret@db/x', 'postgres://app:[hidden]@db/x'],
    ['https://user:s3cret@example.com', 'https://user:[hidden]@example.com'],
    ['PGPASSWORD=s3cret psql', 'PGPASSWORD=[hidden] psql'],
    ['mysql --password s3cret -u root', 'mysql --password [hidden] -u root'],
    ['x --api-key="s3 cret" y', 'x --api-key=[hidden] y'],
    ['{"token": "s3cret", "a": 1}', '{"token": [hidden], "a": 1}'],
    ['?access_key=s3cret&x=1', '?access_key=[hidden]&x=1'],
  ]
  test.each(announced)('%s', (text, left) => {
    expect(hide({ command: text })).toEqual([JSON.stringify({ command: left }), '/command'])
  })
})

describe('by the name it stands under, at any depth', () => {
  test('members of objects and of lists', () => {
    expect(hide({ db: { password: 'x', port: 5 }, users: [{ apiKey: { a: 1 } }] })).toEqual([
      '{"db":{"password":"[hidden]","port":5},"users":[{"apiKey":"[hidden]"}]}',
      '/db/password',
      '/users/0/apiKey',
    ])
  })

  test('a pointer escapes what has a meaning in it', () => {
    expect(hide({ 'a/b~c': { token: 'x' } })).toEqual([
      '{"a/b~c":{"token":"[hidden]"}}',
      '/a~1b~0c/token',
    ])
  })

  test('what is not there is not hidden', () => {
    expect(hide({ password: null })).toEqual(['{"password":null}'])
  })

  test('a name of every object is a name', () => {
    const { value } = hideSecrets(toJsonObject({ constructor: { token: 'x' } }))
    expect(printJson(value)).toBe('{"constructor":{"token":"[hidden]"}}')
  })
})

describe('everything else stays as it was written', () => {
  const texts: readonly string[] = [
    'rm -rf /var/lib/postgresql',
    'tokens are counted',
    'the password is wrong',
    'basic understanding',
    'https://example.com/a:b@c',
    'sk-8',
    'skip-this-long-hyphenated-word',
    'AKIAx',
    '2026-11-25T14:00:00Z',
    'SELECT secret FROM t',
  ]
  test.each(texts)('%s', (text) => {
    expect(hide({ text })).toEqual([JSON.stringify({ text })])
  })

  test('numbers, to the digit', () => {
    expect(hide({ amount: 9007199254740993n, list: [true, null, 1.5] })).toEqual([
      '{"amount":9007199254740993,"list":[true,null,1.5]}',
    ])
  })
})

test('a long text costs time in proportion', () => {
  const long = ['password=', 'bearer a', 'x://y:', 'eyJ', '-----BEGIN ', '--token ', 'a-'].map(
    (part) => part.repeat(200_000 / part.length),
  )
  const startMs = performance.now()
  for (const text of long) hide({ text })
  expect(performance.now() - startMs).toBeLessThan(3000)
})
