import { describe, expect, test } from 'vitest'
import {
  approverListFingerprint,
  changeApproverList,
  changePasskeys,
  noApprovers,
  parseApproverList,
  printApproverList,
} from '../../src/approval/approver-list.ts'
import type { ApproverList, ListChange } from '../../src/approval/approver-list.ts'
import { signEnvelope } from '../../src/approval/envelope.ts'
import { signingKey } from '../../src/crypto/ed25519.ts'
import type { SigningKey } from '../../src/crypto/ed25519.ts'
import { TestAuthenticator } from './a-passkey.ts'

const keyOf = (seed: number): SigningKey => signingKey(new Uint8Array(32).fill(seed))
const [alice, bob, carol, mallory] = [keyOf(1), keyOf(2), keyOf(3), keyOf(9)]

function changed(
  list: ApproverList,
  change: ListChange['change'],
  name: string,
  key: SigningKey,
  signer: SigningKey,
): ApproverList {
  return changeApproverList(list, { change, name, publicKey: key.publicKey, signer })
}

const one = changed(noApprovers, 'add', 'alice', alice, alice)
const two = changed(one, 'add', 'bob', bob, alice)
const left = changed(two, 'remove', 'alice', alice, bob)

const names = (text: string): readonly string[] =>
  parseApproverList(text).approvers.map(({ name }) => name)

describe('a list of approvers', () => {
  test('is read as it was written', () => {
    expect(names(printApproverList(one))).toEqual(['alice'])
    expect(names(printApproverList(two))).toEqual(['alice', 'bob'])
    expect(names(printApproverList(left))).toEqual(['bob'])
    expect(names(printApproverList(changed(left, 'add', 'carol', carol, bob)))).toEqual([
      'bob',
      'carol',
    ])
  })

  test('has another fingerprint after every change', () => {
    const prints = [one, two, left].map((list) => approverListFingerprint(printApproverList(list)))
    expect(new Set(prints).size).toBe(3)
  })

  test.each<[string, () => unknown]>([
    ['nobody signed for', () => changed(one, 'add', 'mallory', mallory, mallory)],
    ['one signed who was taken off', () => changed(left, 'add', 'mallory', mallory, alice)],
    ['a name comes back', () => changed(left, 'add', 'alice', carol, bob)],
    ['a key comes back under another name', () => changed(left, 'add', 'alicia', alice, bob)],
    ['a key has two names', () => changed(two, 'add', 'robert', bob, alice)],
    ['the last is taken off', () => changed(one, 'remove', 'alice', alice, alice)],
    ['somebody is taken off who is not on it', () => changed(two, 'remove', 'carol', carol, alice)],
    ['the key taken off is not the name’s', () => changed(two, 'remove', 'bob', alice, alice)],
    ['the first is signed by another', () => changed(noApprovers, 'add', 'alice', alice, bob)],
    ['the name would not show', () => changed(one, 'add', 'b\u200Bob', bob, alice)],
  ])('is not extended when %s', (_, change) => {
    expect(change).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }) as Error)
  })

  const edited = (edit: (entries: string[]) => string[], list = left): string =>
    printApproverList({ ...list, entries: edit([...list.entries]) })

  test.each<[string, string]>([
    ['nothing', ''],
    ['another format', printApproverList(one).replace('v1', 'v2')],
    ['an entry taken out of the middle', edited(([first = '', , third = '']) => [first, third])],
    ['the first taken out', edited(([, ...rest]) => rest)],
    [
      'two in another order',
      edited(([first = '', second = '', third = '']) => [first, third, second]),
    ],
    ['an entry twice', edited(([first = '', second = '']) => [first, second, second])],
    [
      'an entry of another kind, by the right key',
      edited(([first = '']) => [
        first,
        signEnvelope('application/vnd.capfence.approval-answer+json', '{}', alice),
      ]),
    ],
    ['a member more', printApproverList(one).replace('"entries"', '"x": 1,\n  "entries"')],
    ['entries that are no texts', '{"format":"capfence-approvers-v1","entries":[1]}'],
    [
      'more entries than a list may have',
      edited(([first = '']) => new Array<string>(257).fill(first)),
    ],
  ])('%s is none', (_, text) => {
    expect(() => parseApproverList(text)).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }) as Error,
    )
  })

  test('without its newest change is a list again: only the fingerprint tells', () => {
    const text = edited(([first = '', second = '']) => [first, second])
    expect(names(text)).toEqual(['alice', 'bob'])
    expect(approverListFingerprint(text)).not.toBe(approverListFingerprint(printApproverList(left)))
  })
})

const [laptop, token] = [new TestAuthenticator(), new TestAuthenticator('EdDSA', 'dG9rZW4')]

function passkeyed(
  list: ApproverList,
  change: ListChange['change'],
  name: string,
  { passkey, spki }: Pick<TestAuthenticator, 'passkey' | 'spki'>,
  signer: SigningKey,
): ApproverList {
  return changePasskeys(list, { change, name, passkey, publicKey: spki, signer })
}

const withLaptop = passkeyed(two, 'add', 'alice', laptop, alice)
const passkeysOf = (list: ApproverList): readonly (readonly string[])[] =>
  parseApproverList(printApproverList(list)).approvers.map(({ passkeys }) =>
    passkeys.map(({ keyId, credential, origin }) => `${keyId} ${credential} ${origin}`),
  )

describe('the passkeys of an approver', () => {
  const { keyId, credential, origin } = laptop.passkey

  test('are read as they were written', () => {
    expect(passkeysOf(withLaptop)).toEqual([[`${keyId} ${credential} ${origin}`], []])
    const both = passkeyed(withLaptop, 'add', 'alice', token, alice)
    expect(passkeysOf(both).map(({ length }) => length)).toEqual([2, 0])
  })

  test('are taken away by any approver, and go with theirs', () => {
    expect(passkeysOf(passkeyed(withLaptop, 'remove', 'alice', laptop, bob))).toEqual([[], []])
    expect(passkeysOf(changed(withLaptop, 'remove', 'alice', alice, bob))).toEqual([[]])
  })

  const gone = passkeyed(withLaptop, 'remove', 'alice', laptop, alice)
  const noKey = { passkey: laptop.passkey, spki: new Uint8Array(91) }
  const elsewhere = {
    passkey: { ...token.passkey, origin: 'https://example.com' },
    spki: token.spki,
  }

  test.each<[string, () => unknown]>([
    // Whoever could would approve in two names, and a quorum would be worth nothing.
    ['another approver adds one in her name', () => passkeyed(two, 'add', 'alice', laptop, bob)],
    ['nobody signed for it', () => passkeyed(two, 'add', 'alice', laptop, mallory)],
    ['it is of nobody on the list', () => passkeyed(two, 'add', 'carol', laptop, alice)],
    ['it comes back', () => passkeyed(gone, 'add', 'alice', laptop, alice)],
    ['it has two owners', () => passkeyed(withLaptop, 'add', 'bob', laptop, bob)],
    ['one is taken away that is not there', () => passkeyed(two, 'remove', 'alice', laptop, bob)],
    ['it is another’s', () => passkeyed(withLaptop, 'remove', 'bob', laptop, bob)],
    ['its key is none', () => passkeyed(two, 'add', 'alice', noKey, alice)],
    ['its page is not on this machine', () => passkeyed(two, 'add', 'alice', elsewhere, alice)],
    ['it would be the first', () => passkeyed(noApprovers, 'add', 'alice', laptop, alice)],
  ])('are not changed when %s', (_, change) => {
    expect(change).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }) as Error)
  })
})
