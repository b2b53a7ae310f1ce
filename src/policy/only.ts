import { foldKey } from '../json/fold.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { Pointer } from './pointer.ts'

/** Pointers by their names: what may follow, and whether everything from here on is meant. */
interface Step {
  isEnd: boolean
  readonly names: Map<string, Step>
  any: Step | undefined
}

/**
 * Whether all arguments of a call stand at these pointers, or below them: a name that is not listed is one too many,
 * also with the value null. An empty list or object holds no argument.
 *
 * @param names how they are compared: as they are written, or as the most lenient server reads them
 */
export function compileOnly(
  pointers: readonly Pointer[],
  names: 'exact' | 'folded',
): (root: JsonObject) => boolean {
  const keyOf = names === 'exact' ? (name: string): string => name : foldKey
  const start = newStep()
  for (const { tokens } of pointers) {
    const end = tokens.reduce((step, token) => nextStep(step, token, keyOf), start)
    end.isEnd = true
  }
  return (root) => isWithin(root, [start], keyOf)
}

function newStep(): Step {
  return { isEnd: false, names: new Map(), any: undefined }
}

function nextStep(step: Step, token: string | undefined, keyOf: (name: string) => string): Step {
  if (token === undefined) {
    step.any ??= newStep()
    return step.any
  }
  const key = keyOf(token)
  const known = step.names.get(key)
  if (known !== undefined) return known
  const fresh = newStep()
  step.names.set(key, fresh)
  return fresh
}

/** @param steps where the pointers have led that lead here; `*` and a name may both */
function isWithin(
  value: JsonValue,
  steps: readonly Step[],
  keyOf: (name: string) => string,
): boolean {
  if (steps.some(({ isEnd }) => isEnd)) return true
  const members: readonly (readonly [string, JsonValue])[] | undefined = isJsonArray(value)
    ? value.map((item, index) => [String(index), item])
    : isJsonObject(value)
      ? Object.entries(value)
      : undefined
  return (
    members?.every(([name, member]) => {
      const next = steps.flatMap((step) => following(step, keyOf(name)))
      return next.length > 0 && isWithin(member, next, keyOf)
    }) ?? false
  )
}

function following({ names, any }: Step, key: string): readonly Step[] {
  const named = names.get(key)
  return [named, any].filter((step) => step !== undefined)
}
