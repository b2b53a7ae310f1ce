import { expect, test } from 'vitest'
import { UriOwners } from '../../src/mcp/uri-owners.ts'

test.each([
  ['db://{table}/{id}', 'db://users/7', true],
  ['db://{table}/{id}', 'db://users', false],
  ['db://{table}/{id}', 'DB://users/7', false],
  ['file:///logs/{+path}', 'file:///logs/a/b', true],
  ['file:///logs/{+path}', 'file:///log/a', false],
  ['a{x}b', 'ab', true],
  ['a{x}a', 'a', false],
  ['plain://uri', 'plain://uri', true],
  ['plain://uri', 'plain://uri2', false],
])('template %s and %s: %s', (template, uri, isMatch) => {
  const owners = new UriOwners()
  owners.learnTemplate(template, 's')
  expect(owners.ownerOf(uri)).toBe(isMatch ? 's' : undefined)
})

test('B24: a hostile template is matched in linear time', () => {
  const owners = new UriOwners()
  owners.learnTemplate(`x${'{a}x'.repeat(5000)}y`, 's')
  expect(owners.ownerOf('x'.repeat(100_000))).toBeUndefined()
})

test('the first server to list a resource owns it', () => {
  const owners = new UriOwners()
  expect(owners.learnUri('r://1', 'one')).toBe(true)
  expect(owners.learnUri('r://1', 'one')).toBe(true)
  expect(owners.learnUri('r://1', 'two')).toBe(false)
  expect(owners.ownerOf('r://1')).toBe('one')
})
