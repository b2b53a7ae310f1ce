import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base64urlEncode } from '../../src/crypto/base64url.ts'
import { isUlid, ulid, uuidV7 } from '../../src/crypto/ids.ts'
import { systemRandom } from '../../src/crypto/random.ts'
import { hmacSha256Hex, sha256Base64url, sha256Hex } from '../../src/crypto/sha256.ts'

describe('hashes', () => {
  test('SHA-256 of the examples of FIPS 180-4', () => {
    expect(sha256Hex('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
    expect(sha256Hex('abc')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(sha256Base64url('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  })

  test('a string is hashed as its UTF-8', () => {
    expect(sha256Hex('ü€😀')).toBe(sha256Hex(new TextEncoder().encode('ü€😀')))
  })

  test('HMAC-SHA-256 of RFC 4231, cases 1, 2 and 6', () => {
    const key = (byte: number, count: number): Uint8Array => new Uint8Array(count).fill(byte)
    expect(hmacSha256Hex(key(0x0b, 20), 'Hi There')).toBe(
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    )
    expect(hmacSha256Hex(Buffer.from('Jefe'), 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
    expect(
      hmacSha256Hex(key(0xaa, 131), 'Test Using Larger Than Block-Size Key - Hash Key First'),
    ).toBe('60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54')
  })
})

describe('base64url', () => {
  test('is what Node reads back, without padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = base64urlEncode(bytes)
        expect(text).toMatch(/^[A-Za-z0-9_-]*$/)
        expect(new Uint8Array(Buffer.from(text, 'base64url'))).toEqual(bytes)
      }),
    )
  })

  test('of the examples of RFC 4648, section 10', () => {
    const examples = ['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar']
    expect(examples.map((text) => base64urlEncode(text))).toEqual([
      '',
      'Zg',
      'Zm8',
      'Zm9v',
      'Zm9vYg',
      'Zm9vYmE',
      'Zm9vYmFy',
    ])
  })

  test('of a part of a buffer is that of the part', () => {
    const whole = new Uint8Array([1, 2, 3, 4, 5])
    expect(base64urlEncode(whole.subarray(1, 4))).toBe(base64urlEncode(new Uint8Array([2, 3, 4])))
  })
})

describe('ids', () => {
  const zeros = (count: number): Uint8Array => new Uint8Array(count)
  const ones = (count: number): Uint8Array => new Uint8Array(count).fill(0xff)

  test('a ULID at both ends of its range', () => {
    expect(ulid(0, zeros)).toBe('00000000000000000000000000')
    expect(ulid(2 ** 48 - 1, ones)).toBe('7ZZZZZZZZZZZZZZZZZZZZZZZZZ')
    expect(ulid(1_469_922_850_259, zeros).slice(0, 10)).toBe('01ARZ3NDEK')
  })

  test('a ULID spells its random bytes from the highest bit on', () => {
    const bytes = new Uint8Array([0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf])
    expect(ulid(0, () => bytes).slice(10)).toBe('0123456789ABCDEF')
  })

  test('a UUID has version 7, variant 10, and the time in front', () => {
    expect(uuidV7(0x0123456789ab, zeros)).toBe('01234567-89ab-7000-8000-000000000000')
    expect(uuidV7(2 ** 48 - 1, ones)).toBe('ffffffff-ffff-7fff-bfff-ffffffffffff')
  })

  test.each([-1, 0.5, 2 ** 48, Number.NaN])('a time of %d is a fault of the program', (timeMs) => {
    expect(() => ulid(timeMs, zeros)).toThrow('bug')
    expect(() => uuidV7(timeMs, zeros)).toThrow('bug')
  })

  test('ids sort by their time, and do not repeat', () => {
    const ids = Array.from({ length: 2000 }, (_, index) =>
      ulid(1_700_000_000_000 + index, systemRandom),
    )
    expect(ids.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(ids)
    expect(new Set(ids.map((id) => id.slice(10))).size).toBe(2000)
    expect(ids.every(isUlid)).toBe(true)
  })

  const noUlid: readonly string[] = [
    '',
    '0000000000000000000000000',
    '000000000000000000000000000',
    '8ZZZZZZZZZZZZZZZZZZZZZZZZZ',
    '0000000000000000000000000I',
    '0000000000000000000000000l',
    '0000000000000000000000000a',
    '0000000000000000000000000U',
    '00000000000000000000000000\n',
  ]
  test.each(noUlid)('%j is no ULID', (text) => {
    expect(isUlid(text)).toBe(false)
  })
})

describe('the random source of the system', () => {
  test('hands out as many bytes as asked for, and none twice', () => {
    const seen = new Set<string>()
    for (let round = 0; round < 2000; round += 1) {
      const bytes = systemRandom(16)
      expect(bytes).toHaveLength(16)
      seen.add(Buffer.from(bytes).toString('hex'))
    }
    expect(seen.size).toBe(2000)
    expect(systemRandom(10_000)).toHaveLength(10_000)
    expect(systemRandom(0)).toHaveLength(0)
  })

  test('gives bytes that nobody else holds', () => {
    const first = systemRandom(32)
    const copy = first.slice()
    systemRandom(32).fill(0)
    expect(first).toEqual(copy)
    expect(first.buffer.byteLength).toBe(32)
  })
})
