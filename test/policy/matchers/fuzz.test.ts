import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { parsersReady, postgresParser } from '../../../src/policy/parsers.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { call, policy } from '../support.ts'

/** `CAPFENCE_FUZZ_RUNS=20000` looks longer. */
const numRuns = Number(process.env['CAPFENCE_FUZZ_RUNS'] ?? 250)

beforeAll(async () => {
  postgresParser()
  await parsersReady()
})

const asked = (guard: string, grant: string): Policy =>
  policy(
    `deny: [{capability: x, args: {/q: ${guard}}}]\nallow: [{capability: x, args: {/q: ${grant}}}]`,
  )

/** What a guard and a grant make of an argument. */
function values(of: Policy, argument: unknown): readonly string[] {
  const event = call({ arguments: JSON.stringify({ q: argument }) })
  return of.explain(event).map(({ value }) => value)
}

const shell = asked(
  '{shell: {runs: rm}}',
  '{shell: {only: [ls, "git status", grep, "./run.sh *"]}}',
)
const flagged = asked('{shell: {runs: rm, flags: [r, f]}}', '{shell: {only: ls}}')
const piece = fc.constantFrom(
  ...[
    'ls',
    'rm',
    'git',
    'status',
    './run.sh',
    'grep',
    '-r',
    '-rf',
    '-c',
    'sh',
    'eval',
    'sudo',
    'x',
  ],
  ...[
    'a=b',
    '"',
    "'",
    '\\',
    '$',
    '$(',
    ')',
    '`',
    '(',
    '{',
    '}',
    ';',
    '&&',
    '||',
    '|',
    '&',
    '<',
    '>',
  ],
  ...[
    '<<E',
    'E',
    '\n',
    ' ',
    ' ',
    ' ',
    '*',
    '~',
    '#',
    '!',
    '%',
    '^',
    '=',
    ',',
    '@',
    '\t',
    '\u00a0',
    'é',
  ],
  ...['if', 'then', 'fi', 'for', 'do', 'done', '((', '))', '[[', ']]', '${', '-', '--'],
)
const line = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''))
const spaced = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(' '))
const anyLine = fc.oneof(line, spaced, fc.string({ unit: 'binary' }))

/** Reads a line as if nothing were quoted: every command of it begins as a listed one does. */
function beginsListed(text: string): boolean {
  const commands = text.split(/&&|\|\|?/)
  return commands.every((one) => /^[ \t]*(?:ls|git status|grep|\.\/run\.sh)(?![^ \t])/.test(one))
}

test('every command of what a grant of `ls` and the like takes is one of them', () => {
  let granted = 0
  fc.assert(
    fc.property(fc.oneof(anyLine, fc.array(anyLine, { maxLength: 5 })), (text) => {
      const [, grant] = values(shell, text)
      if (grant !== 'true') return
      granted += 1
      expect(beginsListed([text].flat().join(' '))).toBe(true)
    }),
    {
      numRuns: numRuns * 8,
      examples: [['ls'], ['git status && grep x'], ['./run.sh a'], [['ls', '-r']]],
    },
  )
  expect(granted).toBeGreaterThan(0)
})

/** Ways to write a command that runs the same. */
const wrap = fc.constantFrom<(command: string) => string>(
  (c) => `(${c})`,
  (c) => `{ ${c}; }`,
  (c) => `ls; ${c}`,
  (c) => `${c} && ls`,
  (c) => `ls | ${c}`,
  (c) => `echo $( ${c})`,
  (c) => `echo "$( ${c})"`,
  (c) => `if ls; then ${c}; fi`,
  (c) => `for x in a; do ${c}; done`,
  (c) => `f() { ${c}; }; f`,
  (c) => `sh -c '${c.replaceAll("'", `'"'"'`)}'`,
  (c) => `eval "${c.replaceAll(/["\\$`]/g, String.raw`\$&`)}"`,
  (c) => `sudo bash -ec '${c.replaceAll("'", `'"'"'`)}'`,
  (c) => `ssh host '${c.replaceAll("'", `'"'"'`)}'`,
  (c) => `cat <(${c})`,
  (c) => `x=$( ${c})`,
  (c) => `bash <<'EOF'\n${c}\nEOF`,
)

/** Ways to write one word of it. */
const spelling = fc.constantFrom<(word: string) => string>(
  (w) => w,
  (w) => `'${w}'`,
  (w) => `"${w}"`,
  (w) => `${w.slice(0, 1)}''${w.slice(1)}`,
  (w) => `${w.slice(0, 1)}"${w.slice(1)}"`,
  (w) => `\\${w}`,
  (w) => `${w.slice(0, 1)}\\\n${w.slice(1)}`,
  (w) => `$'${w}'`,
)

test('no quoting and wrapping of a command makes its guard false', () => {
  const words = fc.constantFrom('rm -rf /', 'rm -r -f x', '/bin/rm --force -R x', 'sudo rm -fr x')
  fc.assert(
    fc.property(
      words,
      fc.array(spelling, { minLength: 4, maxLength: 4 }),
      fc.array(wrap, { maxLength: 4 }),
      (command, spellings, wraps) => {
        const spelled = command
          .split(' ')
          .map((word, at) => spellings[at]?.(word) ?? word)
          .join(' ')
        const text = wraps.reduce((inner, one) => one(inner), spelled)
        expect([text, values(flagged, text)[0]]).not.toEqual([text, 'false'])
      },
    ),
    { numRuns },
  )
})

const sql = asked('{sql: {tables: users}}', '{sql: {only: [select], tables: ["a.*"]}}')
const token = fc.constantFrom(
  ...[
    'SELECT',
    '1',
    'FROM',
    'a.b',
    'users',
    'WITH',
    'users AS (SELECT 1)',
    'x',
    ',',
    '(',
    ')',
    ';',
  ],
  ...[
    "'",
    '"',
    '[',
    ']',
    '*',
    'UNION',
    'INTO',
    'DELETE FROM',
    'WHERE',
    '=',
    '--',
    '/*',
    '*/',
    '::',
  ],
  ...[
    'f(1)',
    'count(*)',
    'AS',
    'JOIN',
    'ON true',
    'LATERAL',
    'VALUES (1)',
    '$1',
    '\\',
    '\u00a0',
    'E',
  ],
)
const query = fc.array(token, { maxLength: 14 }).map((tokens) => tokens.join(' '))

test('what a grant on other tables takes never has the table that a guard looks for', () => {
  let granted = 0
  fc.assert(
    fc.property(
      fc.oneof(
        query,
        query.map((text) => `SELECT 1 FROM a.b ${text}`),
      ),
      (text) => {
        const [guard, grant] = values(sql, text)
        if (grant !== 'true') return
        granted += 1
        expect(guard).toBe('false')
      },
    ),
    { numRuns: numRuns * 4, examples: [['SELECT 1 FROM a.b']] },
  )
  expect(granted).toBeGreaterThan(0)
})

/** Queries that hold another one, which PostgreSQL runs. */
const hold = fc.constantFrom<(inner: string) => string>(
  (q) => `SELECT (${q})`,
  (q) => `SELECT 1 FROM (${q}) q`,
  (q) => `SELECT 1 WHERE EXISTS (${q})`,
  (q) => `SELECT 1 IN (${q})`,
  (q) => `WITH q AS (${q}) SELECT 1 FROM q`,
  (q) =>
    `WITH users AS (SELECT 1) SELECT (SELECT 1 FROM users), (${q.replaceAll('users', 'public.users')})`,
  (q) => `(${q}) UNION SELECT 1`,
  (q) => `SELECT 1 LIMIT (${q})`,
  (q) => `SELECT CASE WHEN true THEN (${q}) END`,
  (q) => `SELECT count(1) FILTER (WHERE (${q}) = 1)`,
  (q) => `INSERT INTO a.b ${q}`,
)

test('no query around a query hides the table', () => {
  fc.assert(
    fc.property(fc.array(hold, { maxLength: 5 }), (holds) => {
      const text = holds.reduce((inner, one) => one(inner), 'SELECT 1 FROM users')
      const [guard, grant] = values(sql, text)
      expect([text, guard]).not.toEqual([text, 'false'])
      expect([text, grant]).not.toEqual([text, 'true'])
    }),
    { numRuns },
  )
})
