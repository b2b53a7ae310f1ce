import { NameRoles } from '../argument-name.ts'
import { foldText } from '../fold.ts'
import { isTable } from '../table-name.ts'
import type { Ask } from './ask.ts'
import type { Attribute } from './attribute.ts'
import type { Assumption, Box } from './box.ts'
import { elementLiteral } from './element.ts'
import type { ElementLiteral, Reach } from './element.ts'
import { areAbsolute } from './path-languages.ts'

const roles = new NameRoles()

/**
 * What conditions on all arguments say of the one at a pointer, whose value is one of those that they look at.
 *
 * Only what is so of every candidate can be said of one: that a guard does not apply, or that a grant does.
 */
export function linkedLiterals(attribute: Attribute, box: Box): readonly ElementLiteral[] {
  if (attribute.kind !== 'argument' && attribute.kind !== 'unaimed') return []
  const texts = box.of('texts').flatMap(textLiterals)
  if (attribute.kind === 'unaimed') return texts
  const missing = missingNeedles(box)
  const names = attribute.pointer.tokens.filter((token) => token !== undefined)
  const isNamed = names.some((name) => missing.some((needle) => holdsNeedle(name, needle)))
  return [...texts, ...(isNamed ? [noValue] : []), ...roleLiterals(attribute, box)]
}

/** That no value stands there: what it is called by is a text of the call as well. */
const noValue = elementLiteral({ asks: [], role: 'guard' }, false, 'values')

/** The texts that no guard may find, as far as they are found in each value and name. */
export function missingNeedles(box: Box): readonly string[] {
  return box.of('texts').flatMap(({ atom, holds }) => {
    if (holds || atom.role === 'grant') return []
    return atom.asks.flatMap((ask) =>
      ask.kind === 'contains' ? ask.data.filter(isFoundInside) : [],
    )
  })
}

/** Whether a guard finds a text in a name. */
export function holdsNeedle(name: string, needle: string): boolean {
  return (foldText(name) ?? '').includes(foldText(needle) ?? needle)
}

/** What is said of amounts, paths and tables, of one that has the name of such. */
function roleLiterals(
  attribute: Attribute & { readonly kind: 'argument' },
  box: Box,
): readonly ElementLiteral[] {
  const name = attribute.pointer.tokens.at(-1)
  if (name === undefined) return []
  const { amount, minor, vague, path, prose } = roles.of(name)
  const isPath = path || (!prose && isBelowAbsolute(box.of(attribute.key)))
  return [
    ...(amount && !minor && !vague
      ? box.of('amounts').flatMap((one) => linked(one, 'values'))
      : []),
    ...(isPath ? box.of('paths').flatMap((one) => linked(one, path ? 'leaves' : 'texts')) : []),
    ...(isTable(name) ? box.of('tables').flatMap((one) => linked(one, 'leaves')) : []),
  ]
}

/** Whether an assumption is about every candidate, and that there is one. */
export function isOfEvery({ atom, holds }: Assumption): boolean {
  return (atom.role === 'grant') === holds
}

function linked(assumption: Assumption, of: Reach): readonly ElementLiteral[] {
  return isOfEvery(assumption) ? [elementLiteral(assumption.atom, assumption.holds, of)] : []
}

/** A text that a guard does not find in the call is not found in any of its values. */
function textLiterals(assumption: Assumption): readonly ElementLiteral[] {
  if (!isOfEvery(assumption)) return []
  const { atom, holds } = assumption
  if (holds) return [elementLiteral(atom, true, 'texts')]
  const asks = atom.asks.flatMap((ask): readonly Ask[] => {
    const needles = ask.kind === 'contains' ? ask.data.filter(isFoundInside) : []
    return needles.length === 0 ? [] : [{ kind: 'contains', data: needles }]
  })
  return asks.length === 0 ? [] : [elementLiteral({ asks, role: 'guard' }, false, 'texts')]
}

/** At their ends values lose white space before they are searched. */
function isFoundInside(needle: string): boolean {
  const folded = foldText(needle) ?? ''
  return folded !== '' && folded === folded.trim() && needle === needle.trim()
}

/** What lies below an absolute folder looks like a path, whatever its name. */
function isBelowAbsolute(assumptions: readonly Assumption[]): boolean {
  return assumptions.some(({ atom, holds }) => {
    if (!holds || atom.role !== 'grant') return false
    return atom.asks.some((ask) => ask.kind === 'under' && areAbsolute(ask.data))
  })
}
