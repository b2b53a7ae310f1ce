import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'
import { call, decide, policy } from './support.ts'
import { isFound } from './reference-value.ts'

/** `CAPFENCE_FUZZ_RUNS=20000` looks longer. */
const numRuns = Number(process.env['CAPFENCE_FUZZ_RUNS'] ?? 250)

function guarded(needles: readonly string[]): string {
  return `deny: [{capability: x, contains: ${JSON.stringify(needles)}}]\nallow: [x]`
}

function given(needle: string, args: unknown): string {
  return decide(guarded([needle]), { arguments: JSON.stringify(args) })
}

describe('B22: a guard of text sees what a tool makes of several values', () => {
  test.each<[string, string, unknown]>([
    ['an array joined with nothing', 'rm -rf /', { argv: ['rm -r', 'f /'] }],
    ['an array of letters', 'rm -rf', { argv: ['r', 'm', ' ', '-', 'r', 'f'] }],
    ['an array joined with a space', 'rm -rf /', { argv: ['rm', '-rf', '/'] }],
    ['a short text joined with nothing', 'rm', { argv: ['r', 'm'] }],
    ['an array of arrays', 'rm -rf /', { argv: [['rm -'], [['r'], ['f /']]] }],
    ['flags before the command', 'sudo rm -rf /', { flags: ['-rf', '/'], command: 'sudo rm' }],
    ['three members in any order', 'sudo rm -rf /', { c: '/', b: '-rf', a: 'sudo rm' }],
    [
      'every word a member, in any order',
      'sudo rm -rf /',
      { d: '/', b: 'rm', c: '-rf', a: 'sudo' },
    ],
    ['halves of words in any order', 'sudo rm -rf /', { b: 'm -rf /', a: 'su', c: 'do r' }],
    ['spaces and halves', 'sudo rm -rf /', { b: ['-r', 'f /'], a: 'sudo rm' }],
    ['what is longer at both ends', 'drop table', { b: 'ble users', a: 'select 1; drop ta' }],
    ['a folder and a file', '/etc/passwd', { file: 'passwd', folder: '/etc' }],
    ['a path in pieces', '/etc/ssh/sshd', { path: ['/etc', 'ssh', 'sshd_config'] }],
    ['a host in pieces', 'evil.example.com', { host: ['evil', 'example', 'com'] }],
    ['a scheme and a host', 'http://evil', { host: 'evil.com', protocol: 'http' }],
    ['a scheme with its colon', 'http://', { host: 'evil.com', protocol: 'http:' }],
    ['steps out of a folder', '../', { path: ['..', 'etc'] }],
    ['a drive', 'c:\\', { folder: 'Windows', drive: 'C:' }],
    ['a name and its value', 'role=admin', { role: 'admin' }],
    ['a name and its value with a colon', 'authorization: bearer', { Authorization: 'Bearer x' }],
    ['a name and what it is given', 'dd if=', { command: 'dd', args: { if: '/dev/zero' } }],
    ['commands joined by the shell', 'ls && rm', { one: 'ls', then: 'rm -r x' }],
    ['a letter and its accent', 'café', { a: ['cafe', '\u0301'] }],
    ['a letter and its accent alone', 'é', { a: ['e', '\u0301'] }],
    ['two folded halves', 'rm -rf /', { a: ['ＲＭ -R', 'Ｆ /'] }],
    ['a hidden character where it is cut', 'rm -rf /', { a: ['rm -r\u200b', '\u2060f /'] }],
    ['a number', 'port 8080', { a: 'port', b: 8080 }],
    ['halves of a number', '1234567', { a: 1234, b: 567 }],
  ])('%s', (_, needle, args) => {
    expect(given(needle, args)).toBe('deny')
  })

  test.each<[string, string, unknown]>([
    ['a word of the text inside a value', 'rm -rf /', { a: 'farm', b: 'x -rf / y' }],
    ['a middle word inside a value', 'sudo rm -rf', { a: 'sudo', b: 'xrm', c: '-rf' }],
    ['a short text in the wrong order', 'rm', { a: ['m', 'r'] }],
    ['what touches by chance', 'rm', { a: 'message', b: 'door' }],
    ['a missing half', 'rm -rf /', { a: 'rm -r' }],
    ['a missing middle', 'sudo rm -rf', { a: 'sudo', c: '-rf' }],
    ['ends of sentences', '../', { path: '/srv/x', text: 'Well..' }],
    ['a scheme alone, which is a word like any other', 'file://', { type: 'file', name: 'a.txt' }],
    ['a scheme at the end of a word', 'http://', { a: 'xhttp', b: 'example.com' }],
    ['a name that ends like a scheme', 'file://', { file: 'a.txt' }],
    ['punctuation that is not in the text', 'a.bcde', { a: 'a', b: ',bcde' }],
  ])('and does not see %s', (_, needle, args) => {
    expect(given(needle, args)).toBe('allow')
  })

  test('exactly what the definition says, with one text to look for and with many', () => {
    const unit = fc.constantFrom('a', 'b', 'c', ' ', '-', '/', '=', ':')
    const needle = fc.string({ unit, minLength: 1, maxLength: 8 })
    const needles = fc.oneof(
      fc.uniqueArray(needle, { minLength: 1, maxLength: 2 }),
      fc.uniqueArray(needle, { minLength: 25, maxLength: 40 }),
    )
    const values = fc.array(fc.string({ unit, maxLength: 5 }), { maxLength: 6 })
    fc.assert(
      fc.property(needles, values, fc.constantFrom('x', 'ab', 'c'), (wanted, list, name) => {
        const usable = wanted.filter((one) => one.trim() !== '')
        if (usable.length === 0) return
        const compiled = policy(
          `require_approval: [${usable.map((one) => `{capability: x, contains: ${JSON.stringify(one)}}`).join()}]`,
        )
        const event = call({ arguments: JSON.stringify({ [name]: list }) })
        const found = compiled.explain(event).map(({ value }) => value)
        const expected = usable.map((one) => (isFound(one, list, [name]) ? 'true' : 'false'))
        expect(found).toEqual(expected)
      }),
      { numRuns: numRuns * 4 },
    )
  })

  test('a call cut into very many pieces costs little, however many texts are looked for', () => {
    const needles = Array.from({ length: 1000 }, (_, at) => `delete table ${at} from base`)
    const compiled = policy(guarded(needles))
    const words = ['delete', 'table', 'from', 'e', 'd', 'del', 'ete table', 'm base', 'base']
    const list = Array.from({ length: 20_000 }, (_, at) => `${words[at % 9]}${at % 7}`)
    const event = call({ arguments: JSON.stringify({ list: [...words, ...list] }) })
    const start = performance.now()
    expect(compiled.decide(event).decision).toBe('allow')
    expect(performance.now() - start).toBeLessThan(2000)
  })
})

const skip = requireSharedOrSkip('corpora/livemcp/calls.jsonl')

/** Texts that people write into guards. */
const usual = [
  ...['rm -rf', 'rm -rf /', 'sudo', 'sudo rm', 'chmod 777', 'mkfs', 'dd if=', 'curl ', 'wget http'],
  ...['drop table', 'delete from', 'union select', 'or 1=1', 'truncate', '<script', 'javascript:'],
  ...['/etc/passwd', '/etc/shadow', '.ssh', 'id_rsa', '.env', '~/.aws', '../', 'c:\\windows'],
  ...['http://', 'https://', 'file://', '169.254.169.254', 'localhost', 'evil.com', 'attacker'],
  ...['password', 'api_key', 'secret', 'token', 'private key', 'authorization: bearer', 'sk-'],
  ...['git push --force', 'kubectl delete', 'terraform destroy', 'npm publish', 'powershell'],
  ...['eval(', 'exec(', '| sh', '&& rm', '--force', 'bitcoin', 'credit card', 'production'],
]

describe.skipIf(skip)('B22: calls that nobody objects to', () => {
  test('meet a usual guard only where its text stands in a value or a name', () => {
    const calls = benignCalls()
    expect(calls.length).toBeGreaterThan(600)
    const compiled = policy(
      usual
        .map((one) => `{capability: x, contains: ${JSON.stringify(one)}}`)
        .join(',\n  ')
        .replace(/^/, 'require_approval: [\n  ')
        .concat(']'),
    )
    const bySeams = calls.flatMap((args) => {
      const pieces = piecesOf(args)
      return compiled
        .explain(call({ arguments: JSON.stringify(args) }))
        .flatMap(({ value }, at) => {
          const needle = (usual[at] ?? '').toLowerCase()
          return value === 'true' && !pieces.some((piece) => piece.includes(needle)) ? [needle] : []
        })
    })
    expect(bySeams).toEqual([])
  })
})

function benignCalls(): readonly Record<string, unknown>[] {
  const rows = (file: string): readonly unknown[] =>
    readFileSync(sharedPath(file), 'utf8')
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line))
  const labelled = ['agentdojo/groundtruth_calls', 'livemcp/calls', 'payloads/shell']
    .flatMap((name) => rows(`corpora/${name}.jsonl`))
    .flatMap((row) => {
      const { label, arguments: args } = row as {
        label: string
        arguments: Record<string, unknown>
      }
      return label === 'benign' ? [args] : []
    })
  const recorded = rows('corpora/agentdyn/train_clean.jsonl').flatMap((row) => {
    return (row as { calls: { arguments: Record<string, unknown> }[] }).calls
  })
  const all = [...labelled, ...recorded.map(({ arguments: args }) => args)]
  return [...new Map(all.map((args) => [JSON.stringify(args), args])).values()]
}

function piecesOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [String(value).toLowerCase()]
  if (Array.isArray(value)) return value.flatMap(piecesOf)
  return Object.entries(value).flatMap(([name, inner]) => [name.toLowerCase(), ...piecesOf(inner)])
}
