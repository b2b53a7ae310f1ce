import { expect, test } from 'vitest'
import { PageTrail } from '../../src/mcp/page-trail.ts'

type Page = readonly [cursor: unknown, next: string | undefined]

test.each<[string, readonly Page[], boolean]>([
  ['a list of one page', [[undefined, undefined]], true],
  ['a page that others follow', [[undefined, 'a']], false],
  [
    'all pages in a row',
    [
      [undefined, 'a'],
      ['a', ''],
      ['', undefined],
    ],
    true,
  ],
  ['a last page alone', [['a', undefined]], false],
  [
    'a page left out',
    [
      [undefined, 'a'],
      ['b', undefined],
    ],
    false,
  ],
  [
    'a page left out before another',
    [
      [undefined, 'a'],
      ['b', 'a'],
      ['a', undefined],
    ],
    false,
  ],
  [
    'a page read twice',
    [
      [undefined, 'a'],
      ['a', 'b'],
      ['a', 'b'],
      ['b', undefined],
    ],
    false,
  ],
  [
    'a new beginning',
    [
      [undefined, 'a'],
      ['x', 'y'],
      [undefined, 'a'],
      ['a', undefined],
    ],
    true,
  ],
  [
    'the last page once more',
    [
      [undefined, 'a'],
      ['a', undefined],
      ['a', undefined],
    ],
    false,
  ],
  [
    'a cursor that is no text',
    [
      [undefined, '1'],
      [1, undefined],
    ],
    false,
  ],
])('%s: whether the whole list has been read', (_, pages, isWhole) => {
  const trail = new PageTrail()
  const answers = pages.map(([cursor, next]) => trail.follow('fs', cursor, next))
  expect(answers.at(-1)).toBe(isWhole)
})

test('servers are apart', () => {
  const trail = new PageTrail()
  trail.follow('fs', undefined, 'a')
  expect(trail.follow('git', 'a', undefined)).toBe(false)
  expect(trail.follow('fs', 'a', undefined)).toBe(true)
})
