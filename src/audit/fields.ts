import { isUlid } from '../crypto/ids.ts'
import { limits } from '../limits.ts'
import type { RecordData, RecordValue } from './record.ts'

/** What one field of a record may hold. */
export interface Field {
  /** For the sentence "`name` must be …". */
  readonly expects: string
  /** Whether the field may be absent. */
  readonly optional: boolean
  holds(value: RecordValue): boolean
  /** The same, and every object in it has its members in the order of RFC 8785; cheaper to ask. */
  holdsInOrder(value: RecordValue): boolean
}

/** The fields of one kind of record: these and no others. */
export interface Shape {
  readonly byName: ReadonlyMap<string, Field>
  /** In the order of RFC 8785. */
  readonly inOrder: readonly NamedField[]
}

interface NamedField extends Field {
  readonly name: string
}

/** A shape of fields given by name. */
export function shape(fields: Readonly<Record<string, Field>>): Shape {
  const byName = new Map(Object.entries(fields))
  // oxlint-disable-next-line typescript/require-array-sort-compare -- code unit order is what RFC 8785 wants
  const names = [...byName.keys()].sort()
  const inOrder = names.flatMap((name) => {
    const found = byName.get(name)
    return found === undefined ? [] : [{ ...found, name }]
  })
  return { byName, inOrder }
}

/** Whether an object has the members of a shape, as `shapeComplaint` has it, and in the order of RFC 8785. */
export function fitsInOrder(data: RecordData, { inOrder }: Shape): boolean {
  const names = Object.keys(data)
  let at = 0
  for (const expected of inOrder) {
    const value = names[at] === expected.name ? data[expected.name] : undefined
    if (value === undefined) {
      if (!expected.optional) return false
    } else if (expected.holdsInOrder(value)) at += 1
    else return false
  }
  return at === names.length
}

/**
 * Compares the members of an object with a shape.
 *
 * @returns what is wrong, for people; undefined when nothing is
 */
export function shapeComplaint(data: RecordData, fields: Shape): string | undefined {
  let present = 0
  for (const [name, expected] of fields.byName) {
    const value = Object.hasOwn(data, name) ? data[name] : undefined
    if (value === undefined) {
      if (!expected.optional) return `\`${name}\` is missing`
      continue
    }
    present += 1
    if (!expected.holds(value)) return `\`${name}\` must be ${expected.expects}`
  }
  if (Object.keys(data).length === present) return undefined
  const foreign = Object.keys(data).find((name) => !fields.byName.has(name))
  return `\`${foreign ?? 'undefined'}\` is not a field here`
}

/** Any text; the bound on the record bounds it. */
export const text: Field = field('text', (value) => typeof value === 'string')

/** True or false. */
export const flag: Field = field('true or false', (value) => typeof value === 'boolean')

/** A count, a size, a seq or milliseconds: a whole number, not negative, at most 2^53-1. */
export const count: Field = field(
  'a whole number of 0 or more',
  (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
)

/** A SHA-256 or a node of the tree. */
export const sha256Hex: Field = matching(/^[0-9a-f]{64}$/, '64 lower-case hex digits')

/** base64url of 32 bytes: the last character holds four bits, so its low two are zero. */
export const sha256Base64url: Field = matching(
  /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/,
  'base64url of 32 bytes',
)

/** A ULID, such as a writer's id. */
export const ulid: Field = field('a ULID', (value) => typeof value === 'string' && isUlid(value))

const originPrefix = 'capfence.local/'

/** The name of a log, as checkpoints carry it. */
export const origin: Field = field(
  `\`${originPrefix}\` and a ULID`,
  (value) =>
    typeof value === 'string' &&
    value.startsWith(originPrefix) &&
    isUlid(value.slice(originPrefix.length)),
)

/** The origin of the log with this ULID. */
export function logOrigin(logUlid: string): string {
  return originPrefix + logUlid
}

/** Text of a form; `expects` says it for people. */
export function matching(pattern: RegExp, expects: string): Field {
  return field(expects, (value) => typeof value === 'string' && pattern.test(value))
}

/** One of these words. */
export function oneOf(...words: readonly string[]): Field {
  const known = new Set(words)
  return field(
    `one of ${words.join(', ')}`,
    (value) => typeof value === 'string' && known.has(value),
  )
}

/** The same, or null. */
export function nullable(inner: Field): Field {
  return field(
    `${inner.expects} or null`,
    (value) => value === null || inner.holds(value),
    (value) => value === null || inner.holdsInOrder(value),
  )
}

/** The same, or no such field: for what later versions add. */
export function optional(inner: Field): Field {
  return { ...inner, optional: true }
}

/** A list of any length, each element of one kind. */
export function listOf(inner: Field): Field {
  return field(
    `a list, each ${inner.expects}`,
    (value) => Array.isArray(value) && value.every((element: RecordValue) => inner.holds(element)),
    (value) =>
      Array.isArray(value) && value.every((element: RecordValue) => inner.holdsInOrder(element)),
  )
}

/** An object of exactly these fields. */
export function object(fields: Readonly<Record<string, Field>>): Field {
  const inner = shape(fields)
  return field(
    `an object of ${Object.keys(fields).join(', ')}`,
    (value) => isObject(value) && shapeComplaint(value, inner) === undefined,
    (value) => isObject(value) && fitsInOrder(value, inner),
  )
}

/** Salted digests (RFC 9901), and which of them nobody can open because their disclosure was never stored. */
export const sealed: Field = object({
  _sd: field(
    'digests, sorted, none twice',
    (value) =>
      Array.isArray(value) &&
      value.length <= limits.maxDisclosures + 1 &&
      value.every(
        (digest: RecordValue, index) =>
          sha256Base64url.holds(digest) && (index === 0 || isBefore(value[index - 1], digest)),
      ),
  ),
  mode: oneOf('full', 'args', 'digest-only', 'none'),
  withheld: listOf(count),
})

/** Narrows to an object; arrays and null are none. */
export function isObject(value: RecordValue | undefined): value is RecordData {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isBefore(left: unknown, right: RecordValue): boolean {
  return typeof left === 'string' && typeof right === 'string' && left < right
}

/** A field of its own kind; where its value holds objects, `holdsInOrder` also asks for the order of their members. */
export function field(
  expects: string,
  holds: (value: RecordValue) => boolean,
  holdsInOrder: (value: RecordValue) => boolean = holds,
): Field {
  return { expects, optional: false, holds, holdsInOrder }
}
