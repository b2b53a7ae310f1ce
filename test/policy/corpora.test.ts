import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ActionEvent } from '../../src/event/action-event.ts'
import { CapFenceError } from '../../src/errors.ts'
import { loadPolicy } from '../../src/policy/load.ts'
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

/** What the product says: a decision, or why there is none. */
function answer({ policy, event }: PolicyCase): string {
  try {
    const loaded = loadPolicy([{ path: 'p.yaml', text: policy }])
    return loaded.decide(ActionEvent.create(event as never)).decision
  } catch (error) {
    if (error instanceof PolicyError) {
      const unsupported = error.problems.every(({ code }) => code === 'policy-unsupported')
      return unsupported ? 'unsupported' : 'policy_error'
    }
    if (error instanceof CapFenceError && error.code === 'EVENT_INVALID') return 'deny'
    throw error
  }
}

describe.skipIf(skip)('policy cases that nobody here wrote', () => {
  test('there are cases, and the core language covers some of them', () => {
    expect(cases.filter((one) => answer(one) !== 'unsupported').length).toBeGreaterThan(20)
  })

  test.each(cases.map((one) => [one.id, one.title, one] as const))('%s %s', (_id, _title, one) => {
    const got = answer(one)
    if (got === 'unsupported') return
    expect([one.expected, ...(one.accept ?? [])]).toContain(got)
  })
})
