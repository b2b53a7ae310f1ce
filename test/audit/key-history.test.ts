import { describe, expect, test } from 'vitest'
import { noteSigner, printVerifierKey, verifierOf } from '../../src/audit/note.ts'
import type { NoteSigner } from '../../src/audit/note.ts'
import { parsePin, printPin } from '../../src/audit/pin.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { keyAdd, plain } from './honest-log.ts'
import { logOfTests } from './samples.ts'
import { signerOf, SignedLog, verifyStored } from './signed-log.ts'

const { pin } = new SignedLog()

describe('keys', () => {
  const sound = (): SignedLog => new SignedLog().open().append(plain(1))
  const other = signerOf('capfence.local/01JD3333333333333333333333')
  const cases: Readonly<Record<string, readonly [log: () => SignedLog, reason: RegExp]>> = {
    'another stable key': [
      () => new SignedLog().open({ vkey: printVerifierKey(verifierOf(sameName())) }),
      /^record 0: it names other keys than the pinned ones/,
    ],
    'the key of another log': [
      () => new SignedLog().open({ vkey: printVerifierKey(verifierOf(other)) }),
      /^record 0: it names the key of another log/,
    ],
    'no key of the first epoch': [
      () => new SignedLog().open({ epoch_vkey: null }),
      /^record 0: it names keys that cannot be read/,
    ],
    'the key of a later epoch as the first': [
      () => new SignedLog().open({ epoch_vkey: epochKey(2) }),
      /^record 0: it names the key of another epoch/,
    ],
    'keys added to a log that has keys': [
      () => {
        const log = sound()
        return log.append(keyAdd(log))
      },
      /^record 3: keys for a log that has keys/,
    ],
    'a rotation that skips an epoch': [
      () => rotation(sound(), { epoch: 3, next: epochKey(3) }),
      /^record 3: a rotation to another epoch than 2/,
    ],
    'a rotation from a key that is not in force': [
      () => rotation(sound(), { previous: epochKey(2) }),
      /^record 3: a rotation from a key that is not in force/,
    ],
    'a rotation to a key of another name': [
      () => rotation(sound(), { next: epochKey(3) }),
      /^record 3: a rotation to a key that cannot be read, or is of another epoch/,
    ],
    'a rotation of keys that are not there': [
      () => rotation(new SignedLog().open({ vkey: null, epoch_vkey: null }), {}),
      /^record 2: a rotation of keys that the log does not have/,
    ],
    'a rotation that the old key has not signed': [
      () => {
        const log = rotation(sound(), {})
        return log.keep([log.stable, signerOf(`${log.origin}/epoch-2`)])
      },
      /^the checkpoint of 4 records: .* no valid signature of `.*\/epoch-1`/,
    ],
    'a rotation that the new key has not signed': [
      () => rotation(sound(), {}).keep(),
      /^the checkpoint of 4 records: .* no valid signature of `.*\/epoch-2`/,
    ],
    'a rotation that only epochs have signed': [
      () => {
        const log = rotation(sound(), {})
        return log.keep([log.epochKey, signerOf(`${log.origin}/epoch-2`)])
      },
      /^the checkpoint of 4 records: .* no valid signature of `capfence.local\/[0-9A-Z]*`/,
    ],
    'a signature more than belongs there': [
      () => {
        const log = sound()
        return log.keep([log.stable, log.epochKey, other])
      },
      /^the checkpoint of 3 records: it has other signatures than those that belong there/,
    ],
    'a checkpoint of an epoch that is over': [
      () => {
        const log = sound()
        const before = log.epochKey
        return log.rotate().append(plain(2)).keep([log.stable, before])
      },
      /^the checkpoint of 5 records: .* no valid signature of `.*\/epoch-2`/,
    ],
    'a checkpoint before there were keys': [
      () => new SignedLog().open({ vkey: null, epoch_vkey: null }).keep(),
      /^the checkpoint of 2 records: nobody can have signed it/,
    ],
  }
  test.each(Object.entries(cases))('refused is %s', (_name, [make, reason]) => {
    const log = make()
    const report = verifyStored(log.stored(), { pin: sound().pin })
    expect(report.reason).toMatch(reason)
    expect(report.verdict).toBe('tampered')
  })

  test('a pin is of one log, its key and that of its first epoch', () => {
    const text = printPin(pin)
    expect(printPin(parsePin(text))).toBe(text)
    expect(printPin(parsePin(text.replaceAll('\n', '\r\n')))).toBe(text)
    const [first = '', secondLine = ''] = text.split('\n')
    for (const wrong of ['', first, `${secondLine}\n${first}\n`, `${text}${first}\n`, 'x\ny\n']) {
      expect(() => parsePin(wrong)).toThrow(/not a/)
    }
  })

  test('another log in its place is not this log', () => {
    const log = new SignedLog('capfence.local/01JD3333333333333333333333').open()
    const report = verifyStored(log.stored(), { pin })
    expect(report.verdict).toBe('tampered')
    expect(report.reason).toMatch(/^record 0: this is the log `.*3333`, the pin is of/)
  })
})

function sameName(): NoteSigner {
  return noteSigner(logOfTests, signingKey(Buffer.alloc(32, 7)))
}

function epochKey(epoch: number): string {
  return printVerifierKey(verifierOf(signerOf(`${logOfTests}/epoch-${String(epoch)}`)))
}

function rotation(log: SignedLog, changes: Readonly<Record<string, string | number>>): SignedLog {
  return log.append({
    type: 'key.rotate',
    data: { epoch: 2, next: epochKey(2), previous: epochKey(1), reason: 'daily', ...changes },
  })
}
