import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Outbox } from '../../src/mcp/outbox.ts'

test('B29: whatever order decisions come in, messages leave in the order in which they arrived', () => {
  const step = fc.constantFrom('push', 'held', 'dropped')
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (steps, random) => {
      const outbox = new Outbox()
      const sent: number[] = []
      const expected: number[] = []
      const open: (() => void)[] = []
      steps.forEach((kind, index) => {
        if (kind !== 'dropped') expected.push(index)
        if (kind === 'push') return outbox.push(() => sent.push(index))
        const ticket = outbox.reserve()
        open.push(() => {
          if (kind === 'dropped') ticket.release()
          else ticket.fill(() => sent.push(index))
        })
      })
      while (open.length > 0) {
        const [settle] = open.splice((random.next().value ?? 0) % open.length, 1)
        settle?.()
      }
      expect(sent).toEqual(expected)
    }),
  )
})

test('nothing behind an undecided message is sent', () => {
  const outbox = new Outbox()
  const sent: string[] = []
  const ticket = outbox.reserve()
  outbox.push(() => sent.push('after'))
  expect(sent).toEqual([])
  ticket.fill(() => sent.push('first'))
  expect(sent).toEqual(['first', 'after'])
})

test('it is idle only when nothing waits', async () => {
  const outbox = new Outbox()
  await outbox.idle()
  const ticket = outbox.reserve()
  let isIdle = false
  const watch = async (): Promise<void> => {
    await outbox.idle()
    isIdle = true
  }
  const watching = watch()
  await Promise.resolve()
  expect(isIdle).toBe(false)
  ticket.release()
  await watching
  expect(isIdle).toBe(true)
})
