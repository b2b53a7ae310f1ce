import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { NameRoles } from '../../src/policy/argument-name.ts'
import { walkArguments } from '../../src/policy/argument-walk.ts'
import type { JsonObject } from '../../src/json/value.ts'
import { decide, json } from './support.ts'

const over = 'deny: [{capability: x, amount_gt: 1000}]\nallow: [x]'
const upTo = 'allow: [{capability: x, amount_lte: 1000}]'

describe('B21: an amount', () => {
  test.each([
    ['plain', '1000', true],
    ['with a fraction', '999.99', true],
    ['zeros behind', '1000.00', true],
    ['with an exponent', '1e3', true],
    ['zero', '0', true],
    ['minus zero', '-0', true],
    ['negative', '-5', true],
    ['as text', '"1000"', true],
    ['as text with a fraction', '"0.5"', true],
    ['a little more', '1000.00000000000000001', false],
    ['a little more as text', '"1000.00000000000000001"', false],
    ['more than a double holds', '9007199254740993', false],
    ['beyond every double', '1e400', false],
    ['beyond every double, negative', '-1e400', false],
    ['text with an exponent', '"1e2"', false],
    ['text with separators', '"1,000"', false],
    ['text with underscores', '"1_000"', false],
    ['text with a plus', '"+5"', false],
    ['text with a leading zero', '"010"', false],
    ['text with spaces', '" 5 "', false],
    ['text with a unit', '"5 USD"', false],
    ['text with a currency sign', '"$5"', false],
    ['hexadecimal text', '"0x10"', false],
    ['full-width digits', '"５"', false],
    ['Arabic digits', '"٥"', false],
    ['no number', '"NaN"', false],
    ['infinite', '"-Infinity"', false],
    ['empty', '""', false],
    ['a dot', '".5"', false],
    ['true', 'true', false],
    ['null', 'null', false],
    ['a list', '[5]', false],
    ['an empty list', '[]', false],
    ['an object', '{"value": 5}', false],
    ['an empty object', '{}', false],
  ])('%s (%s) passes: %s; the guard and the grant agree', (_, amount, passes) => {
    const given = { arguments: `{"amount": ${amount}}` }
    expect(decide(over, given)).toBe(passes ? 'allow' : 'deny')
    expect(decide(upTo, given)).toBe(passes ? 'allow' : 'deny')
  })

  test.each([
    ['amount_gt', ['1000.01'], ['1000', '999']],
    ['amount_gte', ['1000', '1001'], ['999.99']],
    ['amount_lt', ['999.99', '-1'], ['1000', '1001']],
    ['amount_lte', ['1000', '0'], ['1000.01']],
  ])('%s: %s are so, %s are not', (key, yes, no) => {
    for (const amount of [...yes, ...no]) {
      const given = { arguments: `{"amount": ${amount}}` }
      const isSo = yes.includes(amount)
      expect(decide(`allow: [{capability: x, ${key}: 1000}]`, given)).toBe(isSo ? 'allow' : 'deny')
      const guard = `deny: [{capability: x, ${key}: 1000}]\nallow: [x]`
      expect(decide(guard, given)).toBe(isSo ? 'deny' : 'allow')
    }
  })

  test('a guard takes any, a grant needs all', () => {
    const two = { arguments: '{"amount": 1, "order": {"lines": [{"price": 2}, {"price": 5000}]}}' }
    expect(decide(over, two)).toBe('deny')
    expect(decide(upTo, two)).toBe('deny')
    expect(decide('deny: [{capability: x, amount_lt: 2}]\nallow: [x]', two)).toBe('deny')
    expect(decide('allow: [{capability: x, amount_gte: 1, amount_lte: 5000}]', two)).toBe('allow')
  })

  test('where there is none, a guard applies and a grant does not', () => {
    const none = { arguments: '{"note": "5"}' }
    expect(decide(over, none)).toBe('deny')
    expect(decide(upTo, none)).toBe('deny')
    expect(decide('allow: [{capability: x, amount_gt: -1}]', none)).toBe('deny')
  })

  test('an unreadable one does not hide one that is too large, nor the other way round', () => {
    expect(decide(over, { arguments: '{"amount": "lots", "total": 1}' })).toBe('deny')
    expect(decide(upTo, { arguments: '{"amount": "lots", "total": 1}' })).toBe('deny')
  })

  test.each([
    ['a colour', 'value', '"blue"'],
    ['nothing', 'value', '""'],
    ['a truth value', 'value', 'true'],
    ['null', 'value', 'null'],
    ['a list of words', 'input_values', '["a", ["b"]]'],
    ['an object of words', 'value', '{"type": "repository", "value": "x"}'],
    ['an identifier', 'price_id', '"price_1Nv0FGQ9"'],
    ['a cost centre of words', 'cost_center', '"R&D"'],
    ['a cost centre of digits', 'costCenter', '4711'],
    ['a currency', 'amount_currency', '"USD"'],
    ['a day', 'value_date', '"2026-07-28"'],
    ['which pages', 'total_pages', '"all"'],
    ['a unit', 'dataValueUnit', '"万亿"'],
  ])('%s under `%s` is none: %s', (_, name, value) => {
    const given = { arguments: `{"amount": 1, "${name}": ${value}}` }
    expect(decide(over, given)).toBe('allow')
    expect(decide(upTo, given)).toBe('allow')
  })

  test.each([
    ['a number', 'value', '5000'],
    ['a number as text', 'value', '"5000"'],
    ['a number in a list', 'values', '[["x", 5000]]'],
    ['a small number in a list', 'values', '[5]'],
    ['a number in an object', 'value', '{"currency": "USD", "units": 5000}'],
    ['a number as a name', 'value', '{"5000": "USD"}'],
    ['a currency sign', 'value', '"$5"'],
    ['a number of another script', 'value', '"٥٠٠٠"'],
    ['full-width digits', 'value', '"５"'],
    ['a Roman numeral', 'value', '"Ⅿ"'],
    ['an infinite number', 'value', '" -Infinity"'],
    ['an infinite number, in short', 'value', '"+inf"'],
    ['the sign of infinity', 'value', '"∞"'],
    ['no number, which compares as none', 'value', '"NaN"'],
    ['pages', 'total_pages', '5000'],
    ['words after the amount', 'amount_to_be_paid', '"5,000"'],
    ['a name without borders', 'pricelimit', '5000'],
    ['words under a name without borders', 'paymentamount', '"lots"'],
    ['words under the name of an amount', 'unit_cost', '"lots"'],
    ['words under the name of cents', 'amount_cents', '"lots"'],
    ['words under an indexed name', 'amount[0]', '"lots"'],
    ['no words at all', 'total', 'true'],
  ])('%s under `%s` is one, and too large or unreadable: %s', (_, name, value) => {
    const given = { arguments: `{"amount": 1, "${name}": ${value}}` }
    expect(decide(over, given)).toBe('deny')
    expect(decide(upTo, given)).toBe('deny')
  })

  test('what is none of them hides none beside it', () => {
    const args = '{"value": {"note": "blue", "total": 5000}, "amount": 1}'
    expect(decide(over, { arguments: args })).toBe('deny')
    expect(decide(over, { arguments: '{"cost_center": {"amount": 5000}, "amount": 1}' })).toBe(
      'deny',
    )
  })

  test('in cents is an amount in cents or in whole units: a guard takes either, a grant needs both', () => {
    const cents = (amount: number): { arguments: string } => ({
      arguments: `{"amount_cents": ${amount}}`,
    })
    expect(decide(over, cents(1001))).toBe('deny')
    expect(decide(over, cents(1000))).toBe('allow')
    expect(decide('deny: [{capability: x, amount_lt: 10}]\nallow: [x]', cents(999))).toBe('deny')
    expect(decide('allow: [{capability: x, amount_gte: 10}]', cents(999))).toBe('deny')
    expect(decide('allow: [{capability: x, amount_gte: 10}]', cents(1000))).toBe('allow')
  })
})

describe('B22: names of arguments', () => {
  test.each([
    ...['amount', 'Amount', 'AMOUNT', 'aMOUNT', 'amounts', 'total_amount', 'totalAmount'],
    ...[
      'amount_in_usd',
      'paymentamount',
      'amountUsd',
      'TOTAL',
      'grandTotal',
      'order-total',
      'subtotal',
    ],
    ...[
      'value',
      'valueUSD',
      'sum',
      'quantity',
      'qty',
      'unitPrice',
      'unitprice',
      'price',
      'cost_total',
    ],
    ...[
      'ａｍｏｕｎｔ',
      '\u017fum',
      'co\u017ft',
      'amount\0x',
      'amount\0id',
      'amount.value',
      'amount[0]',
    ],
  ])('%j is an amount', (name) => {
    expect(new NameRoles().of(name).amount).toBe(true)
    const given = { arguments: JSON.stringify({ deep: [{ [name]: 5000 }], total: 1 }) }
    expect(decide(over, given)).toBe('deny')
  })

  test.each([
    ['amount', false],
    ['amount\0value', false],
    ['AMOUNTS', false],
    ['value', true],
    ['amount_due', true],
    ['amountdue', true],
  ])('whether %j may just as well be none: %s', (name, vague) => {
    expect(new NameRoles().of(name)).toMatchObject({ amount: true, vague })
  })

  test.each(['amount_cents', 'amountCents', 'AMOUNT_CENTS', 'priceInCents', 'cost_minor'])(
    '%s is an amount in cents',
    (name) => {
      // `totalcents` is no name that is known to be an amount, only one that ends in cents is.
      expect(new NameRoles().of(name)).toMatchObject({ amount: true, minor: true })
    },
  )

  test.each([
    'summary',
    'checksum',
    'costume',
    'note',
    'evaluate',
    'count',
    'discounted',
    'recipient',
    'price_id',
    'priceid',
    'PriceID',
    'amountType',
    'cost-center',
  ])('%s is no amount', (name) => {
    expect(new NameRoles().of(name).amount).toBe(false)
  })

  test.each([
    ...['path', 'Path', 'pAth', 'file_path', 'filePath', 'filepath', 'file', 'files', 'outputFile'],
    ...[
      'outputfile',
      'dir',
      'workdir',
      'working_directory',
      'rootFolder',
      'source',
      'dst',
      'cwd',
      'uri',
    ],
  ])('%s is a path', (name) => {
    expect(new NameRoles().of(name).path).toBe(true)
  })

  test.each(['profile', 'content', 'pattern', 'query', 'command', 'edits', 'encoding'])(
    '%s is no path',
    (name) => {
      expect(new NameRoles().of(name).path).toBe(false)
    },
  )

  test('a caller that invents names does not fill the memory', () => {
    const roles = new NameRoles()
    for (let at = 0; at < 20_000; at += 1) roles.of(`invented_${at}`)
    expect(roles.of('amount').amount).toBe(true)
    expect(roles.of('note').amount).toBe(false)
  })

  test('amounts that the configuration declares are candidates, whatever their names', () => {
    const roles = { amount: ['/n', '/lines/*/n'] }
    const given = (args: string): string => decide(over, { arguments: args, roles })
    expect(given('{"n": 5000, "amount": 1}')).toBe('deny')
    expect(given('{"N": 5000, "amount": 1}')).toBe('deny')
    expect(given('{"lines": [{"n": 1}, {"n": 5000}]}')).toBe('deny')
    expect(given('{"lines": [{"n": 1}, {"n": "x"}]}')).toBe('deny')
    expect(given('{"n": [1]}')).toBe('deny')
    expect(given('{"n": 1, "lines": [{"n": 2}]}')).toBe('allow')
    expect(given('{"other": 5000}')).toBe('deny')
  })
})

describe('B31: names of the prototype', () => {
  test.each(['constructor', 'toString', 'hasOwnProperty', '__defineGetter__', 'isPrototypeOf'])(
    '%s is an ordinary name, absent where it is not written',
    (name) => {
      const declared = { amount: [`/${name}`], path: [`/${name}`] }
      expect(decide(upTo, { arguments: '{}', roles: declared })).toBe('deny')
      expect(decide(upTo, { arguments: `{"${name}": {"amount": 5}}` })).toBe('allow')
      expect(decide(upTo, { arguments: `{"${name}": {"amount": 5000}}` })).toBe('deny')
      const guard = `deny: [{capability: x, contains: "${name}"}]\nallow: [x]`
      expect(decide(guard, { arguments: '{}' })).toBe('allow')
      expect(decide(guard, { arguments: `{"${name}": 1}` })).toBe('deny')
    },
  )

  test('what an object inherits is not an argument', () => {
    const inherited = Object.create({ amount: 'x', path: '/etc' }) as JsonObject
    const contents = walkArguments(inherited, {}, new NameRoles())
    expect(contents).toMatchObject({ names: [], leaves: [], amounts: [], paths: [] })
  })

  test('an own `__proto__` is walked like any name', () => {
    const own = JSON.parse('{"__proto__": {"amount": 5000}}') as JsonObject
    const contents = walkArguments(own, {}, new NameRoles())
    expect(contents?.names).toEqual(['__proto__', 'amount'])
    expect(contents?.amounts).toHaveLength(1)
  })
})

describe('bounds of arguments', () => {
  const nested = (levels: number): JsonObject => {
    let inner: JsonObject = json('{"amount": 5}')
    for (let level = 1; level < levels; level += 1) inner = { x: inner }
    return inner
  }
  const contents = (root: JsonObject): unknown => walkArguments(root, {}, new NameRoles())

  test('as deep as a message may be, and one deeper: then nothing is known', () => {
    expect(contents(nested(limits.maxJsonDepth + 1))).toBeDefined()
    expect(contents(nested(limits.maxJsonDepth + 2))).toBeUndefined()
  })

  test('as many members as are visited, and one more', () => {
    const list = (length: number): JsonObject => ({ x: Array.from({ length }, () => null) })
    expect(contents(list(2 * limits.maxJsonMembers - 1))).toBeDefined()
    expect(contents(list(2 * limits.maxJsonMembers))).toBeUndefined()
  })

  test('a value that holds itself has an end', () => {
    const loop: Record<string, JsonObject> = {}
    loop['x'] = loop
    loop['y'] = loop
    expect(contents(loop)).toBeUndefined()
  })

  test('roles that meet the same values again and again have an end', () => {
    const wide = json(`{"a": [${Array.from({ length: 1000 }, () => '{"b": 1}').join(',')}]}`)
    const roles = { amount: Array.from({ length: 1000 }, () => '/a/*/b') }
    expect(walkArguments(wide, roles, new NameRoles())).toBeUndefined()
  })
})
