import type { ServerBinding, ToolBinding } from '../event/binding.ts'
import { capabilityPrefix } from '../event/binding.ts'
import { riskLevels } from '../event/capability.ts'
import type { ArgumentRoles } from '../event/event.ts'
import { printable } from '../event/printable.ts'
import type { Node } from './jsonc.ts'
import type { Place, Read } from './read.ts'
import { flag, mapOf, oneOf, oneOrMore, readText, Section, wrongKind } from './read.ts'
import { patterns } from './vocabulary.ts'

/** The keys of a server's `capfence` block; `prefix` and `sharesDisk` are read with the server. */
export const bindingKeys = [
  'resource',
  'tools',
  'prefix',
  'trustAnnotations',
  'sharesDisk',
] as const
const toolKeys = ['capability', 'risk', 'arguments'] as const
const roleKeys = ['amount', 'path'] as const

/** Reads what a `capfence` block says about the meaning of a server's tools. */
export function readBinding(section: Section): ServerBinding {
  return {
    resource: section.optional('resource', readResource, undefined),
    tools: section.optional('tools', readTools, undefined),
    trustAnnotations: section.optional('trustAnnotations', flag, undefined),
  }
}

const readTools: Read<ReadonlyMap<string, ToolBinding>> = mapOf(({ value }, place) =>
  readTool(value, place),
)

function readTool(node: Node, place: Place): ToolBinding | undefined {
  if (node.kind === 'text') {
    return wrongKind(
      node,
      place,
      'an object',
      `write \`{"capability": "${printable(node.value)}"}\``,
    )
  }
  const section = Section.read(node, place, toolKeys)
  if (section === undefined) return undefined
  return {
    capability: section.optional('capability', readCapability, undefined),
    risk: section.optional('risk', oneOf(riskLevels), undefined),
    argumentRoles: section.optional('arguments', readRoles, undefined),
  }
}

/** `filesystem`, or `filesystem.workspace` with its scope. */
const readResource: Read<string> = (node, place) => readNames(node, place)

/** One to three or more names; the tool and the environment stand in for what is left out. */
const readCapability: Read<string> = (node, place) => readNames(node, place)

function readNames(node: Node, place: Place): string | undefined {
  const text = readText(node, place)
  if (text === undefined) return undefined
  const capability = capabilityPrefix(text.value)
  if (capability === undefined) {
    place.report.problem(
      node.start,
      `\`${place.path}\` must be names with dots between them, found \`${printable(text.value)}\``,
      'names are letters, digits, `_` and `-`; patterns stand in policies only',
    )
    return undefined
  }
  if (capability.resource.toLowerCase() !== 'mcp') return text.value
  // A tool must not be able to wear what a rule allows to the protocol's own methods (THREATS B8).
  place.report.problem(
    node.start,
    `\`${place.path}\` begins with \`mcp\`, which stands for the protocol's own methods`,
  )
  return undefined
}

const readRoles: Read<ArgumentRoles> = (node, place) => {
  const section = Section.read(node, place, roleKeys)
  if (section === undefined) return undefined
  const amount = section.optional('amount', oneOrMore(readPointer), undefined)
  const path = section.optional('path', oneOrMore(readPointer), undefined)
  return {
    ...(amount === undefined ? {} : { amount }),
    ...(path === undefined ? {} : { path }),
  }
}

/** A JSON Pointer (RFC 6901); `*` stands for any element. */
const readPointer: Read<string> = (node, place) => {
  const text = readText(node, place)
  if (text === undefined) return undefined
  if (patterns.pointer.test(text.value)) return text.value
  const hint = text.value.startsWith('/')
    ? '`~` is written `~0`, and `/` inside a name `~1`'
    : 'write `/total` for the argument `total`, `/payment/total` for one inside `payment`'
  place.report.problem(
    node.start,
    `\`${place.path}\` must be a JSON Pointer, found \`${printable(text.value)}\``,
    hint,
  )
  return undefined
}
