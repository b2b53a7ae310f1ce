import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PolicyState, RealPath } from '../../src/policy/state.ts'
import { call, policy } from './support.ts'

/** A state in which only the disk is known. */
const onDisk = (realPath: RealPath): PolicyState => ({
  nowMs: 0,
  usage: () => undefined,
  label: () => undefined,
  realPath,
})

/** A disk with links; everything else leads to itself, relative paths below `/home`. */
const links: Readonly<Record<string, string | undefined>> = {
  '/srv/leak': '/etc',
  '/srv/leak/x': '/etc/x',
  '/data': '/srv/data',
  '/data/a': '/srv/data/a',
  '/lost': undefined,
}
const disk: RealPath = (path) => {
  if (Object.hasOwn(links, path)) return links[path]
  return path.startsWith('/') ? path : path === '.' ? '/home' : `/home/${path}`
}

const value = (list: string, asked: string, path: unknown): string | undefined =>
  policy(`${list}: [{capability: x, ${asked}}]`).explain(
    call({ arguments: JSON.stringify({ path }) }),
    onDisk(disk),
  )[0]?.value

describe('where paths really lead is known', () => {
  test.each<[asked: string, path: unknown, guard: string, grant: string]>([
    ['under: /srv', '/srv/a', 'true', 'true'],
    ['under: /srv', '/srv/leak/x', 'true', 'false'],
    ['under: /etc', '/srv/leak/x', 'true', 'indeterminate'],
    ['under: /srv', '/data/a', 'true', 'indeterminate'],
    ['under: /data', '/data/a', 'true', 'true'],
    ['under: /data', '/srv/data/a', 'true', 'indeterminate'],
    ['under: /srv', '/lost', 'indeterminate', 'false'],
    ['under: /lost', '/srv/a', 'indeterminate', 'false'],
    ['under: [/lost, /srv]', '/srv/a', 'true', 'true'],
    ['under: /', '/lost', 'true', 'indeterminate'],
    ['under: /srv', '/srv/a/../b', 'true', 'indeterminate'],
    ['under: /srv', '/srv/%61', 'true', 'indeterminate'],
    ['under: .', 'a/b', 'true', 'true'],
    ['under: /home', 'a/b', 'true', 'indeterminate'],
    ['not_under: /srv', '/srv/leak/x', 'true', 'false'],
    ['not_under: /etc', '/srv/leak/x', 'indeterminate', 'false'],
    ['not_under: /etc', '/srv/a', 'true', 'true'],
    ['not_under: /etc', '/lost', 'true', 'indeterminate'],
    ['not_under: /srv', '/data/a', 'indeterminate', 'false'],
    ['under: /srv', 5, 'indeterminate', 'indeterminate'],
  ])('%s of %s', (asked, path, guard, grant) => {
    const said = ['deny', 'allow'].map((list) => value(list, `args: {/path: {${asked}}}`, path))
    expect(said).toEqual([guard, grant])
    const prefix = /^under: (?<folders>.*)$/.exec(asked)?.groups?.['folders']
    if (prefix === undefined || typeof path !== 'string') return
    const unaimed = ['deny', 'allow'].map((list) => value(list, `path_prefix: ${prefix}`, path))
    expect(unaimed).toEqual([guard, grant])
  })

  test('each path is asked for as it is compared, and the folders of the rule as well', () => {
    const asked: string[] = []
    const state = onDisk((path) => {
      asked.push(path)
      return path
    })
    policy('allow: [{capability: x, args: {/path: {under: /srv/}}}]').explain(
      call({ arguments: '{"path": "/srv//./a/"}' }),
      state,
    )
    expect([...new Set(asked)]).toEqual(['/srv/a', '/srv'])
  })

  test.each(['relative', '', 'C:\\x'])('what is no absolute path is no answer: %j', (real) => {
    const event = call({ arguments: '{"path": "/srv/a"}' })
    const grant = policy('allow: [{capability: x, args: {/path: {under: /srv}}}]')
    expect(
      grant.explain(
        event,
        onDisk(() => real),
      )[0]?.value,
    ).toBe('indeterminate')
  })
})

test('whatever a disk says, nothing is allowed for it, and nothing that a rule denies is not', () => {
  const folder = fc.constantFrom('/srv', '/srv/a', '/etc', '/data', '.', './ws', '/')
  const path = fc.constantFrom(
    ...['/srv', '/srv/a/b', '/srv/leak/x', '/srv/a/../x', '/etc/x', '/data/a', 'ws/x', '../x', '~'],
    ...['/srv/%2e%2e/x', '/SRV/a', ''],
  )
  const asked = fc.oneof(
    folder.map((under) => ({ args: { '/path': { under } } })),
    folder.map((one) => ({ args: { '/path': { not_under: one } } })),
    folder.map((one) => ({ path_prefix: one })),
    folder.map((under) => ({ not: { args: { '/path': { under } } } })),
    fc.tuple(folder, folder).map(([one, other]) => ({
      any: [{ args: { '/path': { under: one } } }, { path_prefix: other }],
    })),
  )
  const rules = fc.array(asked, { maxLength: 2 })
  const real = fc.dictionary(
    fc.constantFrom(
      '/srv',
      '/srv/a',
      '/srv/a/b',
      '/srv/leak/x',
      '/etc',
      '/etc/x',
      '/data',
      '.',
      'ws',
      'ws/x',
    ),
    fc.constantFrom(undefined, '/', '/srv', '/srv/a/b', '/etc/x', '/home/ws/x'),
  )
  let stricter = 0
  fc.assert(
    fc.property(rules, rules, rules, path, real, (deny, held, allow, one, leads) => {
      const list = (conditions: readonly object[]): string =>
        JSON.stringify(conditions.map((condition) => ({ capability: 'x', ...condition })))
      const text = `deny: ${list(deny)}\nrequire_approval: ${list(held)}\nallow: ${list(allow)}\nrisk_levels: {low: {action: require_approval}}`
      const governing = policy(text)
      const event = call({ arguments: JSON.stringify({ path: one }), risk: 'medium' })
      const written = governing.decide(event)
      const state = onDisk((asking) =>
        Object.hasOwn(leads, asking) ? leads[asking] : '/elsewhere',
      )
      const really = governing.decide(event, state)
      if (really.decision === 'allow') expect(written.decision).toBe('allow')
      // What no rule is about may be held now, and still no rule allows it.
      if (written.decision === 'deny' && written.reason !== 'default') {
        expect(really.decision).toBe('deny')
      }
      if (really.decision !== written.decision) stricter += 1
    }),
    { numRuns: 1500, seed: 20 },
  )
  expect(stricter).toBeGreaterThan(100)
})
