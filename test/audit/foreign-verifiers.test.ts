import { spawnSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyCheckpoint } from '@sigstore/verify/dist/tlog/checkpoint.js'
import { verifyMerkleInclusion } from '@sigstore/verify/dist/tlog/merkle.js'
import { afterAll, describe, expect, test } from 'vitest'
import { inclusionRanges, RangeRoots } from '../../src/audit/merkle-proof.ts'
import { parseNote, verifierOf, type VerifierKey } from '../../src/audit/note.ts'
import { printPin } from '../../src/audit/pin.ts'
import { parseProof, printProof } from '../../src/audit/proof-file.ts'
import { hasCommand, requireOrSkip } from '../support/needs.ts'
import { root } from '../support/root.ts'
import { variedLog } from './varied-log.ts'

const log = variedLog({ records: 300, rotations: [100] })
const proofs = [0, 1, 127, 128, 255, 256, 298, 299].map((index) => {
  const collector = new RangeRoots(inclusionRanges(index, log.size))
  for (const { leaf } of log.rows) collector.push(Buffer.from(leaf).toString('hex'))
  const record = log.rows[index]?.body
  return printProof({ record, index, hashes: collector.roots(), checkpoint: log.note() })
})

const spki = (key: VerifierKey) =>
  createPublicKey({
    key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key.key.publicKey]),
    format: 'der',
    type: 'spki',
  })

/** What `@sigstore/verify` calls a log: a name, the beginning of an id, and a key. */
const authority = {
  baseURL: log.pin.stable.name,
  logID: Buffer.from(log.pin.stable.id, 'hex'),
  publicKey: spki(log.pin.stable),
  validFor: { start: new Date(0), end: new Date(0) },
}

/** Whether the code of `@sigstore/verify` for checkpoints and Merkle trees accepts a proof. */
function sigstoreAccepts(text: string): boolean {
  const { record, index, hashes, checkpoint } = parseProof(text)
  const entry = {
    canonicalizedBody: Buffer.from(record ?? ''),
    inclusionProof: {
      logIndex: String(index),
      hashes: hashes.map((hash) => Buffer.from(hash, 'hex')),
      checkpoint: { envelope: checkpoint },
    },
  } as unknown as Parameters<typeof verifyCheckpoint>[0]
  try {
    verifyMerkleInclusion(entry, verifyCheckpoint(entry, [authority]))
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'TLOG_INCLUSION_PROOF_ERROR' })
    return false
  }
}

/** The proof with one bit of a part of it changed. */
function flipped(text: string, part: 'record' | 'hash' | 'root' | 'signature', at: number): string {
  const { record, index, hashes, checkpoint } = parseProof(text)
  const flip = (bytes: Uint8Array): Buffer => {
    const changed = Buffer.from(bytes)
    const place = at % changed.length
    changed[place] = (changed[place] ?? 0) ^ (1 << (at % 8))
    return changed
  }
  const inNote = (pattern: RegExp): string =>
    checkpoint.replace(pattern, (_, before: string, base64: string) => {
      const bytes = Buffer.from(base64, 'base64')
      // The id says only whose signature to look at.
      const id = part === 'signature' ? 4 : 0
      const changed = Buffer.concat([bytes.subarray(0, id), flip(bytes.subarray(id))])
      return `${before}${changed.toString('base64')}\n`
    })
  switch (part) {
    case 'record':
      return printProof({ record: flip(record ?? Buffer.alloc(1)), index, hashes, checkpoint })
    case 'hash': {
      const which = at % hashes.length
      const changed = hashes.map((hash, place) =>
        place === which ? flip(Buffer.from(hash, 'hex')).toString('hex') : hash,
      )
      return printProof({ record, index, hashes: changed, checkpoint })
    }
    case 'root':
      return printProof({ record, index, hashes, checkpoint: inNote(/^(.*\n.*\n)(.{44})\n/) })
    case 'signature':
      return printProof({ record, index, hashes, checkpoint: inNote(/(\u2014 \S+ )(\S+)\n/) })
  }
}

describe('@sigstore/verify, which knows nothing of this program,', () => {
  test('accepts proofs as they are', () => {
    for (const proof of proofs) expect(sigstoreAccepts(proof)).toBe(true)
  })

  test.each(['record', 'hash', 'root', 'signature'] as const)('refuses a changed %s', (part) => {
    for (const proof of proofs) {
      for (let at = 0; at < 64; at += 1) {
        const changed = flipped(proof, part, at)
        expect(changed).not.toBe(proof)
        expect(sigstoreAccepts(changed), `${part}, ${at}`).toBe(false)
      }
    }
  })

  test('refuses a proof for another place', () => {
    for (const proof of proofs) {
      const { index } = parseProof(proof)
      const other = proof.replace(`\nindex ${index}\n`, `\nindex ${index === 0 ? 1 : index - 1}\n`)
      expect(sigstoreAccepts(other)).toBe(false)
    }
  })
})

describe.skipIf(requireOrSkip('openssl', hasCommand('openssl')))('openssl', () => {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-openssl-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('verifies the two signatures of a checkpoint, and neither of a changed one', () => {
    const { text, signatures } = parseNote(log.note())
    const keys = [log.pin.stable, verifierOf(log.epochKey)]
    expect(signatures).toHaveLength(keys.length)
    for (const [index, key] of keys.entries()) {
      const verdict = (message: string): number | null => {
        writeFileSync(join(folder, 'key.pem'), spki(key).export({ format: 'pem', type: 'spki' }))
        writeFileSync(join(folder, 'note'), message)
        writeFileSync(join(folder, 'signature'), signatures[index]?.signature ?? '')
        const files = ['-inkey', 'key.pem', '-in', 'note', '-sigfile', 'signature']
        const args = ['pkeyutl', '-verify', '-pubin', '-rawin', ...files]
        return spawnSync('openssl', args, { cwd: folder }).status
      }
      expect(verdict(text)).toBe(0)
      expect(verdict(text.replace('\n300\n', '\n301\n'))).toBe(1)
    }
  })
})

const hasGo = hasCommand('go')
if (!hasGo) process.stderr.write('\n*** no Go here: its verdict on a proof is not asked ***\n')

const programs = hasGo ? ['scripts/check-proof.go'] : []

test.each(programs)(
  "Go's packages for notes and Merkle trees accept a proof, and no changed one: %s",
  (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'capfence-go-'))
    const check = (proof: string): number | null => {
      writeFileSync(join(folder, 'proof'), proof)
      writeFileSync(join(folder, 'pin'), printPin(log.pin))
      const program = join(root, name)
      const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode' }
      const args = ['run', program, join(folder, 'proof'), join(folder, 'pin')]
      return spawnSync('go', args, { env: { ...env, GOCACHE: join(folder, 'cache') } }).status
    }
    try {
      for (const proof of proofs.slice(2, 4)) {
        expect(check(proof)).toBe(0)
        expect(check(flipped(proof, 'record', 9))).toBe(1)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
)
