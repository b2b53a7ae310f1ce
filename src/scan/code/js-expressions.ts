import { codeBounds } from './bounds.ts'
import {
  childOf,
  childrenOf,
  everyChild,
  keyOf,
  literalText,
  NodeBudget,
  textOf,
  type EsNode,
} from './es-node.ts'
import { namesIn, typeIn } from './js-patterns.ts'
import type { Argument, At, ClassMember, Code, Parameter } from './tree.ts'

/** What stands around an expression and says nothing about what it is. */
const wrappers = new Set([
  'AwaitExpression',
  'ChainExpression',
  'ParenthesizedExpression',
  'TSAsExpression',
  'TSInstantiationExpression',
  'TSNonNullExpression',
  'TSSatisfiesExpression',
  'TSTypeAssertion',
])

const blocks = new Set([
  'BlockStatement',
  'CatchClause',
  'ForInStatement',
  'ForOfStatement',
  'ForStatement',
  'StaticBlock',
  'SwitchStatement',
  'TSModuleBlock',
])

/** What is read as statements, which may make names known; everything else is an expression. */
const statements = new Set([
  'ClassDeclaration',
  'ExportAllDeclaration',
  'ExportDefaultDeclaration',
  'ExportNamedDeclaration',
  'ExpressionStatement',
  'FunctionDeclaration',
  'ImportDeclaration',
  'ReturnStatement',
  'TSImportEqualsDeclaration',
  'VariableDeclaration',
])

/** Makes the scanner's form of expressions of JavaScript. */
export abstract class JsExpressions {
  protected readonly budget: NodeBudget = new NodeBudget(codeBounds)

  /** What is read as statements. */
  abstract statements(nodes: readonly EsNode[]): readonly Code[]

  /** The names that a pattern makes known, taken out of a value. */
  protected abstract patternNames(
    pattern: EsNode | undefined,
    value: Code | undefined,
  ): readonly Code[]

  protected expression(node: EsNode | undefined, around: EsNode, isUsed = true): Code {
    if (node === undefined) return { kind: 'other', ...at(around), parts: [] }
    return this.budget.within(() => this.#expressionOf(node, isUsed))
  }

  #expressionOf(node: EsNode, isUsed: boolean): Code {
    if (wrappers.has(node.type)) {
      return this.expression(childOf(node, 'expression') ?? childOf(node, 'argument'), node, isUsed)
    }
    switch (node.type) {
      case 'Identifier':
      case 'JSXIdentifier':
        return { kind: 'name', ...at(node), name: textOf(node, 'name') ?? '' }
      case 'ThisExpression':
        return { kind: 'name', ...at(node), name: 'this' }
      case 'Literal':
      case 'TemplateLiteral':
        return this.#literal(node)
      case 'MemberExpression':
        return this.#member(node)
      case 'CallExpression':
      case 'NewExpression':
        return this.#call(node, isUsed)
      case 'ImportExpression':
        return this.#dynamicImport(node)
      case 'ObjectExpression':
        return this.#object(node)
      case 'ArrayExpression': {
        const items = childrenOf(node, 'elements').map((item) => this.expression(item, node))
        return { kind: 'list', ...at(node), items }
      }
      case 'ConditionalExpression':
      case 'LogicalExpression':
        return this.#choice(node)
      case 'AssignmentExpression':
        return {
          kind: 'assign',
          ...at(node),
          target: this.expression(childOf(node, 'left'), node),
          value: this.expression(childOf(node, 'right'), node),
        }
      case 'ArrowFunctionExpression':
      case 'FunctionExpression':
      case 'FunctionDeclaration':
        return this.function(node)
      case 'ClassExpression':
      case 'ClassDeclaration':
        return this.class(node)
      default:
        return this.#other(node)
    }
  }

  #literal(node: EsNode): Code {
    const text = literalText(node)
    if (text !== undefined) return { kind: 'text', ...at(node), value: text }
    const value = node['value']
    if (node.type === 'Literal' && (typeof value === 'boolean' || typeof value === 'number'))
      return { kind: 'flag', ...at(node), value }
    const parts = childrenOf(node, 'expressions').map((part) => this.expression(part, node))
    return { kind: 'other', ...at(node), parts }
  }

  #member(node: EsNode): Code {
    const object = this.expression(childOf(node, 'object'), node)
    const name = keyOf(node, 'property')
    if (name !== undefined) return { kind: 'member', ...at(node), object, name }
    const key = this.expression(childOf(node, 'property'), node)
    return { kind: 'other', ...at(node), parts: [object, key] }
  }

  #call(node: EsNode, isUsed: boolean): Code {
    const args = childrenOf(node, 'arguments').map((one): Argument => {
      const isSpread = one.type === 'SpreadElement'
      const value = this.expression(isSpread ? childOf(one, 'argument') : one, node)
      return { name: undefined, value, isSpread }
    })
    const callee = this.expression(childOf(node, 'callee'), node)
    const [first] = args
    const isRequire = callee.kind === 'name' && callee.name === 'require'
    if (isRequire && args.length === 1 && first?.value.kind === 'text')
      return {
        kind: 'import',
        ...at(node),
        local: undefined,
        module: first.value.value,
        name: undefined,
      }
    return { kind: 'call', ...at(node), callee, args, isUsed }
  }

  #dynamicImport(node: EsNode): Code {
    const module = literalText(childOf(node, 'source'))
    if (module !== undefined)
      return { kind: 'import', ...at(node), local: undefined, module, name: undefined }
    return { kind: 'other', ...at(node), parts: [this.expression(childOf(node, 'source'), node)] }
  }

  #object(node: EsNode): Code {
    const entries: { readonly name: string; readonly value: Code }[] = []
    const rest: Code[] = []
    for (const property of childrenOf(node, 'properties')) {
      const name = property.type === 'Property' ? keyOf(property) : undefined
      const inner = childOf(property, property.type === 'Property' ? 'value' : 'argument')
      const value = this.expression(inner, property)
      if (name === undefined) rest.push(value)
      else entries.push({ name, value })
    }
    return { kind: 'object', ...at(node), entries, rest }
  }

  #choice(node: EsNode): Code {
    const isLogical = node.type === 'LogicalExpression'
    const names = isLogical ? ['left', 'right'] : ['consequent', 'alternate']
    const test = childOf(node, 'test')
    return {
      kind: 'choice',
      ...at(node),
      test: test === undefined ? undefined : this.expression(test, node),
      options: names.map((name) => this.expression(childOf(node, name), node)),
    }
  }

  #other(node: EsNode): Code {
    // Types hold no code, and a label is no name that is used.
    if (node.type.startsWith('TS') && !/^TS(?:Module|Export|Enum)/.test(node.type))
      return { kind: 'other', ...at(node), parts: [] }
    if (/^(?:Break|Continue)Statement$/.test(node.type))
      return { kind: 'other', ...at(node), parts: [] }
    const isVoid = node.type === 'UnaryExpression' && node['operator'] === 'void'
    const parts = operandsOf(node).flatMap((child) =>
      statements.has(child.type)
        ? this.statements([child])
        : [this.expression(child, node, !isVoid)],
    )
    const caught =
      node.type === 'CatchClause' ? this.patternNames(childOf(node, 'param'), undefined) : []
    const kind = blocks.has(node.type) ? 'block' : 'other'
    return { kind, ...at(node), parts: [...caught, ...parts] }
  }

  protected function(node: EsNode): Code {
    const body = childOf(node, 'body')
    const isBlock = body?.type === 'BlockStatement'
    const parts: readonly Code[] = isBlock
      ? this.statements(childrenOf(body, 'body'))
      : body === undefined
        ? []
        : [{ kind: 'return', ...at(body), value: this.expression(body, node) }]
    return {
      kind: 'function',
      ...at(node),
      name: textOf(childOf(node, 'id'), 'name'),
      parameters: childrenOf(node, 'params').flatMap((one, place) => this.#parameters(one, place)),
      body: parts,
      decorators: [],
    }
  }

  #parameters(node: EsNode, index: number): readonly Parameter[] {
    const pattern = childOf(node, 'parameter') ?? node
    return namesIn(pattern).map(({ name, way, type, initial, node: place }) => ({
      ...at(place),
      name,
      place: way?.length === 0 ? index : undefined,
      type,
      initial: initial === undefined ? undefined : this.expression(initial, place),
    }))
  }

  protected class(node: EsNode): Code {
    const base = childOf(node, 'superClass')
    const body = childOf(node, 'body')
    const found = body === undefined ? [] : childrenOf(body, 'body')
    const members: ClassMember[] = []
    const rest: Code[] = []
    for (const one of found) {
      const name = keyOf(one)
      const value = childOf(one, 'value')
      const read = value === undefined ? undefined : this.expression(value, one)
      if (name === undefined) rest.push(read ?? this.#other(one))
      else members.push({ ...at(one), name, value: read, type: typeIn(one) })
      if (name === 'constructor' && value !== undefined) members.push(...parameterFields(value))
    }
    const decorators = childrenOf(node, 'decorators').map((one) =>
      this.expression(childOf(one, 'expression'), one),
    )
    return {
      kind: 'class',
      ...at(childOf(node, 'id') ?? node),
      end: node.end,
      name: textOf(childOf(node, 'id'), 'name'),
      bases: base === undefined ? [] : [this.expression(base, node)],
      members,
      decorators,
      rest,
    }
  }
}
/** The children of a node; of a long `a + b + c + …`, all operands, which lie as deep in each other as there are. */
function operandsOf(node: EsNode): readonly EsNode[] {
  if (node.type !== 'BinaryExpression') return everyChild(node)
  const found: EsNode[] = []
  let next: EsNode | undefined = node
  while (next?.type === 'BinaryExpression') {
    const right = childOf(next, 'right')
    if (right !== undefined) found.push(right)
    next = childOf(next, 'left')
  }
  if (next !== undefined) found.push(next)
  return found.toReversed()
}

/** `constructor(private server: Server)` makes a field. */
function parameterFields(constructor: EsNode): readonly ClassMember[] {
  return childrenOf(constructor, 'params')
    .filter(({ type }) => type === 'TSParameterProperty')
    .flatMap((one) => namesIn(childOf(one, 'parameter')))
    .map(({ name, type, node }) => ({ ...at(node), name, value: undefined, type }))
}

/** Where a node stands. */
export function at({ start, end }: At): At {
  return { start, end }
}

/** A part of a value, by the names that lead to it. */
export function partAt(value: Code, way: readonly string[]): Code {
  return way.reduce<Code>(
    (object, name) => ({ kind: 'member', ...at(object), object, name }),
    value,
  )
}
