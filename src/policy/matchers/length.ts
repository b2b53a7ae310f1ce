import type { JsonValue } from '../../json/value.ts'
import { isJsonArray } from '../../json/value.ts'
import type { Truth } from '../answer.ts'
import type { MatcherKind } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { readCount } from '../read-value.ts'
import { truthOf } from '../truth.ts'

/** A text of more characters than a message has bytes does not arrive. */
const bounds = { least: 0, most: 1_000_000_000 }

/** `max_length`: the argument is a text of at most so many characters, or a list of at most so many elements. */
export const maxLength: MatcherKind<number> = {
  read: (source, entry) => readCount(source, entry, bounds),
  compile: (most) => ({
    may: ({ value }) => atMost(leastLength(value), most),
    must: ({ value }) => atMost(greatestLength(value), most),
  }),
  cost: costs.number,
}

function atMost(length: number | undefined, most: number): Truth {
  return length === undefined ? 'indeterminate' : truthOf(length <= most)
}

/** Counted in code points, as JSON Schema does. */
function leastLength(value: JsonValue): number | undefined {
  if (typeof value !== 'string') return greatestLength(value)
  let length = value.length
  for (let at = 0; at < value.length; at += 1) {
    // The second half of a pair.
    if ((value.codePointAt(at) ?? 0) > 0xffff) length -= 1
  }
  return length
}

/** Counted in UTF-16 units, as JavaScript and Java do. */
function greatestLength(value: JsonValue): number | undefined {
  return typeof value === 'string' || isJsonArray(value) ? value.length : undefined
}
