import { describe, expect, test } from 'vitest'
import { originComplaint } from '../../src/dashboard/guard.ts'

const hosts = ['localhost:4173', '127.0.0.1:4173']
type Headers = Readonly<Record<string, string>>

function complaint(method: string, path: string, headers: Headers): number | undefined {
  return originComplaint({ method, path, header: (name) => headers[name] }, hosts)?.status
}

const own: Headers = {
  host: 'localhost:4173',
  origin: 'http://localhost:4173',
  'sec-fetch-site': 'same-origin',
  'content-type': 'application/json',
}
const without = (name: string): Headers =>
  Object.fromEntries(Object.entries(own).filter(([one]) => one !== name))

describe('what does not come from the page is refused', () => {
  test.each<
    readonly [name: string, method: string, path: string, headers: Headers, status: number]
  >([
    [
      'a name that resolves to this machine',
      'POST',
      '/api/x',
      { ...own, host: 'evil.example', origin: 'http://evil.example' },
      403,
    ],
    [
      'the same as a reading',
      'GET',
      '/api/x',
      { host: 'evil.example:4173', 'sec-fetch-site': 'same-origin' },
      403,
    ],
    ['the same for a file', 'GET', '/', { host: 'evil.example' }, 403],
    ['no host', 'GET', '/', {}, 403],
    ['our name without the port', 'GET', '/', { host: 'localhost' }, 403],
    ['our name with another port', 'GET', '/', { host: 'localhost:80' }, 403],
    ['our name in capitals', 'GET', '/', { host: 'LOCALHOST:4173' }, 403],
    ['our name with a dot', 'GET', '/', { host: 'localhost.:4173' }, 403],
    ['the IPv6 address, under which nothing is served', 'GET', '/', { host: '[::1]:4173' }, 403],
    [
      'a form of another site',
      'POST',
      '/api/x',
      { ...own, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      403,
    ],
    [
      'a page on another port of this machine',
      'POST',
      '/api/x',
      { ...own, origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' },
      403,
    ],
    [
      'the same page under its other name',
      'POST',
      '/api/x',
      { ...own, origin: 'http://127.0.0.1:4173' },
      403,
    ],
    ['an origin that nobody has', 'POST', '/api/x', { ...own, origin: 'null' }, 403],
    ['an origin over TLS', 'POST', '/api/x', { ...own, origin: 'https://localhost:4173' }, 403],
    ['no origin', 'POST', '/api/x', without('origin'), 403],
    [
      'a browser that does not say where it comes from',
      'GET',
      '/api/x',
      without('sec-fetch-site'),
      403,
    ],
    ['a link from elsewhere', 'GET', '/api/x', { ...own, 'sec-fetch-site': 'cross-site' }, 403],
    ['an address that was typed', 'GET', '/api/x', { ...own, 'sec-fetch-site': 'none' }, 403],
    ['a page on the same site', 'GET', '/api/x', { ...own, 'sec-fetch-site': 'same-site' }, 403],
    ['what a form can send', 'POST', '/api/x', { ...own, 'content-type': 'text/plain' }, 415],
    ['no type', 'POST', '/api/x', without('content-type'), 415],
    [
      'a type with more',
      'POST',
      '/api/x',
      { ...own, 'content-type': 'application/json; charset=utf-8' },
      415,
    ],
    ['another method', 'DELETE', '/api/x', own, 405],
    ['a question of what is allowed', 'OPTIONS', '/api/x', own, 405],
    ['a change of a file', 'POST', '/', own, 405],
  ])('%s', (_name, method, path, headers, status) => {
    expect(complaint(method, path, headers)).toBe(status)
  })
})

describe('the page itself is let in', () => {
  test.each<readonly [name: string, method: string, path: string, headers: Headers]>([
    ['a change', 'POST', '/api/x', own],
    ['a reading, which has no origin', 'GET', '/api/x', without('origin')],
    ['the page as it is opened', 'GET', '/', { host: '127.0.0.1:4173', 'sec-fetch-site': 'none' }],
  ])('%s', (_name, method, path, headers) => {
    expect(complaint(method, path, headers)).toBeUndefined()
  })
})
