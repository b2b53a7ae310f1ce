import { expect } from 'vitest'
import { Bindings } from '../../../src/event/binding.ts'
import { loadPolicy } from '../../../src/policy/load.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import { starterOf } from '../../../src/policy/starter/starter.ts'
import type { Starter, StarterOptions } from '../../../src/policy/starter/starter.ts'
import { eventOf, runCase } from '../../../src/policy/tests/run-case.ts'
import type { CaseResult } from '../../../src/policy/tests/run-case.ts'
import type { TestCase } from '../../../src/policy/tests/test-case.ts'
import { readTestFile } from '../../../src/policy/tests/test-file.ts'

const usual = {
  server: 'srv',
  roots: ['/workspace'],
  bindings: new Bindings(),
  actor: 'agent',
  environment: 'live',
  config: undefined,
}

export const starter = (
  items: readonly unknown[],
  options: Partial<StarterOptions> = {},
): Starter => starterOf({ ...usual, ...options, items })

/** What its own tests say about a starter, when they are read and run again. */
export function results(
  { policy, tests }: Starter,
  options: Partial<StarterOptions> = {},
): { readonly loaded: Policy; readonly cases: readonly CaseResult[] } {
  const loaded = loadPolicy([{ path: 'p.yaml', text: policy }])
  const { cases, problems } = readTestFile({ path: 'p.test.yaml', text: tests })
  expect(problems).toEqual([])
  const { bindings, actor, environment } = { ...usual, ...options }
  const run = (one: TestCase): CaseResult =>
    runCase(loaded, one, eventOf(one, { bindings, actor, environment }))
  return { loaded, cases: cases.map(run) }
}

export const tool = (
  name: string,
  properties: Readonly<Record<string, unknown>> = {},
  rest: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> => ({
  name,
  description: 'of no matter',
  inputSchema: { type: 'object', properties, required: Object.keys(properties) },
  ...rest,
})
