import type { JsonObject, JsonValue } from '../../json/value.ts'
import { isJsonArray, isJsonObject } from '../../json/value.ts'

/** A value somewhere in the arguments. */
export interface Leaf {
  /** JSON Pointer; `*` stands for each element of a list. */
  readonly pointer: string
  /** No list and no object that holds anything. */
  readonly value: JsonValue
}

/** Places of one call, count: a call with more is none that something is learned from. */
const maxLeaves = 512

/**
 * The values of a call with their places, elements of a list at one.
 *
 * @returns undefined where they are too many, or a place has no pointer of a policy: a member that is called `*`
 */
export function leavesOf(root: JsonObject): readonly Leaf[] | undefined {
  const leaves: Leaf[] = []
  const isWhole = Object.entries(root).every(([name, value]) =>
    collect(value, step('', name), leaves),
  )
  return isWhole ? leaves : undefined
}

function collect(value: JsonValue, pointer: string | undefined, leaves: Leaf[]): boolean {
  if (pointer === undefined || leaves.length >= maxLeaves) return false
  if (isJsonArray(value) && value.length > 0) {
    return value.every((item) => collect(item, `${pointer}/*`, leaves))
  }
  if (isJsonObject(value) && Object.keys(value).length > 0) {
    return Object.entries(value).every(([name, member]) =>
      collect(member, step(pointer, name), leaves),
    )
  }
  leaves.push({ pointer, value })
  return true
}

function step(pointer: string, name: string): string | undefined {
  if (name === '*' || name === '' || name.length > 200) return undefined
  return `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
