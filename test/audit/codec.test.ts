import { describe, expect, test } from 'vitest'
import { decodeRecord, encodeRecord, leafHash } from '../../src/audit/codec.ts'
import type { RecordData, RecordDraft } from '../../src/audit/record.ts'
import { sha256Hex } from '../../src/crypto/sha256.ts'
import { CapFenceError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { drafts, place } from './samples.ts'

const cases = Object.entries(drafts)

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof CapFenceError) return error.code
    throw error
  }
  return 'nothing was refused'
}

function bodyOf(draft: RecordDraft): Buffer {
  return Buffer.from(encodeRecord(draft, place()).body)
}

function refused(json: string): string {
  return codeOf(() => decodeRecord(Buffer.from(json)))
}

describe('what is stored is RFC 8785, byte for byte', () => {
  test.each(cases)('%s', (_name, draft) => {
    const at = place()
    const json = bodyOf(draft).toString()
    const whole = { d: draft.data, t: draft.type, v: 1, ...at }
    expect(json).toBe(sortedJson(whole))
    expect(json.startsWith('{"d":{')).toBe(true)
  })

  /** A second, slower way to the same form. */
  function sortedJson(value: unknown): string {
    return JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : inner,
    )
  }
})

describe('what was written is read back', () => {
  test.each(cases)('%s', (_name, draft) => {
    const at = place()
    const { body, leaf } = encodeRecord(draft, at)
    const record = decodeRecord(body)
    expect(record).toMatchObject({ ...at, type: draft.type, leaf })
    expect(JSON.stringify(record.data)).toBe(JSON.stringify(draft.data))
    expect(leaf).toBe(sha256Hex(Buffer.concat([Buffer.from([0]), body])))
    expect(leafHash(body)).toBe(leaf)
  })
})

describe('any other byte is another record or none', () => {
  test.each(cases)('%s', (_name, draft) => {
    const { body, leaf } = encodeRecord(draft, place())
    for (let index = 0; index < body.length; index += 1) {
      for (const flip of [1, 0x20, 0x80]) {
        const changed = Buffer.from(body)
        changed[index] = (changed[index] ?? 0) ^ flip
        let read: string | undefined
        try {
          read = decodeRecord(changed).leaf
        } catch (error) {
          expect(error).toBeInstanceOf(CapFenceError)
        }
        expect(read).not.toBe(leaf)
      }
    }
  })

  test.each(cases)('%s, cut short or with something after it', (_name, draft) => {
    const body = bodyOf(draft)
    for (let end = 0; end < body.length; end += 1) {
      expect(codeOf(() => decodeRecord(body.subarray(0, end)))).toBe('AUDIT_CORRUPT')
    }
    for (const tail of [' ', '\n', '\0', '}', '{}']) {
      expect(refused(body.toString() + tail)).toBe('AUDIT_CORRUPT')
    }
  })
})

describe('every field is demanded, and no other is taken', () => {
  const wrong: readonly unknown[] = [undefined, [], {}, 'x\u0000', -1, 2 ** 53, 1.5, true]

  test.each(cases)('%s', (_name, draft) => {
    for (const name of Object.keys(draft.data)) {
      const without: RecordData = Object.fromEntries(
        Object.entries(draft.data).filter(([other]) => other !== name),
      )
      const isOptional =
        ['argument_roles', 'terms'].includes(name) ||
        (draft.type === 'log.open' && name === 'epoch_vkey') ||
        (draft.type === 'state.rebuild' && name === 'grants')
      if (!isOptional) {
        expect(
          codeOf(() => encodeRecord({ ...draft, data: without }, place())),
          name,
        ).toBe('RECORD_INVALID')
      }
      const accepted = wrong.filter((value) => {
        const data = { ...draft.data, [name]: value } as RecordData
        return codeOf(() => encodeRecord({ ...draft, data }, place())) === 'nothing was refused'
      })
      // A field may take what is of its own type, and nothing else: at most one of these eight (a list can be empty).
      expect(accepted.length, `${name} takes ${JSON.stringify(accepted)}`).toBeLessThan(2)
    }
    const more = { ...draft.data, extra: 1 }
    expect(codeOf(() => encodeRecord({ ...draft, data: more }, place()))).toBe('RECORD_INVALID')
  })

  test('the members around the data', () => {
    const body = bodyOf(drafts['proc.stop'] ?? { type: 'proc.stop', data: {} }).toString()
    expect(refused(body)).toBe('nothing was refused')
    const changes: Readonly<Record<string, readonly [string, string]>> = {
      'another version': ['"v":1', '"v":2'],
      'a version as text': ['"v":1', '"v":"1"'],
      'an unknown type': ['"t":"proc.stop"', '"t":"proc.halt"'],
      'a type from the prototype': ['"t":"proc.stop"', '"t":"toString"'],
      'a foreign origin': ['capfence.local/', 'capfence.other/'],
      'an upper-case hash': ['"prev":"a', '"prev":"A'],
      'a short hash': ['"prev":"a', '"prev":"'],
      'a day that does not exist': ['2026-01-02', '2026-02-30'],
      'a time without milliseconds': ['05.678Z', '05Z'],
      'a time zone': ['05.678Z', '05.678+00:00'],
      'a ULID with a letter that is none': ['"w":"01JD', '"w":"01IL'],
      'a negative seq': ['"seq":3', '"seq":-3'],
      'a fraction': ['"seq":3', '"seq":3.5'],
      'an exponent': ['"seq":3', '"seq":3e0'],
      'a number with a point': ['"seq":3', '"seq":3.0'],
      'a minus zero': ['"seq":3', '"seq":-0'],
      'a seq past 2^53-1': ['"seq":3', '"seq":9007199254740993'],
      'white space': ['"v":1', '"v": 1'],
      'an escape that is not needed': ['closed', 'cl\\u006fsed'],
      'a slash escaped': ['capfence.local/', 'capfence.local\\/'],
      'a lone surrogate': ['closed', 'closed\\ud800'],
      'a member twice': ['"v":1', '"v":1,"v":1'],
      'a member more': ['"v":1', '"v":1,"vv":1'],
      'members in another order': [
        '"t":"proc.stop","ts":"2026-01-02T03:04:05.678Z"',
        '"ts":"2026-01-02T03:04:05.678Z","t":"proc.stop"',
      ],
      'data that is no object': ['{"reason":"closed"}', '[]'],
      '__proto__ as a member': ['"v":1', '"v":1,"__proto__":{}'],
    }
    for (const [name, [from, to]] of Object.entries(changes)) {
      expect(body, name).toContain(from)
      expect(refused(body.replace(from, to)), name).toBe('AUDIT_CORRUPT')
    }
  })

  test('bytes that are no UTF-8, a byte order mark, no JSON at all', () => {
    const body = bodyOf({ type: 'proc.stop', data: { reason: '\ufffd' } })
    const at = body.indexOf(Buffer.from('\ufffd'))
    expect(decodeRecord(body).data['reason']).toBe('\ufffd')
    const raw = Buffer.concat([body.subarray(0, at), Buffer.from([0xff]), body.subarray(at + 3)])
    expect(codeOf(() => decodeRecord(raw))).toBe('AUDIT_CORRUPT')
    for (const json of [`\ufeff${body.toString()}`, '', '{', 'null', '[]', '""', '{}']) {
      expect(refused(json)).toBe('AUDIT_CORRUPT')
    }
  })
})

describe('bounds', () => {
  function withReason(characters: number): RecordDraft {
    return { type: 'proc.stop', data: { reason: 'x'.repeat(characters) } }
  }
  const around = bodyOf(withReason(0)).length

  test('65,535 bytes are stored, 65,536 are not', () => {
    const most = limits.maxRecordBytes - around
    expect(decodeRecord(bodyOf(withReason(most))).body.length).toBe(65_535)
    expect(codeOf(() => bodyOf(withReason(most + 1)))).toBe('RECORD_INVALID')
  })

  test('the bound counts bytes, not characters', () => {
    const half = Math.floor((limits.maxRecordBytes - around) / 2) + 1
    expect(codeOf(() => bodyOf({ type: 'proc.stop', data: { reason: 'ü'.repeat(half) } }))).toBe(
      'RECORD_INVALID',
    )
  })

  test('a reader refuses a longer one, and one that nests a hundred thousand levels', () => {
    expect(refused(`"${'x'.repeat(limits.maxRecordBytes)}"`)).toBe('AUDIT_CORRUPT')
    expect(refused('['.repeat(32_000) + ']'.repeat(32_000))).toBe('AUDIT_CORRUPT')
  })
})
