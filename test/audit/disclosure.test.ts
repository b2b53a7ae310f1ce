import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  discloseArguments,
  discloseBytes,
  discloseNothing,
  discloseResult,
  discloseText,
} from '../../src/audit/disclosure.ts'
import type { DisclosureMode, Sealed, SealedDigests } from '../../src/audit/disclosure.ts'
import { systemRandom } from '../../src/crypto/random.ts'
import { hmacSha256Hex, sha256Base64url } from '../../src/crypto/sha256.ts'
import { Decimal } from '../../src/json/decimal.ts'
import type { JsonObject, JsonValue } from '../../src/json/value.ts'
import { limits } from '../../src/limits.ts'

/** Salts that tell which came first. */
function countingSalts(): (byteCount: number) => Uint8Array {
  let next = 0
  return (byteCount) => new Uint8Array(byteCount).fill((next += 1))
}

/** What a disclosure says: its salt, its name, its value, and the note where there is one. */
function opened(sealed: Sealed): readonly (readonly unknown[])[] {
  return sealed.disclosures.map(({ encoded }) => JSON.parse(textOf(encoded)) as unknown[])
}

function textOf(encoded: string): string {
  return Buffer.from(encoded, 'base64url').toString()
}

/** What a record would list. */
function listed({ _sd: digests }: SealedDigests): readonly string[] {
  return digests
}

function byName(sealed: Sealed): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(opened(sealed).map(([, name, ...rest]) => [String(name), rest]))
}

const seal = (args: JsonObject, mode: DisclosureMode = 'args'): Sealed =>
  discloseArguments(args, systemRandom, mode)

describe('a disclosure', () => {
  test('is that of RFC 9901: salt, name, value; its digest is over the base64url text', () => {
    const { digests, disclosures } = discloseArguments({ path: '/srv/ü' }, countingSalts(), 'args')
    const salt = Buffer.alloc(16, 1).toString('base64url')
    expect(textOf(disclosures[0]?.encoded ?? '')).toBe(`["${salt}","path","/srv/ü"]`)
    expect(disclosures[0]?.digest).toBe(sha256Base64url(disclosures[0]?.encoded ?? ''))
    expect(digests).toEqual({ _sd: [disclosures[0]?.digest], mode: 'args', withheld: [] })
  })

  test('has the digest that RFC 9901 gives for its example', () => {
    const encoded = 'WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0'
    expect(sha256Base64url(encoded)).toBe('uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY')
  })

  test('keeps numbers as they were written', () => {
    const args = {
      amount: new Decimal('1000.00000000000000001'),
      big: new Decimal('9007199254740993'),
    }
    const texts = seal(args).disclosures.map(({ encoded }) => textOf(encoded))
    expect(texts.some((text) => text.endsWith(',"amount",1000.00000000000000001]'))).toBe(true)
    expect(texts.some((text) => text.endsWith(',"big",9007199254740993]'))).toBe(true)
  })

  test('has a salt of its own each time, so that equal arguments have unequal digests', () => {
    const sealed = seal({ a: 'x', b: 'x' })
    const again = seal({ a: 'x', b: 'x' })
    const digests = [...listed(sealed.digests), ...listed(again.digests)]
    expect(new Set(digests).size).toBe(4)
    for (const [salt] of opened(sealed))
      expect(Buffer.from(String(salt), 'base64url')).toHaveLength(16)
  })

  test('stands in an order that says nothing of the call', () => {
    const args = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, 'x']))
    const { digests, disclosures } = seal(args)
    expect([...listed(digests)].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(listed(digests))
    expect(disclosures.map(({ digest }) => digest)).toEqual(listed(digests))
  })

  test('any value comes back from what is stored', () => {
    const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'binary' }),
        fc.integer().map((number) => new Decimal(String(number))),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'b', 'x/y', '~', 'ü'), tie('value'), { maxKeys: 3 }),
      ),
    }))
    fc.assert(
      fc.property(value, (any) => {
        const plain = JSON.parse(plainJson(any)) as unknown
        expect(byName(seal({ any }))['any']).toEqual([plain])
      }),
    )
  })

  function plainJson(value: JsonValue): string {
    return JSON.stringify(value, (_key, inner: unknown) =>
      inner instanceof Decimal ? Number(inner.text) : inner,
    )
  }
})

describe('modes', () => {
  const args = { path: '/srv/x', password: 'hunter2' }

  test.each(['full', 'args'] as const)('%s stores arguments', (mode) => {
    const { digests, disclosures } = seal(args, mode)
    expect(digests).toMatchObject({ mode })
    expect(listed(digests)).toHaveLength(2)
    expect(disclosures).toHaveLength(1)
  })

  test('digest-only stores nothing, but lists digests that nobody can open', () => {
    const { digests, disclosures } = seal(args, 'digest-only')
    expect(digests).toMatchObject({ mode: 'digest-only', withheld: [0, 1] })
    expect(listed(digests)).toHaveLength(2)
    expect(disclosures).toEqual([])
  })

  test('none has not even digests', () => {
    expect(seal(args, 'none')).toEqual({
      digests: { _sd: [], mode: 'none', withheld: [] },
      disclosures: [],
    })
    expect(discloseBytes('result', new Uint8Array(3), systemRandom, 'none')).toEqual(
      discloseNothing('none'),
    )
    expect(discloseResult({ a: 'x' }, systemRandom, 'none')).toEqual(discloseNothing('none'))
  })

  test.each([
    ['full', 1],
    ['args', 0],
    ['digest-only', 0],
  ] as const)('%s stores %d results in full', (mode, count) => {
    const { digests, disclosures } = discloseResult({ text: 'x' }, systemRandom, mode)
    expect(listed(digests)).toHaveLength(1)
    expect(digests.withheld).toHaveLength(1 - count)
    expect(disclosures).toHaveLength(count)
  })

  test('bytes are proved by an HMAC that is keyed with the salt, and are not kept', () => {
    const bytes = Buffer.from('{"content":[]}')
    const sealed = discloseBytes('result', bytes, countingSalts(), 'args')
    const note = {
      bytes: bytes.length,
      hmac_sha256: hmacSha256Hex(new Uint8Array(16).fill(1), bytes),
    }
    expect(byName(sealed)).toEqual({ result: [null, note] })
    expect(discloseBytes('message', bytes, systemRandom, 'digest-only').disclosures).toEqual([])
  })
})

describe('THREATS B27: secrets', () => {
  test('an argument that looks like one is withheld: its digest is listed, and nothing that opens it is stored', () => {
    const sealed = seal({ api_key: 'sk-1', path: '/x' })
    expect(listed(sealed.digests)).toHaveLength(2)
    expect(sealed.digests.withheld).toHaveLength(1)
    const [withheld = -1] = sealed.digests.withheld
    const digest = listed(sealed.digests)[withheld]
    expect(sealed.disclosures.map((disclosure) => disclosure.digest)).not.toContain(digest)
    expect(byName(sealed)).toEqual({ path: ['/x'] })
  })

  const nested: Readonly<
    Record<string, readonly [value: JsonValue, shown: unknown, redacted: readonly string[]]>
  > = {
    'in an object': [{ host: 'h', password: 'p' }, { host: 'h', password: null }, ['/password']],
    'far below': [
      { a: [{ b: { token: 't' } }] },
      { a: [{ b: { token: null } }] },
      ['/a/0/b/token'],
    ],
    'a whole object of them': [
      { credentials: { user: 'u' } },
      { credentials: null },
      ['/credentials'],
    ],
    'a number of them': [{ pin: new Decimal('1234') }, { pin: null }, ['/pin']],
    'in a list of headers': [
      [
        { name: 'Authorization', value: 'Bearer x' },
        { name: 'Accept', value: '*/*' },
      ],
      [
        { name: 'Authorization', value: null },
        { name: 'Accept', value: '*/*' },
      ],
      ['/0/value'],
    ],
    'in a list of keys': [
      [{ key: 'API_TOKEN', value: 'x' }],
      [{ key: 'API_TOKEN', value: null }],
      ['/0/value'],
    ],
    'under a name that a pointer escapes': [
      { 'a/b~token': 'x' },
      { 'a/b~token': null },
      ['/a~1b~0token'],
    ],
    'one that is null already': [{ password: null }, { password: null }, []],
  }
  test.each(Object.entries(nested))('%s', (_name, [value, shown, redacted]) => {
    const note = redacted.length === 0 ? [] : [{ redacted }]
    expect(byName(seal({ options: value }))).toEqual({ options: [shown, ...note] })
    const result = byName(discloseResult({ options: value }, systemRandom, 'full'))
    const below = redacted.length === 0 ? [] : [{ redacted: redacted.map((at) => `/options${at}`) }]
    expect(result).toEqual({ result: [{ options: shown }, ...below] })
  })

  test('no secret stands anywhere in what is stored', () => {
    const secret = 'correct-horse-battery'
    const args = {
      password: secret,
      nested: { list: [{ client_secret: secret }], headers: [{ name: 'cookie', value: secret }] },
      ...Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`a${index}`, 'x'])),
      late_token: secret,
    }
    const texts = seal(args).disclosures.map(({ encoded }) => textOf(encoded))
    expect(texts.filter((text) => text.includes(secret))).toEqual([])
  })
})

describe('bounds', () => {
  const many = (count: number): JsonObject =>
    Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`a${index}`, new Decimal(String(index))]),
    )

  test('64 arguments have a disclosure each', () => {
    const names = Object.keys(byName(seal(many(64))))
    expect(names).toHaveLength(64)
    expect(names).not.toContain('...')
  })

  test('what is beyond them shares one', () => {
    const shown = byName(seal(many(100)))
    expect(Object.keys(shown)).toHaveLength(65)
    expect(shown['...']).toEqual([Object.fromEntries(Object.entries(plain(many(100))).slice(64))])
  })

  function plain(args: JsonObject): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(args).map(([name]) => [name, Number(name.slice(1))]))
  }

  test('names that RFC 9901 keeps for itself share it too', () => {
    expect(byName(seal({ _sd: 'x', '...': 'y', a: 'z' }))).toEqual({
      a: ['z'],
      '...': [{ _sd: 'x', '...': 'y' }],
    })
  })

  test('a value up to the bound stands there, a longer one is stood for by its HMAC', () => {
    const text = (characters: number): string => 'x'.repeat(characters)
    const most = limits.maxDisclosedValueBytes - 2
    expect(byName(seal({ a: text(most) }))['a']).toEqual([text(most)])
    const sealed = discloseArguments({ a: text(most + 1) }, countingSalts(), 'args')
    const json = JSON.stringify(text(most + 1))
    const hmac = hmacSha256Hex(new Uint8Array(16).fill(1), json)
    expect(byName(sealed)['a']).toEqual([null, { bytes: json.length, hmac_sha256: hmac }])
  })

  test('the bound counts bytes', () => {
    const text = 'ü'.repeat(limits.maxDisclosedValueBytes / 2)
    expect(byName(seal({ a: text }))['a']?.[0]).toBeNull()
  })

  test('a long value says what was redacted in it', () => {
    const value = { text: 'x'.repeat(limits.maxDisclosedValueBytes), token: 't' }
    expect(byName(seal({ a: value }))['a']?.[1]).toMatchObject({ redacted: ['/token'] })
  })

  test('a call without arguments has no disclosures', () => {
    expect(seal({}).digests).toEqual({ _sd: [], mode: 'args', withheld: [] })
  })
})

test('a value of the gate itself is sealed under its name', () => {
  expect(byName(discloseText('binding', '{"actor":"a"}', systemRandom))).toEqual({
    binding: [{ actor: 'a' }],
  })
})
