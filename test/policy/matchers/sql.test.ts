import { beforeAll, describe, expect, test } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { parsersReady, postgresParser } from '../../../src/policy/parsers.ts'
import { call, policy, problems } from '../support.ts'

beforeAll(async () => {
  postgresParser()
  await parsersReady()
})

/** What a guard and a grant make of it. */
function values(matcher: string, text: unknown): readonly (string | undefined)[] {
  const rule = `[{capability: x, args: {/q: {sql: ${matcher}}}}]`
  const event = call({ arguments: JSON.stringify({ q: text }) })
  return policy(`deny: ${rule}\nallow: ${rule}`)
    .explain(event)
    .map(({ value }) => value)
}

const only = '{only: [select], tables: ["analytics.*"]}'
const grant = (text: unknown, matcher = only): string | undefined => values(matcher, text)[1]
const guard = (matcher: string, text: unknown): string | undefined => values(matcher, text)[0]

describe('a grant takes statements of its kinds on its tables, and nothing else', () => {
  test.each([
    'SELECT 1',
    'select a, count(*) from analytics.e group by a order by 2 desc limit 5;',
    "SELECT lower(x)::text FROM analytics.e AS q WHERE a = 'it''s' AND b IN (SELECT 1)",
    'WITH t AS (SELECT * FROM analytics.e) SELECT sum(a) OVER (PARTITION BY b) FROM t',
    'WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT * FROM t',
    'SELECT CASE WHEN a > $1 THEN 1 ELSE 2 END FROM analytics.e JOIN "analytics"."f" USING (x)',
    'VALUES (1), (2)',
    'TABLE analytics.e',
  ])('%s', (text) => {
    expect(grant(text)).toBe('true')
  })

  test.each([
    'DROP TABLE users',
    'SELECT 1 FROM auth.users',
    'SELECT 1 FROM e',
    'SELECT 1 FROM analyticsx.e',
    'SELECT 1 FROM analytics.e UNION SELECT password FROM auth.users',
    'SELECT (SELECT max(p) FROM auth.users) FROM analytics.e',
    'SELECT 1 FROM analytics.e WHERE EXISTS (SELECT 1 FROM auth.users)',
    'WITH t AS (DELETE FROM analytics.e RETURNING 1) SELECT * FROM t',
    'WITH users AS (SELECT 1) SELECT * FROM users, auth.users',
    'SELECT * FROM (WITH users AS (SELECT 1) SELECT * FROM users) x, users',
    'WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a',
    'SELECT * INTO analytics.copy FROM analytics.e',
    'CREATE TABLE analytics.x AS SELECT 1',
    'SELECT 1 FROM analytics.e FOR UPDATE',
    'EXPLAIN ANALYZE SELECT 1',
    'COPY analytics.e TO STDOUT',
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT * FROM dblink('host=x', 'select 1') AS t(a int)",
    "SELECT lo_import('/etc/passwd')",
    'SELECT pg_sleep(5)',
    "SELECT query_to_xml('select * from auth.users', true, true, '')",
    'SELECT nextval(1)',
    'SELECT evil.count(1)',
    'SELECT 1 FROM pg_catalog.pg_authid',
    'PREPARE p AS SELECT 1',
    'EXECUTE p',
    "DO 'begin end'",
    'CALL p()',
    'SET role x',
    'SHOW all',
    'BEGIN',
    'VACUUM',
    "SELECT set_config('role', 'x', false)",
  ])('read, and refused for sure: %s', (text) => {
    expect(grant(text)).toBe('false')
  })

  test.each([
    'SELEC 1',
    '',
    ';',
    'SELECT 1; DROP TABLE users',
    'SELECT 1; SELECT 2',
    'SELECT 1 -- x',
    'SELECT 1 /* x */',
    'SELECT 1 /*! FROM auth.users */',
    "SELECT 'a\\' FROM analytics.e WHERE ' = 1",
    "SELECT E'\\x41'",
    'SELECT $$a$$',
    "SELECT U&'a'",
    'SELECT `a` FROM analytics.e',
    'SELECT 1 # x',
    'SELECT "a;b" FROM analytics.e',
    "SELECT ';a'",
    'SELECT 1 OPERATOR(evil.+) 2',
    "SELECT xmlelement(name a, '1')",
    '\0SELECT 1',
    // Operators that somebody made, wherever one may stand.
    'SELECT 1 FROM analytics.e ORDER BY a USING OPERATOR(evil.<)',
    'SELECT 1 OPERATOR(evil.=) ANY (SELECT 1)',
    // A subscript to PostgreSQL; to SQL Server and SQLite two names, with a table between them.
    "SELECT a['] FROM auth.users [']",
    "SELECT a[ '] FROM auth.users [' ]",
    // Names to PostgreSQL, and statements to SQL Server.
    'SELECT 1 FROM analytics.e SHUTDOWN',
    'SELECT 1 FROM analytics.e exec (sp_x)',
    'SELECT 1 commit',
    // One name to PostgreSQL, and white space to SQL Server.
    'SELECT 1 FROM analytics.x\u00a0UNION\u00a0SELECT\u00a0p\u00a0FROM\u00a0users',
    'SELECT 1 FROM analytics.x\u3000y',
    'SELECT 1 FROM analytics.x\u200by',
    5,
    ['SELECT 1'],
    null,
  ])('not known: %j', (text) => {
    expect(grant(text)).toBe('indeterminate')
  })

  test('what a policy adds', () => {
    const wide = '{only: [select, insert, explain], functions: [my.f], tables: ["a.*", pg_class]}'
    expect(grant('INSERT INTO a.b SELECT my.f(1) FROM a.c', wide)).toBe('true')
    expect(grant('EXPLAIN SELECT 1 FROM pg_class', wide)).toBe('true')
    expect(grant('SELECT other.f(1)', wide)).toBe('false')
    expect(grant("SELECT my.f(1), xmlelement(name a, '1')", wide)).toBe('indeterminate')
    expect(grant('SELECT 1 FROM pg_authid', wide)).toBe('false')
    expect(grant('SELECT 1 FROM anything', '{only: select}')).toBe('true')
    expect(grant('SELECT 1 FROM pg_authid', '{only: select}')).toBe('false')
    expect(grant('SELECT 1 FROM information_schema.tables', '{only: select}')).toBe('false')
    expect(grant('SELECT 1 FROM pg_shadow', '{only: select, tables: "*"}')).toBe('false')
    for (const table of ['sqlite_master', 'mysql.user', 'sys.tables', 'PG_AUTHID', '"PG_AUTHID"']) {
      expect(grant(`SELECT 1 FROM ${table}`, '{only: select}')).toBe('false')
    }
    expect(grant('SELECT 1 FROM mysql, sys', '{only: select}')).toBe('true')
  })

  test('text past its bound is not known', () => {
    const long = (bytes: number): string => `SELECT '${'a'.repeat(bytes - 9)}'`
    expect(grant(long(limits.maxSqlBytes))).toBe('true')
    expect(grant(long(limits.maxSqlBytes + 1))).toBe('indeterminate')
    expect(grant(`SELECT ${'('.repeat(30_000)}1${')'.repeat(30_000)}`)).toBe('indeterminate')
    expect(grant(`SELECT 1${' + 1'.repeat(16_000)}`)).not.toBe('false')
  })

  test('a row of operators that the parser would take minutes for is not parsed', () => {
    expect(grant(`SELECT 1 WHERE a ${'+'.repeat(256)} 1 = 1`)).toBe('true')
    expect(grant(`SELECT 1 WHERE a ${'+'.repeat(257)} 1 = 1`)).toBe('indeterminate')
    expect(grant('/*'.repeat(32_000))).toBe('indeterminate')
    expect(grant(`SELECT ${'+'.repeat(64_000)}1`)).toBe('indeterminate')
  })

  test('names of `WITH` are known where they are, however many there are', () => {
    const many = Array.from({ length: 2500 }, (_, at) => `c${at} AS (SELECT 1)`).join(', ')
    expect(grant(`WITH ${many} SELECT 1 FROM c0, c2499`)).toBe('true')
    expect(grant(`WITH ${many} SELECT 1 FROM c2500`)).toBe('false')
    expect(grant('WITH a AS (SELECT 1), b AS (SELECT 1 FROM a) SELECT 1 FROM b')).toBe('true')
    expect(grant('WITH a AS (SELECT 1 FROM a) SELECT 1')).toBe('false')
    expect(grant('WITH RECURSIVE a AS (SELECT 1 FROM a) SELECT 1')).toBe('true')
    expect(grant('WITH a AS (SELECT 1) SELECT (WITH b AS (SELECT 1) SELECT 1 FROM a, b)')).toBe(
      'true',
    )
    expect(grant('WITH a AS (WITH b AS (SELECT 1) SELECT 1 FROM b) SELECT 1 FROM b')).toBe('false')
  })
})

describe('a guard finds what a text may do', () => {
  test.each([
    ['{statements: [drop, truncate]}', 'DROP TABLE a', 'true'],
    ['{statements: [drop, truncate]}', 'select 1; truncate a', 'true'],
    ['{statements: delete}', 'WITH t AS (DELETE FROM a RETURNING 1) SELECT 1 FROM t', 'true'],
    ['{statements: create}', 'SELECT 1 INTO a', 'true'],
    ['{statements: drop}', "DO 'drop table a'", 'indeterminate'],
    ['{statements: drop}', 'SELECT my_function()', 'indeterminate'],
    ['{statements: drop}', 'SELECT 1 /*! ; DROP TABLE a */', 'indeterminate'],
    ['{statements: drop}', 'SELEC', 'indeterminate'],
    ['{statements: drop}', 5, 'indeterminate'],
    ['{statements: drop}', 'SELECT count(*) FROM a', 'false'],
    ['{tables: users}', 'SELECT 1 FROM Users', 'true'],
    ['{tables: users}', 'SELECT 1 FROM auth.users', 'true'],
    ['{tables: public.users}', 'SELECT 1 FROM users', 'true'],
    ['{tables: users}', 'DROP TABLE auth.users', 'true'],
    ['{tables: users}', 'ALTER ROLE x SUPERUSER', 'indeterminate'],
    ['{tables: users}', 'SELECT 1 FROM a', 'false'],
    ['{tables: users}', "SELECT a['] FROM users [']", 'indeterminate'],
    ['{tables: users}', 'SELECT tags[1] FROM a', 'false'],
    ['{tables: users, statements: delete}', 'DELETE FROM users', 'true'],
    ['{tables: users, statements: delete}', 'SELECT 1 FROM users', 'false'],
    ['{functions: "pg_read_*"}', "SELECT pg_read_file('x')", 'true'],
    ['{functions: "pg_read_*"}', 'SELECT count(1)', 'false'],
  ])('%s in %s: %s', (matcher, text, expected) => {
    expect(guard(matcher, text)).toBe(expected)
  })
})

test.each([
  ['select', 'expected a mapping'],
  ['{}', 'expected a mapping'],
  ['{onlyy: select}', 'unknown key `onlyy` in `sql`'],
  ['{only: drop}', 'cannot be granted'],
  ['{only: SELECT}', 'cannot be granted'],
  ['{only: select, statements: drop}', '`only` beside `statements`'],
  ['{statements: "drop table"}', 'is no kind of statement'],
  ['{tables: "a b"}', 'is no name'],
  ['{tables: []}', 'is an empty list'],
])('%s is refused', (matcher, expected) => {
  const found = problems(`deny: [{capability: x, args: {/q: {sql: ${matcher}}}}]`)
  expect(found).toEqual([expect.stringContaining(expected)])
})
