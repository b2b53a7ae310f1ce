import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { parsersReady, postgresParser } from '../../../src/policy/parsers.ts'
import { call, policy, problems } from '../support.ts'

beforeAll(async () => {
  postgresParser()
  await parsersReady()
})

const asked = 'only: [select], tables: [a, "b.*"]'

/** What a guard on dropping and a grant of reading make of a text. */
function values(text: string, dialect: string): readonly (string | undefined)[] {
  const said = `, dialect: ${dialect}`
  return policy(
    `deny: [{capability: x, args: {/q: {sql: {statements: [drop]${said}}}}}]
allow: [{capability: x, args: {/q: {sql: {${asked}${said}}}}}]`,
  )
    .explain(call({ arguments: JSON.stringify({ q: text }) }))
    .map(({ value }) => value)
}

describe('where the server is said to be PostgreSQL', () => {
  test.each([
    'SELECT 1 -- to the end of the line\nFROM a',
    'SELECT 1 /* a comment /* in another */ */ FROM a',
    'SELECT "Full Name" FROM "a"',
    "SELECT $$it's$$, $tag$DROP TABLE a$tag$ FROM b.c",
    "SELECT x #>> '{a,b}' FROM a",
    "SELECT 'DROP TABLE a; --' FROM a",
    'SELECT 1 FROM a; SELECT 2 FROM b.c;',
    "SELECT ARRAY['x'] FROM a",
    'SELECT 1 /*! ; DROP TABLE a */ FROM a',
    'SELECT kill, exec FROM a',
    "SELECT 'a\u00A0b' FROM a",
  ])('text that others may read otherwise is decided: %s', (text) => {
    expect(values(text, 'postgres')).toEqual(['false', 'true'])
    expect(values(text, 'any')[1]).toBe('indeterminate')
    expect(values(text, 'any')[0]).not.toBe('true')
  })

  test.each([
    ['a comment for MySQL that is none here', 'SELECT 1 FROM a # , c'],
    ['a text that goes on behind a backslash', "SELECT 'a\\' FROM a; DROP TABLE a -- '"],
    ['the same in a text with escapes', "SELECT E'a\\' FROM c -- ' FROM a"],
    ['a command of psql', 'SELECT 1 FROM a \\! rm -rf /'],
    ['a text of escapes', "SELECT U&'\\0061' FROM a"],
    ['a name in another quote', 'SELECT `x` FROM a'],
    ['a text with a NUL behind it', "SELECT 1 FROM a\0 WHERE '"],
    ['a line that only newer ones end', 'SELECT 1 -- \v\n FROM a'],
    ['what may run more than the text says', 'SELECT my_own() FROM a'],
    ['a text of another table', 'SELECT 1 FROM c'],
    ['one behind a comment', 'SELECT 1 --\n FROM c'],
    ['a second statement', 'SELECT 1 FROM a; DROP TABLE a'],
    ['a second statement behind a comment', 'SELECT 1 FROM a /* */; DELETE FROM a'],
    ['a statement in another', 'WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x -- all'],
    ['a setting that changes how texts are read', 'SET standard_conforming_strings = off'],
    ['the same as a function', "SELECT set_config('standard_conforming_strings', 'off', false)"],
    ['what is none of its SQL', 'SELECT TOP 5 FROM a'],
    ['tables of the system', 'SELECT 1 -- x\n FROM pg_shadow'],
  ])('a grant is not given for %s', (_, text) => {
    expect(values(text, 'postgres')[1]).not.toBe('true')
  })

  test.each([
    ['DROP TABLE a -- really', 'true'],
    ['SELECT 1; DROP TABLE a', 'true'],
    ["SELECT 'a\\'; DROP TABLE a -- '", 'true'],
    ["SELECT 'a\\'; DELETE FROM a -- '", 'indeterminate'],
    ['DO $$ BEGIN DROP TABLE a; END $$', 'indeterminate'],
    ['SELECT 1 /*! ; DROP TABLE a */', 'false'],
  ])('a guard sees what it does: %s', (text, value) => {
    expect(values(text, 'postgres')[0]).toBe(value)
  })

  test('what is certain of any server is certain of this one', () => {
    const piece = fc.constantFrom(
      ...[
        'SELECT',
        '1',
        'FROM',
        'a',
        'b.c',
        'c',
        ',',
        ';',
        'DROP TABLE',
        'DELETE FROM',
        "'x'",
        "'",
      ],
      ...['"a b"', '--', '\n', '/*', '*/', '$$', '`', '\\', '#', '(', ')', 'WHERE', '=', 'kill'],
      ...["E'", 'U&', 'WITH x AS', 'x', '\u00A0', '[', ']', 'lower(', 'f('],
    )
    const text = fc.oneof(
      fc.array(piece, { minLength: 1, maxLength: 9 }).map((pieces) => pieces.join(' ')),
      fc.array(piece, { maxLength: 4 }).map((pieces) => `SELECT 1 FROM a ${pieces.join(' ')}`),
    )
    const seen = new Set<string>()
    fc.assert(
      fc.property(text, (one) => {
        const [any, postgres] = [values(one, 'any'), values(one, 'postgres')]
        for (const [at, value] of any.entries()) {
          if (value !== 'indeterminate') expect(postgres[at], one).toBe(value)
          else seen.add(`${at} ${postgres[at] ?? ''}`)
        }
      }),
      { numRuns: 1500, seed: 20 },
    )
    // In doubt of any server, each of them is decided for this one.
    expect([...seen].toSorted()).toEqual(
      expect.arrayContaining(['0 false', '0 indeterminate', '1 indeterminate', '1 true']),
    )
  })
})

test('nothing said is any server', () => {
  const rule = (said: string): string =>
    `allow: [{capability: x, args: {/q: {sql: {${asked}${said}}}}}]`
  for (const text of ['SELECT 1 FROM a', 'SELECT 1 FROM a -- b', 'SELECT 1 FROM c']) {
    const [one, other] = ['', ', dialect: any'].map((said) =>
      policy(rule(said)).decide(call({ arguments: JSON.stringify({ q: text }) })),
    )
    expect(one?.decision).toBe(other?.decision)
    expect(one?.reason).toBe(other?.reason)
  }
})

describe('a dialect is refused', () => {
  const refused = (said: string): readonly string[] =>
    problems(`deny: [{capability: x, args: {/q: {sql: {${said}}}}}]`)

  test.each(['mysql', 'MariaDB', 'sqlite', 'mssql', 'oracle'])(
    '%s, which nothing here reads as its server does',
    (dialect) => {
      expect(refused(`statements: drop, dialect: ${dialect}`)).toEqual([
        expect.stringMatching(/`dialect: .*` is read by no parser here .*\[policy-unsupported\]$/),
      ])
    },
  )

  test.each([
    ['statements: drop, dialect: PostgreSQL', '`dialect: PostgreSQL` is no dialect [policy-value]'],
    ['statements: drop, dialect: ansi', '`dialect: ansi` is no dialect [policy-value]'],
    ['statements: drop, dialect: [postgres, any]', '`sql` has several of `dialect` [policy-value]'],
    ['statements: drop, dialect: 5', '`dialect`'],
    ['dialect: postgres', '`sql` asks nothing [policy-value]'],
  ])('where it is none, or nothing is asked: %s', (said, message) => {
    expect(refused(said)).toEqual([expect.stringContaining(message)])
  })
})
