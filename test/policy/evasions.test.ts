import { expect, test } from 'vitest'
import { decide } from './support.ts'

/** A guard that an agent would like to get past, before an allow of everything. */
const guards = {
  text: 'contains: "rm -rf /var"',
  host: 'contains: "evil.com"',
  path: 'path_prefix: /etc',
  amount: 'amount_gt: 1000',
} as const

/** Why what is not caught is a limit that is documented, and what to write instead. */
const limits = {
  spelling:
    'letters of other alphabets are other letters; a rule that allows says what may be there',
  encoding: 'an encoded text is not decoded: only the server knows whether it will be',
  shell: 'what a shell makes of a text is for the matcher `shell`',
  words: 'numbers in words are no numbers',
} as const

type Limit = keyof typeof limits
type Row = readonly [name: string, guard: keyof typeof guards, args: string | object, limit?: Limit]

const base64 = Buffer.from('rm -rf /var').toString('base64')

/** A text of JSON in a text of JSON and so on, with an escape in the innermost one. */
function nested(escaped: string, levels: number): string {
  let text = `{"c":"${escaped}"}`
  for (let level = 1; level < levels; level += 1) text = JSON.stringify({ c: text })
  return text
}

/** Every way past a guard of text, paths or amounts that is known here; without a limit it must be caught. */
const evasions: readonly Row[] = [
  ['the thing itself', 'text', { command: 'rm -rf /var' }],
  ['capitals', 'text', { command: 'RM -RF /VAR' }],
  ['full-width letters', 'text', { command: 'ｒｍ －ｒｆ ／ｖａｒ' }],
  ['mathematical letters', 'text', { command: '𝓻𝓶 -𝐫𝐟 /𝕧𝕒𝕣' }],
  ['letters in circles', 'text', { command: 'ⓡⓜ -ⓡⓕ /var' }],
  ['a zero-width space', 'text', { command: 'r\u200bm -rf /var' }],
  ['a zero-width joiner in the flags', 'text', { command: 'rm -r\u200df /var' }],
  ['a soft hyphen', 'text', { command: 'rm -rf /v\u00adar' }],
  ['a byte order mark', 'text', { command: '\ufeffrm -rf\ufeff /var' }],
  ['tag characters', 'text', { command: 'rm \u{e0072}\u{e006d}-rf /var' }],
  ['variation selectors', 'text', { command: 'r\ufe00m -rf /var' }],
  ['a right-to-left override', 'text', { command: '\u202erm\u202c -rf /var' }],
  ['isolates of direction', 'text', { command: 'rm \u2066-rf\u2069 /var' }],
  ['a non-breaking space', 'text', { command: 'rm\u00a0-rf\u202f/var' }],
  ['many spaces and tabs', 'text', { command: 'rm \t \t -rf   /var' }],
  ['line breaks', 'text', { command: 'rm\n-rf\r\n/var' }],
  ['a Hangul filler', 'text', { command: 'r\u3164m -rf /var' }],
  ['a control character', 'text', { command: 'r\u0007m -rf /var' }],
  ['escaped in the JSON of the message', 'text', '{"command": "\\u0072m\\u0020-rf \\/var"}'],
  ['split over the items of an array', 'text', { argv: ['rm', '-rf', '/var'] }],
  ['split inside words', 'text', { argv: ['r', 'm -r', 'f /va', 'r'] }],
  ['split over members in another order', 'text', { z: '/var', a: 'rm', m: '-rf' }],
  ['split over deep objects', 'text', { a: { b: ['rm'] }, c: [{ d: { e: '-rf /var' } }] }],
  ['in a key', 'text', { 'rm -rf /var': true }],
  ['a key and its value', 'text', { rm: '-rf /var' }],
  ['JSON inside a text', 'text', { body: '{"command":"rm -rf /var"}' }],
  ['JSON inside a text, escaped', 'text', { body: '{"command":"rm\\u0020-rf \\/var"}' }],
  ['JSON inside JSON inside a text', 'text', { body: JSON.stringify('{"c":"rm -rf \\/var"}') }],
  ['letters of JSON inside a text', 'text', { body: '{"c":"r\\u006D -r\\u0066 \\u002fvar"}' }],
  ['full-width letters of JSON', 'text', { body: '{"c":"\\uff52\\uff4d -rf /var"}' }],
  ['a JSON text of its own', 'text', { body: ' "r\\u006d -rf /var" ' }],
  ['a vector of JSON', 'text', { body: '["rm", "-rf", "/var"]' }],
  ['a vector of JSON, split inside words', 'text', { body: '["r","m -r", "f /va","r"]' }],
  ['a name and its value in JSON', 'text', { body: '{"rm": ["-rf", "/var"]}' }],
  ['half of it in JSON', 'text', { command: 'rm', body: '{"args":["-r\\u0066","/var"]}' }],
  ['a name of JSON', 'text', { body: '{"r\\u006d -rf /var": 1}' }],
  ['JSON as a name', 'text', { '{"c":"r\\u006d -rf /var"}': 1 }],
  ['the same member of JSON twice', 'text', { body: '{"c":"r\\u006d -rf /var","c":"ls"}' }],
  ['lines of JSON', 'text', { body: '{"c":"ls"}\n{"c":"r\\u006d -rf /var"}\n' }],
  ['JSON with a comma too many', 'text', { body: '[{"c":"r\\u006d -rf /var",},]' }],
  ['JSON in quotes of others', 'text', { body: "{c: 'r\\u006d', d: '-rf /var'}" }],
  ['JSON with a string that never ends', 'text', { body: '{"c":"r\\u006d -rf /var}' }],
  ['JSON behind a name', 'text', { body: 'payload={"c":"r\\u006d -rf /var"}&x=1' }],
  ['JSON in a command', 'text', { command: `curl -d '{"c":"r\\u006d -rf /var"}' host` }],
  ['JSON four times inside of itself', 'text', { body: nested('r\u006d -rf /var', 4) }],
  ['JSON deeper than anybody looks', 'text', { body: nested('r\u006d -rf /var', 9) }],
  ['combining marks under plain letters', 'text', { command: 'r\u0332m -rf /var' }, 'spelling'],
  ['letters of Cyrillic', 'text', { command: 'rm -rf /v\u0430r' }, 'spelling'],
  ['letters of Greek', 'host', { url: 'http://\u03b5vil.com' }, 'spelling'],
  ['percent encoding', 'text', { url: 'sh?c=rm%20-rf%20/var' }, 'encoding'],
  ['percent encoding of a letter', 'host', { url: 'http://e%76il.com' }, 'encoding'],
  ['percent encoding, twice', 'host', { url: 'http://e%2576il.com' }, 'encoding'],
  ['base64', 'text', { command: `echo ${base64} | base64 -d | sh` }, 'encoding'],
  ['hexadecimal', 'text', { data: Buffer.from('rm -rf /var').toString('hex') }, 'encoding'],
  ['entities of HTML', 'text', { html: 'rm&#32;-rf&#x20;/var' }, 'encoding'],
  ['backwards', 'text', { command: 'echo rav/ fr- mr | rev | sh' }, 'encoding'],
  ['quotes that a shell takes away', 'text', { command: `r""m -r'f' /var` }, 'shell'],
  ['a backslash that a shell takes away', 'text', { command: 'r\\m -rf /var' }, 'shell'],
  ['what a shell has for white space', 'text', { command: 'rm${IFS}-rf${IFS}/var' }, 'shell'],
  ['flags in another order', 'text', { command: 'rm -fr /var' }, 'shell'],
  ['flags one by one', 'text', { command: 'rm -r -f /var' }, 'shell'],
  ['flags by their long names', 'text', { command: 'rm --recursive --force /var' }, 'shell'],

  ['a path', 'path', { path: '/etc/passwd' }],
  ['a path in capitals', 'path', { path: '/ETC/passwd' }],
  ['slashes and dots', 'path', { path: '//etc/./passwd' }],
  ['out of another folder', 'path', { path: '/srv/../etc/passwd' }],
  ['out of folders that are not there', 'path', { path: '/srv/a/b/../../../etc/passwd' }],
  ['percent encoding in a path', 'path', { path: '/%65tc/passwd' }],
  ['percent encoding in a path, twice', 'path', { path: '/%2565tc/passwd' }],
  ['percent encoding of dots', 'path', { path: '/srv/%2e%2e/etc/passwd' }],
  ['backslashes', 'path', { path: '\\etc\\passwd' }],
  ['backslashes that turn back', 'path', { path: '/srv/..\\etc\\passwd' }],
  ['a file URL', 'path', { uri: 'file:///etc/passwd' }],
  ['a file URL with a host', 'path', { uri: 'file://localhost/etc/passwd' }],
  ['full-width dots and slashes', 'path', { path: '／srv／．．／etc／passwd' }],
  ['a NUL', 'path', '{"path": "/etc/passwd\\u0000.txt"}'],
  ['a zero-width space in a path', 'path', { path: '/e\u200btc/passwd' }],
  ['a right-to-left mark in a path', 'path', { path: '\u200f/etc/passwd' }],
  ['white space around a path', 'path', { path: ' /etc/passwd ' }],
  ['white space around a name', 'path', { path: '/etc /passwd' }],
  ['a path under another name', 'path', { thing: '/etc/passwd', path: '/srv/x' }],
  ['a path in a list', 'path', { files: ['/srv/x', '/etc/passwd'] }],
  ['a path in capitals of a name', 'path', { PATH: '/etc/passwd', path2: '/srv/x' }],
  ['a path deep inside', 'path', { a: [{ b: { source: '/etc/passwd' } }], path: '/srv/x' }],
  ['a home', 'path', { path: '~root/../etc/passwd' }],
  ['a variable', 'path', { path: '$ROOT/etc/passwd' }],
  ['a path that climbs', 'path', { path: '../../../../etc/passwd' }],
  ['a path from a folder of the server', 'path', { path: 'etc/passwd' }],

  ['an amount', 'amount', { amount: 5000 }],
  ['an exponent', 'amount', '{"amount": 5e3}'],
  ['an exponent that hides', 'amount', '{"amount": 0.0000005e10}'],
  ['a number as text', 'amount', { amount: '5000' }],
  ['an exponent as text', 'amount', { amount: '5e3' }],
  ['separators', 'amount', { amount: '5,000' }],
  ['a space for thousands', 'amount', { amount: '5 000' }],
  ['a thin space for thousands', 'amount', { amount: '5\u2009000' }],
  ['points for thousands', 'amount', { amount: '5.000,00' }],
  ['underscores', 'amount', { amount: '5_000' }],
  ['hexadecimal digits', 'amount', { amount: '0x1388' }],
  ['full-width digits', 'amount', { amount: '５０００' }],
  ['Arabic digits', 'amount', { amount: '٥٠٠٠' }],
  ['a sign', 'amount', { amount: '+5000' }],
  ['negative, which takes money back', 'amount', { amount: '-Infinity' }],
  ['a currency', 'amount', { amount: '5000 USD' }],
  ['infinity', 'amount', { amount: 'Infinity' }],
  ['no number', 'amount', { amount: 'NaN' }],
  ['beyond a double', 'amount', '{"amount": 1e400}'],
  ['more digits than a double has', 'amount', '{"amount": 1000.00000000000000001}'],
  ['in a list', 'amount', { amount: [5000] }],
  ['in an object', 'amount', { amount: { value: 5000 } }],
  ['nothing', 'amount', { amount: null }],
  ['true', 'amount', { amount: true }],
  ['behind a small one', 'amount', { amount: 1, total: 5000 }],
  ['under a name that only holds the word', 'amount', { amount: 1, amount_to_pay: 5000 }],
  ['under another spelling', 'amount', { amount: 1, AMOUNT_TOTAL: 5000 }],
  ['in cents beside a small one', 'amount', { amount: 1, price_cents: 500_000 }],
  ['in a text of JSON', 'amount', { amount: '{"amount": 5000}' }],
  ['in words, beside a small one', 'amount', { amount: 1, value: 'five thousand' }, 'words'],
]

test('there are many, and every name is one of its own', () => {
  expect(evasions.length).toBeGreaterThan(30)
  expect(new Set(evasions.map(([name]) => name)).size).toBe(evasions.length)
})

test.each(evasions.map((row) => [row[0], row] as const))('%s', (_, [, guard, args, limit]) => {
  const text = typeof args === 'string' ? args : JSON.stringify(args)
  const policy = `deny: [{capability: x, ${guards[guard]}}]\nallow: [x]`
  expect(decide(policy, { arguments: text })).toBe(limit === undefined ? 'deny' : 'allow')
})

test.each(Object.keys(limits) as Limit[])('the limit `%s` is one that somebody meets', (name) => {
  expect(evasions.some(([, , , limit]) => limit === name)).toBe(true)
})

test('what nobody guards passes: the table would else prove nothing', () => {
  const harmless = {
    text: { command: 'ls -l /var' },
    host: { url: 'https://good.com' },
    path: { path: '/srv/x' },
    amount: { amount: 5 },
  }
  for (const [guard, args] of Object.entries(harmless)) {
    const policy = `deny: [{capability: x, ${guards[guard as keyof typeof guards]}}]\nallow: [x]`
    expect(decide(policy, { arguments: JSON.stringify(args) })).toBe('allow')
  }
})
