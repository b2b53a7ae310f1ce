import { describe, expect, test } from 'vitest'
import { RestartPolicy } from '../../src/transport/restart.ts'

function policyAt(clock: { now: number }): RestartPolicy {
  return new RestartPolicy({
    now: () => clock.now,
    firstPauseMs: 500,
    maxPauseMs: 4000,
    healthyMs: 10_000,
  })
}

/** The server is started as soon as it may be, runs for a time, and ends. */
function runFor(ms: number, policy: RestartPolicy, clock: { now: number }): number {
  clock.now += policy.waitMs()
  policy.started()
  clock.now += ms
  policy.ended()
  return policy.waitMs()
}

describe('when a server that ended may be started again', () => {
  test('one that never ran is started at once', () => {
    expect(policyAt({ now: 0 }).waitMs()).toBe(0)
  })

  test('the first restart is at once, then pauses double up to the longest', () => {
    const clock = { now: 1000 }
    const policy = policyAt(clock)
    const waits = Array.from({ length: 7 }, () => runFor(10, policy, clock))
    expect(waits).toEqual([0, 500, 1000, 2000, 4000, 4000, 4000])
    expect(policy.endsInRow).toBe(7)
  })

  test('after a thousand ends the pause is still the longest one, not infinity', () => {
    const clock = { now: 0 }
    const policy = policyAt(clock)
    for (let end = 0; end < 2000; end += 1) runFor(0, policy, clock)
    expect(policy.waitMs()).toBe(4000)
  })

  test('a server that was healthy starts anew', () => {
    const clock = { now: 0 }
    const policy = policyAt(clock)
    for (let end = 0; end < 4; end += 1) runFor(10, policy, clock)
    expect(runFor(10_000, policy, clock)).toBe(0)
    expect(runFor(10, policy, clock)).toBe(500)
  })

  test('almost healthy is not healthy', () => {
    const clock = { now: 0 }
    const policy = policyAt(clock)
    runFor(9999, policy, clock)
    expect(runFor(9999, policy, clock)).toBe(500)
  })

  test('the pause runs down with the clock', () => {
    const clock = { now: 0 }
    const policy = policyAt(clock)
    runFor(0, policy, clock)
    runFor(0, policy, clock)
    clock.now += 200
    expect(policy.waitMs()).toBe(300)
    clock.now += 1000
    expect(policy.waitMs()).toBe(0)
  })

  test('an end without a start, a server that could not be started, counts', () => {
    const clock = { now: 0 }
    const policy = policyAt(clock)
    const waits = [0, 0, 0].map(() => {
      policy.ended()
      return policy.waitMs()
    })
    expect(waits).toEqual([0, 500, 1000])
  })

  test('a clock that jumps back does not lock a server out for longer than the longest pause', () => {
    const clock = { now: 1_000_000 }
    const policy = policyAt(clock)
    runFor(0, policy, clock)
    runFor(0, policy, clock)
    clock.now = 0
    expect(policy.waitMs()).toBeLessThanOrEqual(4000)
  })
})
