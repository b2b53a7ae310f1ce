import { expect, test } from 'vitest'
import { PageSessions } from '../../src/dashboard/sessions.ts'

function sessions(): { readonly sessions: PageSessions; readonly later: (ms: number) => void } {
  let nowMs = 0
  let drawn = 0
  const random = (count: number): Uint8Array => new Uint8Array(count).fill((drawn += 1))
  return {
    sessions: new PageSessions({ random, nowMs: () => nowMs }),
    later: (ms) => {
      nowMs += ms
    },
  }
}

test('a code lets one browser in, once', () => {
  const { sessions: page } = sessions()
  const code = page.newCode()
  const session = page.exchange(code)
  expect(page.csrfOf(session?.token)).toBe(session?.csrf)
  expect(page.exchange(code)).toBeUndefined()
})

test('a code is worth nothing after two minutes', () => {
  const { sessions: page, later } = sessions()
  const code = page.newCode()
  later(119_999)
  const early = page.exchange(code)
  expect(early).toBeDefined()
  const second = page.newCode()
  later(120_000)
  expect(page.exchange(second)).toBeUndefined()
})

test('a new code makes the one before worthless', () => {
  const { sessions: page } = sessions()
  const first = page.newCode()
  page.newCode()
  expect(page.exchange(first)).toBeUndefined()
})

test('after five wrong codes the right one is worth nothing', () => {
  const { sessions: page } = sessions()
  const code = page.newCode()
  for (let tried = 0; tried < 4; tried += 1) expect(page.exchange('wrong')).toBeUndefined()
  const other = sessions()
  const stillGood = other.sessions.newCode()
  for (let tried = 0; tried < 4; tried += 1) other.sessions.exchange('wrong')
  expect(other.sessions.exchange(stillGood)).toBeDefined()
  expect(page.exchange('wrong')).toBeUndefined()
  expect(page.exchange(code)).toBeUndefined()
})

test('without a code nobody is let in, whatever is sent', () => {
  const { sessions: page } = sessions()
  expect(page.exchange('')).toBeUndefined()
  expect(page.exchange('undefined')).toBeUndefined()
  expect(page.csrfOf(undefined)).toBeUndefined()
  expect(page.csrfOf('')).toBeUndefined()
})

test('a session ends after a working day, and when it is signed out', () => {
  const { sessions: page, later } = sessions()
  const one = page.exchange(page.newCode())
  const other = page.exchange(page.newCode())
  page.end(other?.token ?? '')
  expect(page.csrfOf(other?.token)).toBeUndefined()
  later(43_199_999)
  expect(page.csrfOf(one?.token)).toBe(one?.csrf)
  later(1)
  expect(page.csrfOf(one?.token)).toBeUndefined()
})

test('a ninth browser signs the first one out', () => {
  const { sessions: page } = sessions()
  const all = Array.from({ length: 9 }, () => page.exchange(page.newCode()))
  expect(all.map((session) => page.csrfOf(session?.token) !== undefined)).toEqual([
    false,
    ...Array.from({ length: 8 }, () => true),
  ])
})

test('a change has to name what the page was told, and of its own session', () => {
  const { sessions: page } = sessions()
  const one = page.exchange(page.newCode())
  const other = page.exchange(page.newCode())
  expect(page.isNamed(one?.token, one?.csrf)).toBe(true)
  expect(page.isNamed(one?.token, other?.csrf)).toBe(false)
  expect(page.isNamed(one?.token, undefined)).toBe(false)
  expect(page.isNamed(undefined, one?.csrf)).toBe(false)
})
