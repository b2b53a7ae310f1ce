import { expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { AskedState } from '../../src/runtime/decide-state.ts'
import type { StoreView } from '../../src/runtime/store.ts'

const view: StoreView = {
  nowMs: 5,
  nextSeq: 0,
  log: '',
  grants: () => [],
  grant: () => undefined,
  approvals: () => [],
  approval: () => undefined,
  lapsedApprovals: () => [],
  kept: () => undefined,
  charges: (pot) => (pot === 'too many' ? undefined : []),
  label: () => ({ held: true, proven: true }),
  recorded: {
    toolDefinition: () => undefined,
    listedTools: () => [],
    configuration: () => undefined,
  },
}
const newState = (): AskedState =>
  new AskedState(view, { subject: 's', digestKey: () => new Uint8Array(32) })

test('after so many questions nothing more is known, but what was asked before is', () => {
  const state = newState()
  for (let at = 1; at < limits.maxStateQuestions; at += 1) state.usage(`pot ${at}`, 0)
  expect(state.label('last', undefined)).toEqual({ held: true, proven: true })
  expect(state.usage('pot 0', 0)).toBeUndefined()
  expect(state.label('one more', undefined)).toBeUndefined()
  expect(state.usage('pot 1', 0)?.used.text).toBe('0')
  expect(state.label('last', undefined)).toEqual({ held: true, proven: true })
})

test('after its transaction nothing more is known, nor what the store does not add up', () => {
  const state = newState()
  expect(state.usage('too many', 0)).toBeUndefined()
  state.end()
  expect(state.usage('p', 0)).toBeUndefined()
  expect(state.label('x', undefined)).toBeUndefined()
})
