import type { Place } from './framework.ts'
import type { Argument, CallCode, Code } from './tree.ts'
import type { Value, Values } from './values.ts'

/** What stands at a place of a call. */
export type Found =
  | { readonly kind: 'code'; readonly code: Code }
  /** Nothing stands there, for certain. */
  | { readonly kind: 'nothing' }
  /** Something may stand there. */
  | { readonly kind: 'unknown'; readonly near: Code | undefined }

/** What stands at the first of the places at which anything may. */
export function foundAt(call: CallCode, places: readonly Place[], values: Values): Found {
  for (const place of places) {
    const found = at(call, place, values)
    if (found.kind !== 'nothing') return found
  }
  return { kind: 'nothing' }
}

function at({ args }: CallCode, place: Place, values: Values): Found {
  const argument = argumentAt(args, place)
  if (argument.kind !== 'code' || place.key === undefined) return argument
  return partAt(argument.code, place.key.split('.'), values)
}

function argumentAt(args: readonly Argument[], { at: index, named }: Place): Found {
  const byName = named === undefined ? undefined : args.find(({ name }) => name === named)
  if (byName !== undefined) return { kind: 'code', code: byName.value }
  const isOpen = args.some(({ isSpread }) => isSpread)
  const placed = args.filter(({ name }) => name === undefined)
  const position = index === 'last' ? placed.length - 1 : index
  const found = position === undefined ? undefined : placed[position]
  const isMoved = placed.slice(0, (position ?? -1) + 1).some(({ isSpread }) => isSpread)
  if (found !== undefined && !isMoved) return { kind: 'code', code: found.value }
  return isOpen
    ? { kind: 'unknown', near: args.find(({ isSpread }) => isSpread)?.value }
    : { kind: 'nothing' }
}

/** An entry of what stands there. What is no literal may have it, and is the answer itself then. */
function partAt(code: Code, way: readonly string[], values: Values): Found {
  const [name, ...rest] = way
  if (name === undefined) return { kind: 'code', code }
  const [value, ...others] = values.of(code)
  if (value === undefined || others.length > 0) return { kind: 'unknown', near: code }
  const holder = value.kind === 'local' ? value.code : undefined
  if (holder?.kind !== 'object') return { kind: 'unknown', near: code }
  const entry = holder.entries.findLast((one) => one.name === name)
  if (entry !== undefined) return partAt(entry.value, rest, values)
  return holder.rest.length > 0 ? { kind: 'unknown', near: code } : { kind: 'nothing' }
}

/** The text that stands at one of the places, when it is known. */
export function textAt(
  call: CallCode,
  places: readonly Place[],
  values: Values,
): string | undefined {
  const found = foundAt(call, places, values)
  return found.kind === 'code' ? textOf(values.of(found.code)) : undefined
}

/** The text that values are, when there is one. */
export function textOf(found: readonly Value[]): string | undefined {
  const [value, ...others] = found
  return others.length === 0 && value?.kind === 'local' && value.code.kind === 'text'
    ? value.code.value
    : undefined
}
