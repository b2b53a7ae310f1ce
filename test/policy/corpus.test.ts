import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import { CapFenceError } from '../../src/errors.ts'
import { loadPolicy } from '../../src/policy/load.ts'
import { parsersReady, postgresParser } from '../../src/policy/parsers.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { PolicyError } from '../../src/policy/problem.ts'
import { requireSharedOrSkip, sharedPath } from '../support/needs.ts'

interface PolicyCase {
  readonly id: string
  readonly title: string
  readonly policy: string
  readonly files?: Readonly<Record<string, string>>
  readonly event: Readonly<Record<string, unknown>>
  readonly expected: string
  readonly accept?: readonly string[]
}

const skip = requireSharedOrSkip('corpora/policy_cases.json')
const cases = skip
  ? []
  : (
      JSON.parse(readFileSync(sharedPath('corpora/policy_cases.json'), 'utf8')) as {
        cases: PolicyCase[]
      }
    ).cases

function load({ policy, files = {} }: PolicyCase): Policy {
  return loadPolicy([{ path: 'p.yaml', text: policy }], (path) => {
    const text = files[path]
    return text === undefined ? { fault: 'does not exist' } : { path, text }
  })
}

/** What the product says: a decision, or why there is none. */
function answer(one: PolicyCase): string {
  const { event } = one
  try {
    return load(one).decide(ActionEvent.create(event as never)).decision
  } catch (error) {
    if (error instanceof PolicyError) return 'policy_error'
    if (error instanceof CapFenceError && error.code === 'EVENT_INVALID') return 'deny'
    throw error
  }
}

/**
 * Cases that wait for a part of the language, under the words by which the loader refuses it.
 *
 * Whoever adds the part removes its line here: a case that waits for nothing fails, and so does one that waits unlisted.
 */
const waiting: Readonly<Record<string, readonly string[]>> = {}

/** The keys that the loader knows and refuses in a policy. */
function refusedKeys(one: PolicyCase): readonly string[] {
  try {
    load(one)
    return []
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const refused = error.problems.filter(({ code }) => code === 'policy-unsupported')
    return refused.map(({ message }) => message.split('`')[1] ?? '')
  }
}

beforeAll(async () => {
  postgresParser()
  await parsersReady()
})

describe.skipIf(skip)('policy cases that nobody here wrote', () => {
  test('there are cases', () => {
    expect(cases.length).toBeGreaterThan(50)
  })

  test('exactly the listed cases wait for a part of the language, each for the part it is listed under', () => {
    const listed = Object.entries(waiting).flatMap(([key, ids]) => ids.map((id) => `${id} ${key}`))
    const refused = cases.flatMap((one) => refusedKeys(one).map((key) => `${one.id} ${key}`))
    expect([...new Set(refused)].toSorted()).toEqual(listed.toSorted())
  })

  test.each(cases.map((one) => [one.id, one.title, one] as const))('%s %s', (_id, _title, one) => {
    if (refusedKeys(one).length > 0) return
    expect([one.expected, ...(one.accept ?? [])]).toContain(answer(one))
  })
})
