import { describe, expect, test } from 'vitest'
import { signCheckpoint } from '../../src/audit/checkpoint.ts'
import { inclusionRanges, RangeRoots } from '../../src/audit/merkle-proof.ts'
import { noteSigner, parseNote, printVerifierKey, verifierOf } from '../../src/audit/note.ts'
import { parsePin, pinOf, printPin, type LogPin } from '../../src/audit/pin.ts'
import { checkProof, parseProof, printProof } from '../../src/audit/proof-file.ts'
import { parseCheckpoint } from '../../src/audit/checkpoint.ts'
import { appendLeaf, emptyTree, rootOf, type TreeHead } from '../../src/audit/tree.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import { CapFenceError } from '../../src/errors.ts'
import { logOfTests } from './samples.ts'
import { SignedLog, signerOf } from './signed-log.ts'
import { variedLog } from './varied-log.ts'

const refused: unknown = expect.objectContaining({ code: 'PROOF_INVALID' })
const notPin: unknown = expect.objectContaining({ code: 'NOTE_INVALID' })

const log = variedLog({ records: 21 })
const { pin, stable } = log
const epoch = (number: number) => signerOf(`${logOfTests}/epoch-${number}`)

type Shown = Pick<SignedLog, 'rows' | 'note'>

function proofOf(shown: Shown, index: number): string {
  const { rows } = shown
  const collector = new RangeRoots(inclusionRanges(index, rows.length))
  for (const { leaf } of rows) collector.push(Buffer.from(leaf).toString('hex'))
  const record = rows[index]?.body
  return printProof({ record, index, hashes: collector.roots(), checkpoint: shown.note() })
}

const check = (text: string, keys: LogPin = pin) => checkProof(parseProof(text), keys)

/** Refuses also what would rest on the key of the log alone: to whoever changes a text, any epoch is as good. */
function checkWhole(text: string): void {
  if (!check(text).isEpochVerified) throw new CapFenceError('PROOF_INVALID', 'a later epoch')
}

const proof = proofOf(log, 13)

describe('a proof in a file', () => {
  test('proves every record of its log', () => {
    for (const { seq, body } of log.rows) {
      const { record, checkpoint, isEpochVerified } = check(proofOf(log, seq))
      expect(record).toMatchObject({ seq, body: Buffer.from(body) })
      expect(checkpoint.size).toBe(21)
      expect(isEpochVerified).toBe(true)
    }
  })

  test('of a log of two records has one hash', () => {
    const short = new SignedLog().open()
    expect(check(proofOf(short, 0)).record.type).toBe('log.open')
  })

  test('says that a later epoch does not follow from the pin alone', () => {
    const rotated = variedLog({ records: 30, rotations: [10, 20] })
    expect(check(proofOf(rotated, 3))).toMatchObject({ isEpochVerified: false })
  })

  test('looks as c2sp.org/tlog-proof has it', () => {
    const [first, extra, index, ...rest] = proof.split('\n')
    expect(first).toBe('c2sp.org/tlog-proof@v1')
    expect(Buffer.from(extra?.replace('extra ', '') ?? '', 'base64')).toEqual(log.rows[13]?.body)
    expect(index).toBe('index 13')
    expect(rest.indexOf('')).toBe(5)
    expect(rest.slice(6).join('\n')).toBe(log.note())
  })

  test('is refused when any character of it is another one', () => {
    for (let at = 0; at < proof.length; at += 1) {
      for (const other of ['A', '7']) {
        const changed = proof.slice(0, at) + other + proof.slice(at + 1)
        if (changed !== proof) expect(() => checkWhole(changed), `character ${at}`).toThrow(refused)
      }
    }
  })

  test('is refused when any character of it is missing or there twice', () => {
    for (let at = 0; at < proof.length; at += 1) {
      const less = proof.slice(0, at) + proof.slice(at + 1)
      const more = proof.slice(0, at + 1) + proof.slice(at)
      // Of two equal characters either may be the missing one: the texts are told apart by their length.
      expect(() => checkWhole(less), `without ${at}`).toThrow(refused)
      expect(() => checkWhole(more), `twice ${at}`).toThrow(refused)
    }
  })

  const [first = '', ...lines] = proof.split('\n')
  const [extra = '', index = '', ...rest] = lines
  const put = (...parts: readonly string[]): string => [first, ...parts].join('\n')
  test.each([
    ['nothing', ''],
    ['only its checkpoint', log.note()],
    ['another version', proof.replace('@v1', '@v2')],
    ['no record', put(index, ...rest)],
    ['two records', put(extra, extra, index, ...rest)],
    ['the index before the record', put(index, extra, ...rest)],
    ['no index', put(extra, ...rest)],
    ['a leading zero', put(extra, 'index 013', ...rest)],
    ['a negative index', put(extra, 'index -13', ...rest)],
    ['an index past 2^53', put(extra, 'index 9007199254740993', ...rest)],
    ['an index that is behind the log', put(extra, 'index 21', ...rest)],
    ['a hash of 31 bytes', put(extra, index, Buffer.alloc(31).toString('base64'), ...rest)],
    [
      '54 hashes',
      put(
        extra,
        index,
        ...Array<string>(54).fill(Buffer.alloc(32).toString('base64')),
        '',
        log.note(),
      ),
    ],
    ['carriage returns', proof.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${proof}`],
    ['something behind it', `${proof}\n`],
    [
      'url-safe base64',
      put(extra.replaceAll('+', '-').replaceAll('/', '_').replace('J', '_'), index, ...rest),
    ],
    ['more than its bound', put(`extra ${'A'.repeat(163_840)}`, index, ...rest)],
  ])('is refused with %s', (_, text) => {
    expect(() => check(text)).toThrow(refused)
  })

  const other = noteSigner(stable.name, signingKey(new Uint8Array(32).fill(9)))
  const otherEpoch = noteSigner(epoch(1).name, signingKey(new Uint8Array(32).fill(8)))
  test.each([
    ['another key of the log', pinOf(verifierOf(other), verifierOf(epoch(1)))],
    ['another key of the first epoch', pinOf(verifierOf(stable), verifierOf(otherEpoch))],
  ])('is refused by whoever pinned %s', (_, keys) => {
    expect(() => check(proof, keys)).toThrow(refused)
  })

  const checkpoint = parseCheckpoint(parseNote(log.note()).text)
  test.each([
    ['only the key of the log', [stable]],
    ['only the key of the epoch', [epoch(1)]],
    ['a forged first epoch', [stable, otherEpoch]],
    ['a forged first epoch beside a later one', [stable, otherEpoch, epoch(2)]],
  ])('is refused when %s signed its checkpoint', (_, signers) => {
    const text = proof.replace(log.note(), signCheckpoint(checkpoint, signers))
    expect(() => check(text)).toThrow(refused)
  })

  test('is refused for a record that calls itself another one, though it is in the tree', () => {
    const rows = log.rows
      .slice(0, 2)
      .toReversed()
      .map((row, seq) => ({ ...row, seq }))
    const leaves = rows.map(({ leaf }) => Buffer.from(leaf).toString('hex'))
    const root = rootOf(leaves.reduce<TreeHead>(appendLeaf, emptyTree))
    const head = signCheckpoint({ origin: logOfTests, size: 2, root }, [stable, epoch(1)])
    expect(() => check(proofOf({ rows, note: () => head }, 1))).toThrow(/calls itself 0/)
  })
})

describe('the pin of a log', () => {
  test.each([
    ['one key', printVerifierKey(pin.stable)],
    ['the keys in the other order', printPin(pin).trim().split('\n').toReversed().join('\n')],
    ['three keys', printPin(pin) + printVerifierKey(pin.genesis)],
    ['the key of a later epoch', printPin({ ...pin, genesis: verifierOf(epoch(2)) })],
  ])('is not %s', (_, text) => {
    expect(() => parsePin(text)).toThrow(notPin)
  })
})
