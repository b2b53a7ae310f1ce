import {
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { WitnessState } from '../../src/anchor/witness-state.ts'
import { cosigner, cosignerKeyOf, printCosignerKey } from '../../src/audit/cosignature.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { origin, SampleLog } from './log.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-witness-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const keyText = printCosignerKey(
  cosignerKeyOf(cosigner('witness.example/w1', signingKey(new Uint8Array(32).fill(9)))),
)
const log = new SampleLog(30)
let count = 0
const freshPath = (): string => join(folder, `${(count += 1)}.state`)

/** The state of a witness that has seen 30 records. */
function usedState(): string {
  const path = freshPath()
  const checkpoint = { origin, size: 30, root: log.root(30), note: log.note(30) }
  WitnessState.make(path, keyText).remember(checkpoint, 1_764_000_000)
  return path
}

describe('a state is refused', () => {
  const corrupt: unknown = expect.objectContaining({ code: 'AUDIT_CORRUPT' })
  const unavailable: unknown = expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' })

  test('when it is not there: a witness without a memory would cosign a fork', () => {
    expect(() => WitnessState.open(freshPath(), keyText)).toThrow(unavailable)
  })

  test('when one is there already, to be made', () => {
    const path = usedState()
    expect(() => WitnessState.make(path, keyText)).toThrow(unavailable)
  })

  test('when it is of another witness', () => {
    const path = usedState()
    const other = printCosignerKey(
      cosignerKeyOf(cosigner('other', signingKey(new Uint8Array(32).fill(8)))),
    )
    expect(() => WitnessState.open(path, other)).toThrow(corrupt)
  })

  test('when any character of it is another one or missing', () => {
    const path = usedState()
    const whole = readFileSync(path, 'utf8')
    for (let at = 0; at < whole.length; at += 1) {
      for (const other of [whole[at] === 'A' ? 'B' : 'A', '']) {
        writeFileSync(path, whole.slice(0, at) + other + whole.slice(at + 1))
        expect(() => WitnessState.open(path, keyText), `character ${at}`).toThrow(corrupt)
      }
    }
    writeFileSync(path, whole)
    expect(WitnessState.open(path, keyText).of(origin)?.size).toBe(30)
  })

  test('when it is cut off anywhere', () => {
    const path = usedState()
    const text = readFileSync(path, 'utf8')
    for (let length = 0; length < text.length; length += 7) {
      writeFileSync(path, text.slice(0, length))
      expect(() => WitnessState.open(path, keyText), `${length} characters`).toThrow(corrupt)
    }
  })

  test('but not for what a write that was cut off left beside it', () => {
    const path = usedState()
    writeFileSync(`${path}.next`, 'half a st')
    expect(WitnessState.open(path, keyText).of(origin)?.size).toBe(30)
    expect(existsSync(`${path}.next`)).toBe(false)
  })

  test('and its file is for its owner alone', () => {
    expect(statSync(usedState()).mode & 0o777).toBe(0o600)
  })
})
