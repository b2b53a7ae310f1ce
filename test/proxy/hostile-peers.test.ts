import fc from 'fast-check'
import { test } from 'vitest'
import { harness, initialize, reply, request } from './harness.ts'
import { Story } from './story.ts'
import type { Step } from './story.ts'

/**
 * Clients and servers that do anything at all, in any order, and what must hold all the same.
 *
 * A story is a list of steps. Each step looks at what there is (calls that wait, requests that arrived) and does
 * something to it, sound or not. At the end everything that still waits is decided and answered, and the books must
 * balance.
 */
const runs = Number(process.env['CAPFENCE_FUZZ_RUNS'] ?? 150)
const seeded = process.env['CAPFENCE_FUZZ_RUNS'] === undefined ? { seed: 2 } : {}

const small = fc.nat({ max: 5 })
const server = fc.nat({ max: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('call'), id: small, server, text: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('cancel'), id: small, text: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('ask'),
      id: small,
      method: fc.constantFrom(
        'tools/list',
        'resources/list',
        'ping',
        'no/such',
        'prompts/get',
        'logging/setLevel',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('broken'),
      at: fc.nat({ max: 120 }),
      byte: fc.nat({ max: 255 }),
      cut: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('decide'), index: small, allow: fc.boolean() }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('reply'),
      server,
      index: small,
      how: fc.nat({ max: 9 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('stray'),
      server,
      how: fc.nat({ max: 13 }),
      id: small,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('question'), server, id: small }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('answer'), index: small, wrong: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('exit'), server }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait') }) },
)

async function begin(names: readonly string[]): Promise<Story> {
  const all = harness(names)
  const servers = Object.values(all.servers)
  const tool = { name: 'work', inputSchema: { type: 'object' } }
  for (const one of servers) {
    one.auto = ({ id, method }) => {
      if (method === 'initialize') {
        return reply(id, {
          protocolVersion: '2025-11-25',
          capabilities: { tools: { listChanged: true } },
        })
      }
      return method === 'tools/list' && id !== undefined ? reply(id, { tools: [tool] }) : undefined
    }
  }
  all.send(request('initialize', initialize, 'init'))
  await all.settle()
  all.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  all.send(request('tools/list', {}, 'list'))
  await all.settle()
  const story = new Story(all, servers)
  story.asked.set('"init"', 1)
  story.asked.set('"list"', 1)
  return story
}

test.each([
  ['one server', ['solo']],
  ['two servers', ['a', 'b']],
])('whatever client and server do, with %s, the books balance', async (_, names) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const story = await begin(names)
      for (const one of steps) {
        // oxlint-disable-next-line no-await-in-loop -- the steps are a story
        await story.take(one)
      }
      await story.finish()
      story.check()
    }),
    { numRuns: runs, ...seeded },
  )
})
