import fc from 'fast-check'
import { expect, test } from 'vitest'
import { closely, decodeRecord, encodeRecord } from '../../src/audit/codec.ts'
import { CapFenceError } from '../../src/errors.ts'
import { drafts, place } from './samples.ts'

/*
 * `decodeRecord` looks closely only at what it cannot see to be right at once. What it accepts at once must be what a close
 * look accepts, too.
 */

const bodies = Object.values(drafts).map((draft) => encodeRecord(draft, place()).body)

/** What is said of bytes: the record, or that there is none. */
function said(read: () => object): unknown {
  try {
    return read()
  } catch (error) {
    if (error instanceof CapFenceError) return error.message
    throw error
  }
}

function expectSame(body: Uint8Array): void {
  const slow = said(() => {
    const { t, d, ...rest } = closely(body)
    return { type: t, data: d, ...rest }
  })
  const quick = said(() => {
    const { body: _body, leaf: _leaf, ...rest } = decodeRecord(body)
    return rest
  })
  expect(quick).toEqual(slow)
}

/** Other spellings of parts of JSON, and things that are none. */
const spellings: readonly (readonly [from: RegExp, to: string])[] = [
  [/\d+/, '-0'],
  [/\d+/, '1.5'],
  [/\d+/, '3.0'],
  [/\d+/, '1e0'],
  [/\d+/, '1e21'],
  [/\d+/, '1e+21'],
  [/\d+/, '9007199254740992'],
  [/\d+/, '9007199254740991'],
  [/\d+/, '"1"'],
  [/:"([a-z])/, ':"\\ud83d'],
  [/:"([a-z])/, ':"\\ude00\\ud83d'],
  [/"([a-z])/, '"\\u0061'],
  [/"([a-z])/, '"\\ud83d\\ude00'],
  [/"([a-z])/, '"\\ud83d'],
  [/"([a-z])/, '"\\uD83D'],
  [/"([a-z])/, '"\\\\ud83d'],
  [/"([a-z])/, '"😀'],
  [/"([a-z])/, '"\u{fffd}'],
  [/"([a-z])/, '"\\u001f'],
  [/"([a-z])/, '"\\u001F'],
  [/"([a-z])/, '"\\n'],
  [/"([a-z])/, '"\\/'],
  [/"([a-z])/, '"\u2028'],
  [/:/, ': '],
  [/,/, ',\n'],
  [/\{/, '{"__proto__":1,'],
  [/\{/, '{"a":1,"a":1,'],
  [/\[/, '[[],'],
  [/\[/, '[null,'],
  [/("[a-z_]+":[^,{}[\]]+),("[a-z_]+":[^,{}[\]]+)/, '$2,$1'],
  [/"[a-z_]+":[^,{}[\]]+,/, ''],
  [/true|false|null/, '{}'],
  [/\{\}/, '{"d":{}}'],
]

const edit = fc.record({
  spelling: fc.constantFrom(...spellings),
  at: fc.noBias(fc.integer({ min: 0, max: 999 })),
})

test('what is accepted at once is what a close look accepts: other spellings', () => {
  fc.assert(
    fc.property(fc.constantFrom(...bodies), fc.array(edit, { maxLength: 3 }), (body, edits) => {
      let json = Buffer.from(body).toString()
      for (const { spelling, at } of edits) {
        const start = Math.floor((json.length * at) / 1000)
        json = json.slice(0, start) + json.slice(start).replace(spelling[0], spelling[1])
      }
      expectSame(Buffer.from(json))
    }),
    { seed: 11, numRuns: 4000 },
  )
})

test('what is accepted at once is what a close look accepts: other bytes', () => {
  fc.assert(
    fc.property(fc.constantFrom(...bodies), fc.nat(), fc.nat(255), (body, at, byte) => {
      const changed = Buffer.from(body)
      changed[at % changed.length] = byte
      expectSame(changed)
    }),
    { seed: 12, numRuns: 4000 },
  )
})

test('what is accepted at once is what a close look accepts: any text', () => {
  // Halves of pairs, too.
  const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code))
  const reason = fc.string({ unit })
  fc.assert(
    fc.property(reason, (text) => {
      const [head = '', tail = ''] = Buffer.from(
        encodeRecord({ type: 'proc.stop', data: { reason: 'REASON' } }, place()).body,
      )
        .toString()
        .split('"REASON"')
      // As JSON writes it, which escapes halves of pairs, and as UTF-8, which loses them.
      expectSame(Buffer.from(head + JSON.stringify(text) + tail))
      expectSame(Buffer.from(`${head}"${text}"${tail}`))
    }),
    { seed: 13, numRuns: 1000 },
  )
})
