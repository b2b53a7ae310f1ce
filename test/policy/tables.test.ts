import { describe, expect, test } from 'vitest'
import { guardAndGrant, problems } from './support.ts'

const values = (tables: string, given: string): string =>
  guardAndGrant(`table: ${tables}`, { arguments: given })

describe('table: guards look at every name of a table, grants need all of them', () => {
  test.each([
    ['users', '{"table":"users"}', 'true true'],
    ['users', '{"table":"orders"}', 'false false'],
    ['[users, orders]', '{"table":"orders"}', 'true true'],
    ['users', '{"table":" USERS "}', 'true indeterminate'],
    ['users', '{"table":"Users"}', 'true false'],
    ['users', '{"table":"\\"users\\""}', 'true indeterminate'],
    ['users', '{"table":"public.users"}', 'true false'],
    ['users', '{"table":"users.public"}', 'false false'],
    ['public.users', '{"table":"public.users"}', 'true true'],
    ['public.users', '{"table":"db.public.users"}', 'true false'],
    // The search path says which schema is meant.
    ['public.users', '{"table":"users"}', 'indeterminate false'],
    ['analytics.*', '{"table":"analytics.events"}', 'true true'],
    ['analytics.*', '{"table":"analytics.x; drop table users"}', 'true indeterminate'],
    ['users', '{"table":"orders, users"}', 'indeterminate indeterminate'],
    ['users', '{"table":"orders -- x"}', 'indeterminate indeterminate'],
    ['users', '{"tables":["orders","users"]}', 'true false'],
    ['[users, orders]', '{"tables":["orders","users"]}', 'true true'],
    ['users', '{"a":[{"tableName":"users"}]}', 'true true'],
    ['users', '{"target_table":"users","table":"orders"}', 'true false'],
    ['users', '{"TABLE":"users"}', 'true true'],
    ['users', '{"timetable":"users"}', 'indeterminate indeterminate'],
    ['users', '{"table":5}', 'indeterminate indeterminate'],
    ['users', '{"table":null}', 'indeterminate indeterminate'],
    ['users', '{"table":{"name":"users"}}', 'indeterminate indeterminate'],
    ['users', '{"tables":[]}', 'indeterminate indeterminate'],
    ['users', '{}', 'indeterminate indeterminate'],
  ])('%s of %s', (tables, given, expected) => {
    expect(values(tables, given)).toBe(expected)
  })

  test('a call without a table is not granted, and a guard cannot know', () => {
    expect(values('"*"', '{"sql":"drop table users"}')).toBe('indeterminate indeterminate')
  })

  test.each(['""', '[]', '" users"', '"user?"', '5', '{}'])('%s is refused', (tables) => {
    expect(problems(`allow: [{capability: x, table: ${tables}}]`)).toHaveLength(1)
  })

  test('arguments deeper than a message may be are not looked at', () => {
    const deep = `${'['.repeat(120)}{"table":"users"}${']'.repeat(120)}`
    expect(values('users', `{"a":${deep}}`)).toBe('true true')
  })
})
