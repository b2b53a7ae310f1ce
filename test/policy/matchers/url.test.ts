import { BlockList, isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isInRange,
  privateRanges,
  readAddress,
  readRange,
} from '../../../src/policy/matchers/address.ts'
import { oneMatcher } from './one-matcher.ts'

const { allows: allowed, denies: denied, problems } = oneMatcher('url')

const github = 'host: [api.github.com, "*.example.com", "localhost:8080"], scheme: [https, http]'

describe('a grant takes a URL that every reader reads alike', () => {
  test.each([
    'https://api.github.com/repos/a/b?x=1#y',
    'http://api.github.com/',
    'HTTPS://API.GITHUB.COM/',
    'https://api.github.com./',
    'https://API.github.com.:443/',
    'https://api.github.com:443/',
    'https://a.example.com/@user',
    'https://a.b.example.com',
    'http://localhost:8080/x',
    'https://api.github.com/s?q=a+b&r=%2F%2e',
    'https://api.github.com/wiki/北京',
  ])('%s', (url) => {
    expect(allowed(github, url)).toBe(true)
  })
})

describe('a grant takes nothing else', () => {
  test.each([
    'https://api.github.com@evil.com/',
    'https://evil.com\\@api.github.com/',
    'https://api.github.com\\@evil.com/',
    'https://evil.com#@api.github.com/',
    'https://api.github.com?@evil.com/',
    'https://api.github.com#@evil.com',
    'https://user:x@api.github.com/',
    'https://@api.github.com/',
    'https://api.github.com.evil.com/',
    'https://api.github.com../',
    'https://.api.github.com/',
    'https://evilapi.github.com/',
    'https://api.github.com:444/',
    'https://api.github.com:80/',
    'http://api.github.com:22/',
    'https:api.github.com',
    'https:/api.github.com/',
    'https:///api.github.com/',
    '//api.github.com/',
    '/\\api.github.com',
    ' https://api.github.com/',
    'https://api.github.com/ ',
    'https://api.git\thub.com/',
    'https://api.github.com\n.evil.com/',
    'https://api%2egithub.com/',
    'https://api。github.com/',
    'https://ａpi.github.com/',
    'https://api.gi\u00adthub.com/',
    'https://api.github.com/x%0d%0aHost:evil',
    'https://api.github.com/\r\nx',
    'javascript://api.github.com/%0aalert(1)',
    'file://api.github.com/etc/passwd',
    'gopher://api.github.com/',
    'view-source:https://api.github.com/',
    'https://example.com/',
    'https://notexample.com/',
    'https://.example.com/',
    'http://localhost/',
    'http://localhost:80/',
    'api.github.com',
    '',
    'https://',
    'https://[::1]/',
  ])('%j', (url) => {
    expect(allowed(github, url)).toBe(false)
  })
})

describe('hosts', () => {
  test.each([
    ['host: "*.example.com"', 'example.com', false],
    ['host: "*.example.com"', 'a.example.com', true],
    ['host: "api-*.example.com"', 'api-1.example.com', true],
    ['host: "api-*.example.com"', 'api-1.x.example.com', false],
    ['host: "example.com:*"', 'example.com:99', true],
    ['host: "example.com:8443"', 'https://example.com:8443/', true],
    ['host: "example.com:443"', 'https://example.com/', true],
    ['host: münchen.de', 'https://münchen.de/', true],
    ['host: münchen.de', 'https://xn--mnchen-3ya.de/', true],
    ['host: xn--mnchen-3ya.de', 'https://münchen.de/', false],
    ['host: "[::1]"', 'http://[::1]/', true],
    ['host: "[::1]"', 'http://[0:0::1]/', false],
    ['host: 127.0.0.1', 'http://127.0.0.1/', true],
    ['host: 127.0.0.1', 'http://127.1/', false],
    ['host: "*"', 'https://any.org/', true],
  ])('a grant of %s and %s', (matcher, url, expected) => {
    expect(allowed(matcher, url)).toBe(expected)
  })

  test.each([
    ['https://evil.com/', true],
    ['https://EVIL.com:99/', true],
    ['https://evil.com./', true],
    ['https://good.com@evil.com/', true],
    ['https://evil.com@good.com/', true],
    ['//evil.com', true],
    ['\\\\evil.com', true],
    ['http:evil.com', true],
    ['evil.com', true],
    ['evil.com/x', true],
    ['https://ｅvil.com/', true],
    ['not a url', true],
    ['https://good.com/', false],
    ['https://notevil.com/evil.com', false],
  ])('a guard of evil.com and %j', (url, expected) => {
    expect(denied('host: evil.com', url)).toBe(expected)
  })

  test.each([
    'https://a.com',
    'a.com/x',
    'u@a.com',
    'a..com',
    'a.com.',
    '127.1',
    '[::',
    'a b',
    '*.*',
    'a.com:x',
    'ａ.com',
    '',
  ])('%j is refused when the file is read', (pattern) => {
    expect(problems(`host: ${JSON.stringify(pattern)}`)).toHaveLength(1)
  })
})

describe('a guard of private addresses', () => {
  test.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://[::7f00:1]/',
    'http://[64:ff9b::a00:1]/',
    'http://[2002:a00:1::]/',
    'http://[fd00:ec2::254]/',
    'http://[fe80::1%25eth0]/',
    'http://169.254.169.254/latest',
    'http://100.100.100.200/',
    'http://0/',
    'http://localhost/',
    'http://a.localhost./',
    'http://metadata.google.internal/',
    'http://intranet/',
    'http://127.0.0.1.nip.io/',
    'http://10-0-0-1.sslip.io/',
    'http://7f000001.x.org/',
    'http://x@10.0.0.1/',
    'http://%31%30.0.0.1/',
    'http://１0.0.0.1/',
    'http://①⑦②.16.0.1/',
    '10.0.0.1',
    '10.0.0.1:80',
    'http://10.0.0.1\\@x.com/',
  ])('%s', (url) => {
    expect(denied('cidr: private', url)).toBe(true)
  })

  test.each([
    'http://8.8.8.8/',
    'https://api.github.com/',
    'http://[2606:4700::1111]/',
    'http://[::ffff:8.8.8.8]/',
    'https://a.b.c.d.example.com/10.0.0.1',
  ])('not %s', (url) => {
    expect(denied('cidr: private', url)).toBe(url.includes('ffff'))
  })

  test('a grant of a range needs an address as it is usually written', () => {
    expect(allowed('cidr: 10.0.0.0/8', 'http://10.1.2.3/')).toBe(true)
    for (const url of ['http://10.1/', 'http://[::ffff:10.1.2.3]/', 'http://a.internal/', 'x']) {
      expect(allowed('cidr: 10.0.0.0/8', url)).toBe(false)
    }
  })

  test.each(['10.0.0.1/8', '10.0.0.0/33', '010.0.0.0/8', 'public', '10.0.0.0/8/8', ''])(
    '%j is refused when the file is read',
    (text) => {
      expect(problems(`cidr: ${JSON.stringify(text)}`)).toHaveLength(1)
    },
  )
})

describe('addresses', () => {
  const v4 = fc.ipV4()
  const v6 = fc.ipV6()

  test('lie in a range when Node says so', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), fc.oneof(v4, v6), fc.nat(128), (text, base, length) => {
        const address = readAddress(text)
        const family = isIP(base) === 4 ? 'ipv4' : 'ipv6'
        const prefix = Math.min(length, family === 'ipv4' ? 32 : 128)
        const start = readAddress(base)
        if (address === undefined || start === undefined) throw new Error(`unread ${text} ${base}`)
        const list = new BlockList()
        list.addSubnet(base, prefix, family)
        if (address.family !== start.family) return
        expect(isInRange(address, { ...start, prefix })).toBe(list.check(text, family))
      }),
      { numRuns: 500 },
    )
  })

  test('are read exactly when Node reads them', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          v4,
          v6,
          fc.string({ unit: fc.constantFrom(...['0', '1', '2', '7', 'f', ':', '.']) }),
        ),
        (text) => {
          expect(readAddress(text) !== undefined).toBe(isIP(text) !== 0)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('what is private is so in every notation that the URL standard knows', () => {
    for (const range of privateRanges.filter(({ family }) => family === 4)) {
      for (const url of [`http://${range.bits}/`, `http://0x${range.bits.toString(16)}/`]) {
        expect(denied('cidr: private', url)).toBe(true)
      }
    }
    expect(readRange('10.0.0.0/8')).toBeDefined()
  })
})

test('nothing throws or lets a guard be passed by what is no URL', () => {
  const piece = fc.constantFrom(
    ...['http', 'https', ':', '/', '//', '\\', '@', '#', '?', '.', 'evil.com', 'good.com', '%2e'],
    ...['\t', '\n', ' ', '[', ']', '::1', '127.1', '。', '\u200d', 'xn--', '%', ':80', '\0'],
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const text = pieces.join('')
      const isGranted = allowed('host: good.com', text)
      const isDenied = denied('host: evil.com', text)
      expect(isGranted && isDenied).toBe(false)
      if (standardHost(text) === 'evil.com') expect(isDenied).toBe(true)
      if (isGranted) expect(standardHost(text) ?? standardHost(`http://${text}`)).toBe('good.com')
    }),
    {
      numRuns: 1500,
      examples: ['good.com.', 'http://good.com.', 'good.com:80'].map((text) => [[text]]),
    },
  )
})

/** Undefined for what has no host; a name that ends in a dot is the same name. */
function standardHost(text: string): string | undefined {
  try {
    const { hostname } = new URL(text)
    return hostname === '' ? undefined : hostname.replace(/\.$/, '')
  } catch {
    // It is no URL to the standard.
    return undefined
  }
}
