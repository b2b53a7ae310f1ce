import { describe, expect, test } from 'vitest'
import { checkDisclosures, sealedMembers } from '../../src/audit/disclosed.ts'
import { recordShapes } from '../../src/audit/shapes.ts'
import { disclosureOf } from './signed-log.ts'

const [one, two] = [disclosureOf('a', 'x'), disclosureOf('b', 'ü')].toSorted((left, right) =>
  left.digest < right.digest ? -1 : 1,
)
if (one === undefined || two === undefined) throw new Error('there are two')

const sealed = (withheld: readonly number[]): { args: object } => ({
  args: { _sd: [one.digest, two.digest], mode: 'args', withheld },
})
const check = (withheld: readonly number[], ...encoded: readonly string[]): unknown =>
  checkDisclosures(
    sealed(withheld) as unknown as Parameters<typeof checkDisclosures>[0],
    encoded.map((text) => `${text}~`).join(''),
  )

test('every member of a record that can list digests is looked at', () => {
  const empty = { _sd: [], mode: 'none', withheld: [] }
  const members = Object.values(recordShapes).flatMap(({ byName }) =>
    [...byName].flatMap(([name, field]) => (field.holds(empty) ? [name] : [])),
  )
  expect([...new Set(members)].toSorted()).toEqual(sealedMembers.toSorted())
})

describe('what is stored beside a record', () => {
  test('is what it lists, in any order; what is missing is named', () => {
    expect(check([], one.encoded, two.encoded)).toEqual({ missing: [] })
    expect(check([], two.encoded, one.encoded)).toEqual({ missing: [] })
    expect(check([], two.encoded)).toEqual({ missing: [one.digest] })
    expect(check([])).toEqual({ missing: [one.digest, two.digest] })
    expect(checkDisclosures({}, '')).toEqual({ missing: [] })
  })

  test('is nothing that was withheld from the start', () => {
    expect(check([0], two.encoded)).toEqual({ missing: [] })
    expect(check([0, 1])).toEqual({ missing: [] })
    expect(check([0], one.encoded, two.encoded)).toHaveProperty('reason')
    expect(check([0], one.encoded)).toHaveProperty('reason')
  })

  test.each([
    ['one of them twice', [one.encoded, one.encoded]],
    ['one more', [one.encoded, two.encoded, disclosureOf('c', 'x').encoded]],
    ['an empty one', [one.encoded, '', two.encoded]],
    ['another spelling of one', [`${one.encoded}=`, two.encoded]],
  ])('is refused as %s', (_name, encoded) => {
    expect(check([], ...encoded)).toHaveProperty('reason')
  })

  test('is refused where `withheld` names what is not listed', () => {
    expect(check([2], one.encoded, two.encoded)).toHaveProperty('reason')
  })

  test('is refused where it was cut off, or belongs to nothing', () => {
    const { args } = sealed([])
    const data = { args } as unknown as Parameters<typeof checkDisclosures>[0]
    expect(checkDisclosures(data, `${one.encoded}~${two.encoded}`)).toHaveProperty('reason')
    expect(checkDisclosures({}, `${one.encoded}~`)).toHaveProperty('reason')
  })
})
