import { nearestName } from '../../event/nearest.ts'
import { printable } from '../../event/printable.ts'
import type { Truth } from '../answer.ts'
import type { ArgumentCondition, Condition } from '../condition.ts'
import type { Pointer } from '../pointer.ts'
import type { Complaint } from './complaint.ts'
import { findInSchema } from './input-schema.ts'
import type { PointerAnswer } from './input-schema.ts'
import { narrowed, toolsOfPart } from './listed-tool.ts'
import type { ListedTool } from './listed-tool.ts'
import type { PolicyPart } from './part.ts'

/**
 * What is said of a part that looks at arguments which tools do not take, as far as their schemas tell.
 *
 * A guard that cannot look is in doubt, so each tool without the argument is worth saying; a grant is often about several
 * tools, some of which have it, so only that none has is.
 */
export function missingArgumentComplaints(
  part: PolicyPart,
  listed: readonly ListedTool[],
): readonly Complaint[] {
  const said = new Map<string, Complaint>()
  for (const aim of aimsOf(part, toolsOfPart(part, listed))) {
    const lacking = aim.tools.flatMap((tool) => {
      const answer = findInSchema(tool.inputSchema, aim.pointer.tokens)
      return answer.kind === 'absent' ? [{ tool, answer }] : []
    })
    const isInNone = lacking.length === aim.tools.length
    const [first] = lacking
    if (first === undefined || isMeant(part, aim) || !(isInNone || doubtsEach(part, aim))) continue
    const names = [...new Set(lacking.map(({ tool }) => tool.name))]
    said.set(aim.pointer.text, {
      message: `${part.name} asks for \`${aim.pointer.text}\`, which is not in the input of ${listOf(names)}`,
      hint: hintFor(aim.pointer, first),
    })
  }
  return [...said.values()]
}

/** A look at one place in the arguments. */
interface Aim {
  readonly pointer: Pointer
  /** The tools whose arguments are looked at. */
  readonly tools: readonly ListedTool[]
  /** What becomes of the condition at the top when nothing stands there. */
  readonly whenAbsent: Truth
}

function aimsOf(part: PolicyPart, tools: readonly ListedTool[]): readonly Aim[] {
  const bound = part.bind === undefined ? [] : [inDoubt(part.bind, tools)]
  return [...bound, ...aimsIn(part.conditions, { tools, role: part.role, isTurned: false })]
}

interface Around {
  readonly tools: readonly ListedTool[]
  readonly role: PolicyPart['role']
  /** Whether `not` stands around it, and not twice. */
  readonly isTurned: boolean
}

function aimsIn(conditions: readonly Condition[], around: Around): readonly Aim[] {
  const { role, isTurned } = around
  const tools = narrowed(around.tools, conditions, role)
  const inner = { tools, role, isTurned }
  return conditions.flatMap((one): readonly Aim[] => {
    switch (one.kind) {
      case 'argument':
        return [{ pointer: one.pointer, tools, whenAbsent: absentValue(one, isTurned) }]
      case 'limit':
        return one.terms.sum === undefined ? [] : [inDoubt(one.terms.sum, tools)]
      case 'labels':
        return one.bind === undefined ? [] : [inDoubt(one.bind, tools)]
      case 'not':
        return aimsIn(one.conditions, {
          tools,
          role: role === 'guard' ? 'grant' : 'guard',
          isTurned: !isTurned,
        })
      case 'any':
        return one.branches.flatMap((branch) => aimsIn(branch, inner))
      case 'amount':
      case 'context':
      case 'only':
      case 'path':
      case 'pattern':
      case 'table':
      case 'text':
      case 'time':
        return []
    }
  })
}

function inDoubt(pointer: Pointer, tools: readonly ListedTool[]): Aim {
  return { pointer, tools, whenAbsent: 'indeterminate' }
}

/** Only `exists` says something of an argument that is not there. */
function absentValue({ matchers }: ArgumentCondition, isTurned: boolean): Truth {
  const wanted = matchers.flatMap((one) => (one.kind === 'exists' ? [one.data] : []))
  if (wanted.includes(true)) return isTurned ? 'true' : 'false'
  if (wanted.length < matchers.length) return 'indeterminate'
  return isTurned ? 'false' : 'true'
}

/** A grant may well say that there must be nothing where nothing is known to be. */
function isMeant({ role }: PolicyPart, { whenAbsent }: Aim): boolean {
  return role === 'grant' && whenAbsent === 'true'
}

/** Whether one tool without the argument is enough to make its author wonder; an invariant may well be about more. */
function doubtsEach({ role, isProven }: PolicyPart, { whenAbsent }: Aim): boolean {
  return role === 'guard' && !isProven && whenAbsent === 'indeterminate'
}

function hintFor(
  pointer: Pointer,
  { tool, answer }: { readonly tool: ListedTool; readonly answer: Absent },
): string {
  const near = candidates(pointer, answer).find((tokens) => {
    return findInSchema(tool.inputSchema, tokens).kind === 'there'
  })
  if (near !== undefined) return `did you mean \`${written(near)}\`?`
  const before = pointer.tokens.slice(0, Math.max(answer.at, 0))
  const known = answer.names.map((name) => written([...before, name]))
  const has = known.length === 0 ? '' : `the input has ${listOf(known)}; `
  return `${has}where an argument is missing a guard applies, and a grant does not`
}

type Absent = Extract<PointerAnswer, { readonly kind: 'absent' }>
type Tokens = Pointer['tokens']

/** Pointers that may have been meant: into the elements of a list, at what is none, or under a name that is near. */
function candidates({ tokens }: Pointer, { at, names, isList }: Absent): readonly Tokens[] {
  if (at < 0) return []
  const [before, token, behind] = [tokens.slice(0, at), tokens[at], tokens.slice(at + 1)]
  if (token === undefined) return [[...before, ...behind]]
  const near = nearestName(token, names)
  return [
    ...(isList ? [[...before, undefined, token, ...behind]] : []),
    ...(near === undefined ? [] : [[...before, near, ...behind]]),
  ]
}

function written(tokens: Tokens): string {
  return tokens
    .map((token) => `/${token?.replaceAll('~', '~0').replaceAll('/', '~1') ?? '*'}`)
    .join('')
}

const maxNamed = 6
const maxNameCharacters = 80

function listOf(names: readonly string[]): string {
  const shown = names
    .slice(0, maxNamed)
    .map((name) => `\`${printable(name, maxNameCharacters)}\``)
    .join(', ')
  return names.length <= maxNamed ? shown : `${shown} and ${names.length - maxNamed} more`
}
