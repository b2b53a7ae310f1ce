import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { inclusionRanges, RangeRoots } from '../../src/audit/merkle-proof.ts'
import { printPin } from '../../src/audit/pin.ts'
import { checkProof, parseProof, printProof } from '../../src/audit/proof-file.ts'
import { CapFenceError } from '../../src/errors.ts'
import { projectFiles } from '../support/files.ts'
import { portableInBrowser } from './portable-bundle.ts'
import { SignedLog } from './signed-log.ts'
import { variedLog } from './varied-log.ts'

const portable = await portableInBrowser()
const small = variedLog({ records: 26, rotations: [9, 20] })
const keys = small.pin
const pin = portable.readPin(printPin(keys))

describe('the portable verifier', () => {
  test('imports nothing but itself and two packages', () => {
    const files = projectFiles('src/audit/portable')
    expect(files.length).toBeGreaterThan(8)
    for (const { path } of files) {
      const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
      for (const [, name = ''] of text.matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
        const own = /^\.\/[a-z]+\.ts$/.test(name)
        expect(own || /^@noble\/(?:ed25519|hashes\/sha2\.js)$/.test(name), `${path}: ${name}`).toBe(
          true,
        )
      }
      expect(text, path).not.toMatch(/\b(?:Buffer|process|globalThis)\b/)
    }
  })
})

describe('a proof', () => {
  const proofOf = (log: SignedLog, index: number): string => {
    const collector = new RangeRoots(inclusionRanges(index, log.size))
    for (const { leaf } of log.rows) collector.push(Buffer.from(leaf).toString('hex'))
    const record = log.rows[index]?.body
    return printProof({ record, index, hashes: collector.roots(), checkpoint: log.note() })
  }

  /** Null when the first implementation refuses it. */
  function first(text: string): { seq: number; root: string; isEpochVerified: boolean } | null {
    try {
      const { record, checkpoint, isEpochVerified } = checkProof(parseProof(text), keys)
      return { seq: record.seq, root: checkpoint.root, isEpochVerified }
    } catch (error) {
      if (error instanceof CapFenceError && error.code === 'PROOF_INVALID') return null
      throw error
    }
  }

  function second(text: string): ReturnType<typeof first> {
    try {
      const { record, root, isEpochVerified } = portable.verifyProof(text, pin)
      return { seq: record.seq, root, isEpochVerified }
    } catch (error) {
      expect(error).toMatchObject({ name: 'Refused' })
      return null
    }
  }

  test('of each record means the same to both implementations', () => {
    for (const log of [small, variedLog({ records: 21 }), new SignedLog().open()]) {
      for (const { seq } of log.rows) {
        const text = proofOf(log, seq)
        expect(second(text)).toEqual(first(text))
        expect(second(text)).toMatchObject({ seq, isEpochVerified: log.epoch === 1 })
      }
    }
  })

  test('changed in any place means the same to both implementations', () => {
    const text = proofOf(variedLog({ records: 21 }), 12)
    for (let at = 0; at < text.length; at += 1) {
      const others = ['', 'A', '2', '\n', '=', text[at]?.repeat(2) ?? '']
      const changed = text.slice(0, at) + (others[at % others.length] ?? '') + text.slice(at + 1)
      expect(second(changed), `character ${at}`).toEqual(first(changed))
    }
  })
})
