import { Decimal } from '../../json/decimal.ts'
import type { JsonValue } from '../../json/value.ts'
import { isJsonArray } from '../../json/value.ts'
import type { Argument } from '../argument.ts'
import type { MatcherKind } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { readNames } from '../read-value.ts'
import { truthOf } from '../truth.ts'
import type { Truth } from '../answer.ts'

/** What a JSON value is; `integer` is a number without a fraction, as in JSON Schema. */
export type TypeName = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'null'

/** All of them. */
const typeNames: readonly TypeName[] = [
  'string',
  'number',
  'integer',
  'boolean',
  'array',
  'object',
  'null',
]

/** `type`: the argument is a value of one of these types. */
export const type: MatcherKind<readonly TypeName[]> = {
  read: (source, entry) => readNames(source, entry, typeNames),
  compile: (names) => {
    const test = ({ value }: Argument): Truth => truthOf(names.some((name) => isOf(value, name)))
    return { may: test, must: test }
  },
  cost: costs.compare,
}

function isOf(value: JsonValue, name: TypeName): boolean {
  if (name === 'integer') return value instanceof Decimal && value.isInteger
  return typeOf(value) === name
}

function typeOf(value: JsonValue): TypeName {
  if (value === null) return 'null'
  if (value instanceof Decimal) return 'number'
  if (isJsonArray(value)) return 'array'
  if (typeof value === 'string') return 'string'
  return typeof value === 'boolean' ? 'boolean' : 'object'
}
