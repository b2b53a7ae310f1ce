import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { signCheckpoint } from '../../src/audit/checkpoint.ts'
import {
  cosign,
  cosignedAt,
  cosigner,
  cosignerKeyOf,
  parseCosignerKey,
  printCosignerKey,
} from '../../src/audit/cosignature.ts'
import {
  isSignedBy,
  noteSigner,
  parseNote,
  parseSignatures,
  parseVerifierKey,
  printVerifierKey,
  verifierOf,
} from '../../src/audit/note.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'

const origin = 'capfence.local/01JD0000000000000000000000'
const log = noteSigner(origin, signingKey(new Uint8Array(32).fill(1)))
const witness = cosigner('witness.example/w1', signingKey(new Uint8Array(32).fill(2)))
const other = cosigner('witness.example/w1', signingKey(new Uint8Array(32).fill(3)))
const key = cosignerKeyOf(witness)
const signed = signCheckpoint({ origin, size: 7, root: 'ab'.repeat(32) }, [log])
const { text } = parseNote(signed)
const timeSeconds = 1_764_000_000
const line = cosign(text, witness, timeSeconds)
const cosigned = signed + line

const invalid: unknown = expect.objectContaining({ code: 'NOTE_INVALID' })

/** A checkpoint of a public log, as two public witnesses have cosigned it. */
const real = {
  note: `arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
`,
  log: 'arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f',
  witnesses: [
    'witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO',
    'remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2',
  ],
}

describe('what witnesses of others wrote', () => {
  test.each(real.witnesses)('is verified: %s', (written) => {
    const witnessKey = parseCosignerKey(written)
    expect(printCosignerKey(witnessKey)).toBe(written)
    expect(cosignedAt(parseNote(real.note), witnessKey)).toBe(0x6a122120)
  })

  test('stands under a note that its log signed', () => {
    expect(isSignedBy(parseNote(real.note), parseVerifierKey(real.log))).toBe(true)
  })

  test('is refused over another size', () => {
    const note = parseNote(real.note.replace('1432088532', '1432088533'))
    for (const written of real.witnesses) {
      expect(cosignedAt(note, parseCosignerKey(written))).toBeUndefined()
    }
  })
})

describe('a cosignature', () => {
  test('says when', () => {
    expect(cosignedAt(parseNote(cosigned), key)).toBe(timeSeconds)
  })

  test('says the latest time of several', () => {
    const later = cosigned + cosign(text, witness, timeSeconds + 5)
    expect(cosignedAt(parseNote(later), key)).toBe(timeSeconds + 5)
  })

  test.each([
    ['of nobody', signed],
    ['of another key under the same name', signed + cosign(text, other, timeSeconds)],
    ['over another checkpoint', signed + cosign(text.replace('7', '8'), witness, timeSeconds)],
    ['over the note with its signatures', signed + cosign(signed, witness, timeSeconds)],
  ])('%s is none', (_, note) => {
    expect(cosignedAt(parseNote(note), key)).toBeUndefined()
  })

  test('is none when any bit of it is another one, the time included', () => {
    const [{ name, id, signature } = { name: '', id: '', signature: new Uint8Array() }] =
      parseSignatures(line)
    for (let bit = 0; bit < signature.length * 8; bit += 1) {
      const changed = signature.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const note = { text, signatures: [{ name, id, signature: changed }] }
      expect(cosignedAt(note, key), `bit ${bit}`).toBeUndefined()
    }
  })

  test('is none when it is shorter or longer', () => {
    const [one] = parseSignatures(line)
    if (one === undefined) throw new Error('a cosignature is a signature')
    for (const length of [0, 1, 8, 9, 71, 73]) {
      const signature = new Uint8Array(length)
      signature.set(one.signature.subarray(0, length))
      expect(cosignedAt({ text, signatures: [{ ...one, signature }] }, key)).toBeUndefined()
    }
  })

  test('is none beside a line that claims to be of the same key and is not', () => {
    const [one] = parseSignatures(line)
    if (one === undefined) throw new Error('a cosignature is a signature')
    const wrong = { ...one, signature: one.signature.toReversed() }
    expect(cosignedAt({ text, signatures: [one, wrong] }, key)).toBeUndefined()
    expect(cosignedAt({ text, signatures: [wrong, one] }, key)).toBeUndefined()
  })

  test('is not a signature of a note, whoever holds the same key', () => {
    const sameKey = verifierOf(noteSigner(witness.name, witness.cosigningKey))
    const disguised = parseNote(cosigned)
    const renamed = disguised.signatures.map((one) => ({
      ...one,
      id: sameKey.id,
      signature: one.signature.subarray(8),
    }))
    expect(isSignedBy({ ...disguised, signatures: renamed }, sameKey)).toBe(false)
  })

  test('of any time is read back', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (time) => {
        expect(cosignedAt(parseNote(signed + cosign(text, witness, time)), key)).toBe(time)
      }),
      { seed: 4, numRuns: 50 },
    )
  })
})

describe('the text of a witness key', () => {
  const written = printCosignerKey(key)

  test('is read back', () => {
    expect(printCosignerKey(parseCosignerKey(written))).toBe(written)
  })

  test('is refused when any character is another one', () => {
    for (let at = 0; at < written.length; at += 1) {
      const changed =
        written.slice(0, at) + (written[at] === 'A' ? 'B' : 'A') + written.slice(at + 1)
      expect(() => parseCosignerKey(changed), `character ${at}`).toThrow(invalid)
    }
  })

  test("of a log is no witness's, and the other way round", () => {
    expect(() => parseCosignerKey(printVerifierKey(verifierOf(log)))).toThrow(invalid)
    expect(() => parseVerifierKey(written)).toThrow(invalid)
  })
})

describe('signature lines', () => {
  test.each(['', '\n', line.slice(0, -1), `${line}\n`, `x${line}`, `${line}text\n`])(
    '%j are none',
    (lines) => {
      expect(() => parseSignatures(lines)).toThrow(invalid)
    },
  )

  test('are at most a hundred', () => {
    expect(parseSignatures(line.repeat(100))).toHaveLength(100)
    expect(() => parseSignatures(line.repeat(101))).toThrow(invalid)
  })
})
