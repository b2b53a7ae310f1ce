import { childOf, childrenOf, keyOf, literalText, textOf, type EsNode } from './es-node.ts'
import type { At, Code } from './tree.ts'

/** A name that a pattern makes known. */
export interface PatternName {
  readonly name: string
  /** The parts that lead from what is taken apart to it; undefined when that cannot be told. */
  readonly way: readonly string[] | undefined
  readonly type: Code | undefined
  /** What it is when nothing is given. */
  readonly initial: EsNode | undefined
  readonly node: EsNode
}

/** The names in a pattern: `a`, `{ a, b: [c] }`, `a = 1`, `...a`. */
export function namesIn(pattern: EsNode | undefined): readonly PatternName[] {
  return pattern === undefined ? [] : taken(pattern, [], typeNode(pattern))
}

function taken(
  node: EsNode,
  way: readonly string[] | undefined,
  type: EsNode | undefined,
): readonly PatternName[] {
  switch (node.type) {
    case 'Identifier': {
      const name = textOf(node, 'name') ?? ''
      return [{ name, way, type: typeCode(type ?? typeNode(node)), initial: undefined, node }]
    }
    case 'AssignmentPattern': {
      const left = childOf(node, 'left')
      const initial = childOf(node, 'right')
      if (left === undefined) return []
      return taken(left, way, typeNode(left) ?? type).map((one) =>
        left.type === 'Identifier' ? { ...one, initial } : one,
      )
    }
    case 'ObjectPattern':
      return childrenOf(node, 'properties').flatMap((one) => {
        const key = one.type === 'Property' ? keyOf(one) : undefined
        const inner = childOf(one, one.type === 'Property' ? 'value' : 'argument')
        if (inner === undefined) return []
        const next = key === undefined || way === undefined ? undefined : [...way, key]
        return taken(inner, next, key === undefined ? undefined : memberType(type, key))
      })
    case 'ArrayPattern':
      return childrenOf(node, 'elements').flatMap((one) => taken(one, undefined, undefined))
    case 'RestElement': {
      const inner = childOf(node, 'argument')
      return inner === undefined ? [] : taken(inner, undefined, undefined)
    }
    default:
      return []
  }
}

function typeNode(node: EsNode): EsNode | undefined {
  const annotation = childOf(node, 'typeAnnotation')
  return annotation?.type === 'TSTypeAnnotation'
    ? childOf(annotation, 'typeAnnotation')
    : annotation
}

/** The type that is written at a node. */
export function typeIn(node: EsNode): Code | undefined {
  return typeCode(typeNode(node))
}

function memberType(type: EsNode | undefined, key: string): EsNode | undefined {
  if (type?.type !== 'TSTypeLiteral') return undefined
  const found = childrenOf(type, 'members').find((one) => keyOf(one) === key)
  return found === undefined ? undefined : typeNode(found)
}

/** A type by its name; of several, the first that has one. */
function typeCode(type: EsNode | undefined): Code | undefined {
  if (type === undefined) return undefined
  if (type.type === 'TSUnionType' || type.type === 'TSIntersectionType') {
    for (const one of childrenOf(type, 'types')) {
      const code = typeCode(one)
      if (code !== undefined) return code
    }
    return undefined
  }
  if (type.type !== 'TSTypeReference') return undefined
  const name = nameCode(childOf(type, 'typeName'))
  const wrapped = name?.kind === 'name' && /^(?:Promise|Readonly)$/.test(name.name)
  const holder = childOf(type, 'typeArguments')
  return wrapped && holder !== undefined ? typeCode(childrenOf(holder, 'params')[0]) : name
}

function nameCode(node: EsNode | undefined): Code | undefined {
  if (node === undefined) return undefined
  const { start, end } = node
  if (node.type === 'Identifier')
    return { kind: 'name', start, end, name: textOf(node, 'name') ?? '' }
  const object = nameCode(childOf(node, 'left'))
  const name = textOf(childOf(node, 'right'), 'name')
  return object === undefined || name === undefined
    ? undefined
    : { kind: 'member', start, end, object, name }
}

/** The names that an import makes known. */
export function importsOf(node: EsNode): readonly Code[] {
  const module = literalText(childOf(node, 'source'))
  if (module === undefined) return []
  return childrenOf(node, 'specifiers').map((one): Code => {
    const imported = childOf(one, 'imported')
    const name =
      one.type === 'ImportNamespaceSpecifier'
        ? undefined
        : one.type === 'ImportDefaultSpecifier'
          ? 'default'
          : (textOf(imported, 'name') ?? textOf(imported, 'value'))
    return {
      kind: 'import',
      ...at(one),
      local: textOf(childOf(one, 'local'), 'name'),
      module,
      name,
    }
  })
}

/** `import a = require('a')`, and `import a = b.c`. */
export function importEquals(node: EsNode): readonly Code[] {
  const local = textOf(childOf(node, 'id'), 'name')
  const reference = childOf(node, 'moduleReference')
  if (local === undefined || reference === undefined) return []
  const module = literalText(childOf(reference, 'expression'))
  if (module !== undefined) return [{ kind: 'import', ...at(node), local, module, name: undefined }]
  const value = nameCode(reference)
  return [
    {
      kind: 'declare',
      ...at(node),
      name: local,
      value,
      type: undefined,
      isHoisted: false,
      isExported: false,
    },
  ]
}

/** `export * from 'a'`, and `export * as b from 'a'`. */
export function exportAll(node: EsNode): readonly Code[] {
  const module = literalText(childOf(node, 'source'))
  if (module === undefined) return []
  const value: Code = { kind: 'import', ...at(node), local: undefined, module, name: undefined }
  return [{ kind: 'export', ...at(node), name: textOf(childOf(node, 'exported'), 'name'), value }]
}

function at({ start, end }: At): At {
  return { start, end }
}
