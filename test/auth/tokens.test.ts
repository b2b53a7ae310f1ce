import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isToken, newToken, tokenOf } from '../../src/auth/tokens.ts'
import { systemRandom } from '../../src/crypto/random.ts'

const made = [newToken(systemRandom), newToken(systemRandom)]
const known = made.map(({ sha256 }, index) => ({ sha256, actor: `actor ${String(index)}` }))

test('each token is found by its digest, and is its own', () => {
  expect(new Set(made.map(({ token }) => token)).size).toBe(2)
  for (const [index, { token }] of made.entries()) {
    expect(isToken(token)).toBe(true)
    for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
      expect(tokenOf(`${scheme} ${token}`, known)?.actor).toBe(`actor ${String(index)}`)
    }
  }
})

test('law: no change of one character is the same token', () => {
  const [{ token }] = made as [(typeof made)[0]]
  const anything = fc.record({ at: fc.nat(token.length - 1), put: fc.string({ maxLength: 2 }) })
  fc.assert(
    fc.property(anything, ({ at, put }) => {
      const changed = token.slice(0, at) + put + token.slice(at + 1)
      fc.pre(changed.trim() !== token)
      expect(tokenOf(`Bearer ${changed}`, known)).toBeUndefined()
    }),
    { seed: 20_261_128 },
  )
})

test.each([undefined, '', 'Bearer', 'Bearer ', `Basic ${made[0]?.token ?? ''}`, 'Bearer a b'])(
  'nobody is known by %j',
  (authorization) => {
    expect(tokenOf(authorization, known)).toBeUndefined()
    // The digest of nothing is no way in either.
    const empty = { sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' }
    expect(tokenOf(authorization, [{ ...empty, actor: 'x' }])).toBeUndefined()
  },
)
