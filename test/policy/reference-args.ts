// Arguments at pointers in the reference evaluator; see reference.ts.
import { and, isList, isNum, opposite, or } from './reference-json.ts'
import type { Json, Num, Truth } from './reference-json.ts'
import { amountReadings, fold, oneLine, passes } from './reference-value.ts'
import type { Comparison } from './reference-value.ts'

export type Scalar = string | boolean | Num

/** The matchers at one pointer; all of them are meant. */
export interface Matchers {
  readonly eq?: Scalar
  readonly in?: readonly Scalar[]
  readonly not_in?: readonly Scalar[]
  readonly gt?: Num
  readonly gte?: Num
  readonly lt?: Num
  readonly lte?: Num
  readonly contains?: readonly string[]
  readonly starts_with?: readonly string[]
  readonly ends_with?: readonly string[]
  readonly type?: readonly string[]
  readonly exists?: boolean
  readonly max_length?: number
  readonly shell?: object
  readonly sql?: object
}

/** What a parser says of a text: the parsers of `shell` and `sql` are taken as they are, and only asked. */
export type Oracle = (asked: {
  readonly name: 'shell' | 'sql'
  readonly data: object
  readonly value: Json
  readonly root: Json
  readonly guard: boolean
}) => Truth

/** What stands at a pointer: a value, perhaps under another spelling of its name; nothing; or nobody can tell. */
export type Seen = { readonly value: Json; readonly sure: boolean } | 'absent' | 'unreadable'

/** The value of everything at one pointer. */
export function argumentValue(
  root: Json,
  pointer: string,
  matchers: Matchers,
  { guard, oracle = silent }: { readonly guard: boolean; readonly oracle?: Oracle | undefined },
): Truth {
  const values = seenAt(root, pointer.split('/').slice(1), true).map((seen): Truth => {
    if (seen === 'unreadable') return 'indeterminate'
    if (seen === 'absent') {
      return and(Object.entries(matchers).map(([name, wanted]) => absentValue(name, wanted)))
    }
    if (!guard && !seen.sure) return 'indeterminate'
    return and(
      Object.entries(matchers).map(([name, wanted]) => {
        const { value } = seen
        if (name !== 'shell' && name !== 'sql') {
          return matcherValue({ name, wanted: wanted as never, value, guard })
        }
        return oracle({ name, data: wanted as object, value, root, guard })
      }),
    )
  })
  if (values.length === 0) return 'indeterminate'
  return guard ? or(values) : and(values)
}

function absentValue(name: string, wanted: unknown): Truth {
  if (name !== 'exists') return 'indeterminate'
  return wanted === true ? 'false' : 'true'
}

export function seenAt(value: Json, tokens: readonly string[], sure: boolean): readonly Seen[] {
  const [token, ...rest] = tokens
  if (token === undefined) return [{ value, sure }]
  if (value === null) return ['absent']
  if (typeof value !== 'object' || isNum(value)) return ['unreadable']
  if (isList(value)) {
    if (token === '*') return value.flatMap((item) => seenAt(item, rest, sure))
    const item =
      /^\d+$/.test(token) && String(Number(token)) === token ? value[Number(token)] : undefined
    return item === undefined ? ['absent'] : seenAt(item, rest, sure)
  }
  const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
  const members = Object.entries(value)
  if (token === '*') return members.flatMap(([, member]) => seenAt(member, rest, sure))
  const found = members
    .filter(([key]) => key.toLowerCase() === name.toLowerCase())
    .flatMap(([key, member]) => seenAt(member, rest, sure && key === name))
  return members.some(([key]) => key === name) ? found : [...found, 'absent']
}

const silent: Oracle = () => {
  throw new Error('nobody to ask')
}

function matcherValue(given: {
  readonly name: string
  readonly wanted: never
  readonly value: Json
  readonly guard: boolean
}): Truth {
  const { name, wanted, value, guard } = given
  switch (name) {
    case 'eq':
      return equals(wanted, value, guard)
    case 'in':
      return or(wantedList(wanted).map((one) => equals(one, value, guard)))
    case 'not_in':
      return opposite(or(wantedList(wanted).map((one) => equals(one, value, !guard))))
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return comparedNumber(`amount_${name}`, wanted, value, guard)
    case 'contains':
      return part(wanted, value, guard, (text, one) => text.includes(one))
    case 'starts_with':
      return part(wanted, value, guard, (text, one) => text.startsWith(one), 'start')
    case 'ends_with':
      return part(wanted, value, guard, (text, one) => text.endsWith(one), 'end')
    case 'type':
      return certain(wantedList(wanted).some((one) => hasType(value, String(one))))
    case 'exists':
      return value === null ? 'indeterminate' : certain(wanted)
    case 'max_length':
      return lengthValue(wanted, value, guard)
    default:
      throw new Error(`no matcher ${name}`)
  }
}

function wantedList(wanted: readonly Scalar[]): readonly Scalar[] {
  return wanted
}

function certain(holds: boolean): Truth {
  return holds ? 'true' : 'false'
}

/** Only values of one kind can be told apart. */
function equals(wanted: Scalar, value: Json, guard: boolean): Truth {
  if (typeof wanted === 'boolean') {
    return typeof value === 'boolean' ? certain(value === wanted) : 'indeterminate'
  }
  if (typeof wanted === 'string') {
    if (typeof value !== 'string') return 'indeterminate'
    return certain(value === wanted || (guard && fold(value).trim() === fold(wanted).trim()))
  }
  const readings = numbersOf(value)
  if (readings.length === 0) return 'indeterminate'
  const same = readings.map(
    (one) => passes(one, 'amount_gte', wanted.number) && passes(one, 'amount_lte', wanted.number),
  )
  return certain(guard ? same.includes(true) : !same.includes(false))
}

function numbersOf(value: Json): ReturnType<typeof amountReadings> {
  const written =
    typeof value === 'string'
      ? value
      : value !== null && typeof value === 'object' && isNum(value)
        ? value.number
        : undefined
  return amountReadings(written, { asText: typeof value === 'string', cents: false })
}

function comparedNumber(key: string, wanted: Num, value: Json, guard: boolean): Truth {
  const readings = numbersOf(value)
  if (readings.length === 0) return 'indeterminate'
  const held = readings.map((one) => passes(one, key as Comparison, wanted.number))
  return certain(guard ? held.includes(true) : !held.includes(false))
}

function part(
  wanted: readonly string[],
  value: Json,
  guard: boolean,
  holds: (text: string, one: string) => boolean,
  trim?: 'start' | 'end',
): Truth {
  if (typeof value !== 'string') return 'indeterminate'
  const raw = wanted.some((one) => holds(value, one))
  if (!guard) return certain(raw && oneLine(value))
  const ends = (text: string): string =>
    trim === 'start' ? text.trimStart() : trim === 'end' ? text.trimEnd() : text
  const folded = wanted.some((one) => {
    const needle = ends(fold(one))
    return needle !== '' && holds(ends(fold(value)), needle)
  })
  return certain(raw || folded)
}

function hasType(value: Json, type: string): boolean {
  if (value === null) return type === 'null'
  if (typeof value === 'object' && isNum(value)) {
    if (type === 'number') return true
    const number = Number(value.number)
    // Numbers of the generator that a double cannot hold have a fraction or none in their text.
    return type === 'integer' && Number.isInteger(number) && !/\.\d*[1-9]\d*$/.test(value.number)
  }
  if (isList(value)) return type === 'array'
  return typeof value === type
}

function lengthValue(most: number, value: Json, guard: boolean): Truth {
  if (isList(value)) return certain(value.length <= most)
  if (typeof value !== 'string') return 'indeterminate'
  return certain((guard ? Array.from(value).length : value.length) <= most)
}
