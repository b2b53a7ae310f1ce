import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { parseAddCheckpoint, printAddCheckpoint } from '../../src/anchor/add-checkpoint.ts'
import { Witness, type Fork, type WitnessAnswer } from '../../src/anchor/witness.ts'
import { nodeStateFiles, WitnessState, type StateFiles } from '../../src/anchor/witness-state.ts'
import {
  cosignedAt,
  cosigner,
  cosignerKeyOf,
  printCosignerKey,
} from '../../src/audit/cosignature.ts'
import { parseNote, type VerifierKey } from '../../src/audit/note.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { CapFenceError } from '../../src/errors.ts'
import { origin, SampleLog } from './log.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-witness-')))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const signer = cosigner('witness.example/w1', signingKey(new Uint8Array(32).fill(9)))
const key = cosignerKeyOf(signer)
const keyText = printCosignerKey(key)
const log = new SampleLog(300)
const fork = new SampleLog(300, { from: 20 })
let count = 0
const freshPath = (): string => join(folder, `${(count += 1)}.state`)

interface Options {
  readonly logs?: readonly VerifierKey[]
  readonly state?: WitnessState
  readonly nowSeconds?: () => number
}

function newWitness(options: Options = {}) {
  const path = freshPath()
  const forks: Fork[] = []
  const failures: CapFenceError[] = []
  const witness = new Witness({
    cosigner: signer,
    logs: options.logs ?? [log.key],
    state: options.state ?? WitnessState.make(path, keyText),
    nowSeconds: options.nowSeconds ?? (() => 1_764_000_000),
    onFork: (found) => forks.push(found),
    onFailure: (error) => failures.push(error),
  })
  return { witness, path, forks, failures }
}

function expectCosigned(answer: WitnessAnswer, note: string, timeSeconds = 1_764_000_000): void {
  expect(answer).toMatchObject({ status: 200 })
  expect(cosignedAt(parseNote(note + answer.body), key)).toBe(timeSeconds)
}

describe('a witness cosigns', () => {
  test('a log that grows, from nothing on', () => {
    const { witness } = newWitness()
    let old = 0
    for (const size of [0, 1, 2, 3, 7, 8, 8, 64, 65, 300]) {
      expectCosigned(witness.addCheckpoint(log.request(old, size)), log.note(size))
      old = size
    }
  })

  test('any growth with its proof', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(99), (from, more) => {
        const { witness } = newWitness()
        expect(witness.addCheckpoint(log.request(0, from)).status).toBe(200)
        expect(witness.addCheckpoint(log.request(from, from + more)).status).toBe(200)
      }),
      { seed: 4, numRuns: 40 },
    )
  })

  test('several logs, each by itself', () => {
    const second = new SampleLog(50, { origin: `${origin.slice(0, -1)}1`, seed: 2 })
    const { witness } = newWitness({ logs: [log.key, second.key] })
    expect(witness.addCheckpoint(log.request(0, 9)).status).toBe(200)
    expect(witness.addCheckpoint(second.request(0, 5)).status).toBe(200)
    expect(witness.addCheckpoint(log.request(9, 20)).status).toBe(200)
    expect(witness.addCheckpoint(second.request(5, 50)).status).toBe(200)
  })

  test('a log with any of the keys that it has', () => {
    const renewed = new SampleLog(50, { seed: 3 })
    const { witness } = newWitness({ logs: [log.key, renewed.key] })
    expect(witness.addCheckpoint(log.request(0, 9)).status).toBe(200)
    expect(witness.addCheckpoint(renewed.request(9, 20)).status).toBe(200)
  })

  test('never for an earlier time, whatever its clock says', () => {
    let now = 5000
    const { witness } = newWitness({ nowSeconds: () => now })
    expectCosigned(witness.addCheckpoint(log.request(0, 9)), log.note(9), 5000)
    now = 4000
    expectCosigned(witness.addCheckpoint(log.request(9, 10)), log.note(10), 5000)
    now = 6000
    expectCosigned(witness.addCheckpoint(log.request(10, 11)), log.note(11), 6000)
  })
})

describe('a witness refuses', () => {
  const note = log.note(20)
  const { text } = parseNote(note)
  const signatures = log.note(19).slice(parseNote(log.note(19)).text.length)
  const body = log.request(10, 20)
  test.each([
    ['another log', 404, new SampleLog(20, { origin: 'capfence.local/other' }).request(10, 20)],
    ["a key that is not the log's", 403, new SampleLog(20, { seed: 5 }).request(10, 20)],
    ['a signature over something else', 403, body.replace(note, text + signatures)],
    ['a note without a signature', 400, body.slice(0, body.lastIndexOf('\n—') + 1)],
    ['an old size beyond the checkpoint', 400, log.request(10, 20).replace('old 10', 'old 21')],
    ['an old size that it has not seen', 409, log.request(9, 20)],
    ['a roll-back', 409, log.request(5, 9)],
    ['a roll-back without a proof', 400, log.request(0, 9).replace('old 0', 'old 10')],
    ['no proof', 422, printAddCheckpoint({ oldSize: 10, proof: [], note })],
    [
      'a proof of another step',
      422,
      printAddCheckpoint({ oldSize: 10, proof: log.proof(9, 20), note }),
    ],
    ['a proof with a hash more', 422, body.replace('\n\n', `\n${'A'.repeat(43)}=\n\n`)],
    ['a proof with a hash less', 422, body.replace(/\n.{43}=\n/, '\n')],
    ['nothing', 400, ''],
    ['a note alone', 400, note],
    ['a size with a zero before it', 400, body.replace('old 10', 'old 010')],
    ['a size with a sign', 400, body.replace('old 10', 'old +10')],
    ['a size past 2^53', 400, body.replace('old 10', 'old 9007199254740993')],
    ['a capital letter', 400, body.replace('old', 'Old')],
    ['line ends of Windows', 400, body.replaceAll('\n', '\r\n')],
    [
      'a hash of 31 bytes',
      400,
      body.replace(/\n.{44}\n/, `\n${Buffer.alloc(31).toString('base64')}\n`),
    ],
    ['a hash in base64url', 400, body.replace(/\n.{44}\n/, `\n${'_'.repeat(43)}=\n`)],
    ['64 hashes', 400, body.replace('\n\n', `\n${`${'A'.repeat(43)}=\n`.repeat(64)}\n`)],
    ['text behind the note', 400, `${body}more\n`],
    ['a note without its last newline', 400, body.slice(0, -1)],
  ] as const)('%s, with %i', (_, status, request) => {
    const { witness } = newWitness()
    expect(witness.addCheckpoint(log.request(0, 10)).status).toBe(200)
    const answer = witness.addCheckpoint(request)
    expect({ status: answer.status, body: answer.body }).toMatchObject({ status })
    expect(answer.body).not.toContain('—')
    if (status === 409) expect(answer).toEqual({ status, type: 'text/x.tlog.size', body: '10\n' })
    // And it has not moved.
    expect(witness.addCheckpoint(log.request(10, 20)).status).toBe(200)
  })

  test('63 hashes only because they prove nothing: so many are read', () => {
    const lines = `${'A'.repeat(43)}=\n`.repeat(63)
    expect(parseAddCheckpoint(`old 1\n${lines}\n${note}`).proof).toHaveLength(63)
  })

  test('a fork, whether it is longer, as long or shorter', () => {
    for (const size of [31, 30, 29]) {
      const { witness } = newWitness()
      witness.addCheckpoint(log.request(0, 30))
      for (const old of [0, 10, size, 30]) {
        const request = printAddCheckpoint({
          oldSize: old,
          proof: old <= size ? fork.proof(old, size) : [],
          note: fork.note(size),
        })
        expect([400, 409, 422], `${old} to ${size}`).toContain(
          witness.addCheckpoint(request).status,
        )
      }
    }
  })

  test('a first checkpoint with a proof, and an empty log with a root of its own', () => {
    const { witness } = newWitness()
    const first = printAddCheckpoint({ oldSize: 0, proof: log.proof(3, 9), note: log.note(9) })
    expect(witness.addCheckpoint(first).status).toBe(422)
    const empty = log.request(0, 0).replace(/\n\n[^]*/, '')
    expect(empty).toBe('old 0')
  })

  test('a change of any single character of a request', () => {
    const { witness } = newWitness()
    witness.addCheckpoint(log.request(0, 10))
    for (let at = 0; at < body.length; at += 1) {
      const other = body[at] === 'A' ? 'B' : 'A'
      const { status } = witness.addCheckpoint(body.slice(0, at) + other + body.slice(at + 1))
      expect(status, `character ${at}`).not.toBe(200)
    }
    expect(witness.addCheckpoint(body).status).toBe(200)
  })
})

describe('of two requests that build on the same size', () => {
  test('one is cosigned and the other is told the size', () => {
    const { witness } = newWitness()
    witness.addCheckpoint(log.request(0, 10))
    expect(witness.addCheckpoint(log.request(10, 20)).status).toBe(200)
    expect(witness.addCheckpoint(log.request(10, 30))).toMatchObject({ status: 409, body: '20\n' })
  })

  test('a replayed one does not take the witness back', () => {
    const { witness } = newWitness()
    const early = log.request(0, 10)
    witness.addCheckpoint(early)
    witness.addCheckpoint(log.request(10, 20))
    expect(witness.addCheckpoint(early)).toMatchObject({ status: 409, body: '20\n' })
  })
})

describe('two checkpoints of one size', () => {
  test('are kept as the proof of a fork, each with the signature of the log', () => {
    const { witness, forks } = newWitness()
    witness.addCheckpoint(log.request(0, 30))
    expect(witness.addCheckpoint(fork.request(30, 30)).status).toBe(409)
    expect(forks).toEqual([{ origin, size: 30, cosigned: log.note(30), refused: fork.note(30) }])
  })

  test('prove nothing when the log did not sign one of them', () => {
    const { witness, forks } = newWitness()
    witness.addCheckpoint(log.request(0, 30))
    const forged = new SampleLog(30, { seed: 5, from: 20 })
    expect(witness.addCheckpoint(forged.request(30, 30)).status).toBe(403)
    expect(forks).toEqual([])
  })
})

describe('what a witness has seen', () => {
  test('outlives it', () => {
    const { witness, path } = newWitness()
    witness.addCheckpoint(log.request(0, 30))
    const again = newWitness({ state: WitnessState.open(path, keyText) }).witness
    expect(again.addCheckpoint(log.request(0, 10))).toMatchObject({ status: 409, body: '30\n' })
    expect(again.addCheckpoint(fork.request(30, 31)).status).toBe(422)
    expect(again.addCheckpoint(log.request(30, 31)).status).toBe(200)
  })

  test('is durable before it is said', () => {
    const order: string[] = []
    const files = recording(order)
    const path = freshPath()
    const { witness } = newWitness({ state: WitnessState.make(path, keyText, files) })
    order.length = 0
    const answer = witness.addCheckpoint(log.request(0, 30))
    expect(answer.status).toBe(200)
    expect(order).toEqual(['create .next', 'rename .next', 'syncFolder '])
  })

  test('stays when its log is not known any more', () => {
    const { witness, path } = newWitness()
    witness.addCheckpoint(log.request(0, 30))
    const second = new SampleLog(50, { origin: `${origin}x`, seed: 2 })
    const other = newWitness({ logs: [second.key], state: WitnessState.open(path, keyText) })
    expect(other.witness.addCheckpoint(second.request(0, 5)).status).toBe(200)
    const again = newWitness({ state: WitnessState.open(path, keyText) }).witness
    expect(again.addCheckpoint(log.request(0, 30))).toMatchObject({ status: 409, body: '30\n' })
  })

  test('holds no signatures of strangers', () => {
    const { witness, path } = newWitness()
    const line = new SampleLog(30, { origin: 'stranger', seed: 7 }).note(30).split('\n\n')[1] ?? ''
    const one = `${log.request(0, 30)}${line.repeat(99)}`
    expect(witness.addCheckpoint(one).status).toBe(200)
    expect(readFileSync(path, 'utf8').length).toBeLessThan(1000)
  })

  function recording(order: string[]): StateFiles {
    const name = (path: string): string => /\.state(.*)$/.exec(path)?.[1] ?? path
    return {
      ...nodeStateFiles,
      create(path, text) {
        order.push(`create ${name(path)}`)
        nodeStateFiles.create(path, text)
      },
      rename(from, to) {
        order.push(`rename ${name(from)}`)
        nodeStateFiles.rename(from, to)
      },
      syncFolder(path) {
        order.push(`syncFolder ${name(path)}`)
        nodeStateFiles.syncFolder(path)
      },
    }
  }
})

describe('a witness that cannot remember signs nothing', () => {
  const steps = ['create', 'read', 'rename', 'syncFolder'] as const
  test.each(steps)('when `%s` fails', (step) => {
    let isBroken = false
    const broken: StateFiles = {
      ...nodeStateFiles,
      [step]: (path: string, second: string) => {
        if (isBroken) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        return nodeStateFiles[step](path, second)
      },
    }
    const path = freshPath()
    const { witness, failures } = newWitness({ state: WitnessState.make(path, keyText, broken) })
    expect(witness.addCheckpoint(log.request(0, 10)).status).toBe(200)
    isBroken = true
    const answer = witness.addCheckpoint(log.request(10, 20))
    expect(answer.status).toBe(503)
    expect(answer.body).not.toContain('—')
    expect(failures.map(({ code }) => code)).toEqual(['AUDIT_UNAVAILABLE'])
    isBroken = false
    expect(existsSync(`${path}.next`)).toBe(false)
    // The log asks again, and is told the size if the last step alone had failed.
    const old = step === 'syncFolder' ? 20 : 10
    expect(witness.addCheckpoint(log.request(old, 30)).status).toBe(200)
  })

  test('when the disk takes no file', () => {
    const { witness, path } = newWitness()
    expect(witness.addCheckpoint(log.request(0, 10)).status).toBe(200)
    const before = readFileSync(path, 'utf8')
    // Where the next state would be written: that fails for every user, root too.
    writeFileSync(`${path}.next`, 'in the way')
    expect(witness.addCheckpoint(log.request(10, 20)).status).toBe(503)
    expect(readFileSync(path, 'utf8')).toBe(before)
    rmSync(`${path}.next`)
    expect(witness.addCheckpoint(log.request(10, 20)).status).toBe(200)
  })

  test('when another witness has used its state, and then for good', () => {
    const { witness, path, failures } = newWitness()
    witness.addCheckpoint(log.request(0, 10))
    const second = newWitness({ state: WitnessState.open(path, keyText) }).witness
    expect(second.addCheckpoint(log.request(10, 20)).status).toBe(200)
    expect(witness.addCheckpoint(log.request(10, 30)).status).toBe(503)
    expect(witness.addCheckpoint(log.request(10, 30)).status).toBe(503)
    expect(failures).toHaveLength(2)
    expect(second.addCheckpoint(log.request(20, 40)).status).toBe(200)
  })

  test('when somebody puts an older state back under it', () => {
    const { witness, path } = newWitness()
    witness.addCheckpoint(log.request(0, 10))
    const older = readFileSync(path)
    witness.addCheckpoint(log.request(10, 20))
    writeFileSync(path, older)
    expect(witness.addCheckpoint(log.request(20, 30)).status).toBe(503)
  })
})
