import { describe, expect, test } from 'vitest'
import { complaint } from '../../lint/imports.js'
import { placeOfFile } from '../../lint/places.js'
import { keptModules, rooms } from '../../lint/table.js'
import { lint } from '../support/lint.ts'
import { root } from '../support/root.ts'
import { allowedImports } from './allowed-imports.ts'
import { refusedImports } from './refused-imports.ts'

const planted = [...refusedImports, ...allowedImports]
const complaints = lint(Object.fromEntries(planted.map(({ path, code }) => [path, `${code}\n`])))

/** What the rules about rooms said about a planted file. */
const about = (path: string): readonly string[] | undefined =>
  complaints
    .get(path)
    ?.filter(({ rule }) => rule.startsWith('capfence'))
    .map(({ message }) => message)

describe('the linter refuses', () => {
  test.each(refusedImports)('$name', ({ path, says }) => {
    expect(about(path)).toEqual([expect.stringMatching(says ?? /./)])
  })
})

describe('the linter allows', () => {
  test.each(allowedImports)('$name', ({ path }) => {
    expect(about(path)).toEqual([])
  })
})

/** The table of the design, once more and independently: each pair is judged on its own. */
const arrows: Readonly<Record<string, string>> = {
  json: '',
  crypto: '',
  transport: '',
  event: 'json',
  policy: 'json event',
  approval: 'json crypto event policy',
  audit: 'json crypto event',
  runtime: 'event policy approval audit',
  storage: 'json crypto audit approval runtime anchor',
  anchor: 'crypto audit',
  mcp: 'json crypto transport event',
  proxy: 'transport mcp event runtime approval',
  auth: 'crypto',
  config: 'json event policy',
  replay: 'json crypto event policy approval runtime audit',
  clients: 'config',
  scan: 'config clients',
  probe: 'json transport',
  adapters: 'json event runtime proxy',
  dashboard: 'json crypto event policy runtime approval audit storage replay',
  telemetry: 'event',
  cli: Object.keys(rooms).join(' '),
}

describe('every pair of rooms', () => {
  test('there are 22 rooms', () => {
    expect(Object.keys(rooms)).toEqual(Object.keys(arrows))
    expect(Object.keys(rooms)).toHaveLength(22)
  })

  test.each(Object.keys(arrows))('%s imports what the design says and nothing else', (from) => {
    const place = placeOfFile(`${root}/src/${from}/x.ts`)
    if (place === undefined) throw new Error(`${from} is not under src`)
    const entered = Object.keys(arrows).filter((to) => {
      // Of a room that is pure in part, the pure rooms see that part.
      const pure = rooms[to]?.pure ?? []
      const file = pure === 'all' ? 'y' : (pure[0] ?? 'y')
      return to !== from && complaint(place, `../${to}/${file}.ts`) === undefined
    })
    const expected = new Set(arrows[from]?.split(' ').filter((to) => to !== '' && to !== from))
    expect(new Set(entered)).toEqual(expected)
  })

  test('the arrows have no circle', () => {
    const reaches = (from: string, seen: readonly string[]): void => {
      if (seen.includes(from)) throw new Error(`a circle: ${[...seen, from].join(' -> ')}`)
      const imports = rooms[from]?.imports ?? []
      if (imports !== 'any') for (const to of imports) reaches(to, [...seen, from])
    }
    for (const room of Object.keys(rooms)) reaches(room, [])
  })

  test('rooms that hold a Node module exist', () => {
    for (const keepers of Object.values(keptModules)) {
      for (const room of keepers) expect(Object.keys(rooms)).toContain(room)
    }
  })
})
