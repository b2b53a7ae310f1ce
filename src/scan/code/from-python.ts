import { pyChild, pyChildren, parsePython, type PyNode } from './py-node.ts'
import { at, PyExpressions } from './py-expressions.ts'
import type { ClassMember, Code, CodeFile, FunctionCode, Parameter } from './tree.ts'

/**
 * Reads Python.
 *
 * What its parser cannot make sense of is told beside what it can.
 *
 * @throws TooMuchCode
 */
export async function readPython(_name: string, text: string): Promise<CodeFile> {
  const { root, comments, error } = await parsePython(text)
  return {
    parts: new PyReader().statements(root),
    remarks: comments.map(({ start, end, text: remark }) => ({ start, end, text: remark })),
    broken: error === undefined ? undefined : { at: error, why: 'it is no Python at this place' },
  }
}

/** Makes the scanner's form of a tree of Python. */
class PyReader extends PyExpressions {
  override statements(block: PyNode | undefined): readonly Code[] {
    return (block?.children ?? []).flatMap((node) => this.#statement(node))
  }

  #statement(node: PyNode): readonly Code[] {
    switch (node.type) {
      case 'import_statement':
        return pyChildren(node, 'name').flatMap(imported)
      case 'import_from_statement':
        return importedFrom(node)
      case 'decorated_definition':
        return this.#decorated(node)
      case 'function_definition':
      case 'class_definition':
        return [this.#declared(node, [])]
      case 'expression_statement':
        return node.children.flatMap((child) => this.#expressionStatement(child))
      case 'return_statement': {
        const [value] = node.children
        return value === undefined
          ? []
          : [{ kind: 'return', ...at(node), value: this.expression(value) }]
      }
      case 'with_statement':
        return [...this.#with(node), ...this.statements(pyChild(node, 'body'))]
      case 'for_statement':
        return [
          ...this.targets(pyChild(node, 'left'), undefined),
          ...this.#rest(node.children.filter(({ field }) => field !== 'left')),
        ]
      case 'block':
        return this.statements(node)
      default:
        return this.#rest(statementParts.has(node.type) ? node.children : [node])
    }
  }

  #rest(nodes: readonly PyNode[]): readonly Code[] {
    return nodes.flatMap((node) =>
      statementParts.has(node.type) || node.type === 'block'
        ? this.#statement(node)
        : [this.expression(node)],
    )
  }

  #expressionStatement(node: PyNode): readonly Code[] {
    if (node.type !== 'assignment') return [this.expression(node, false)]
    const right = pyChild(node, 'right')
    // `a = b = c`
    if (right?.type === 'assignment') {
      const value = pyChild(right, 'right')
      return [...this.#expressionStatement(right), ...this.targets(pyChild(node, 'left'), value)]
    }
    return this.targets(pyChild(node, 'left'), right, this.type(pyChild(node, 'type')))
  }

  #with(node: PyNode): readonly Code[] {
    const clause = node.children.find(({ type }) => type === 'with_clause')
    return (clause?.children ?? []).flatMap((item) => {
      const value = pyChild(item, 'value')
      if (value?.type !== 'as_pattern') return value === undefined ? [] : [this.expression(value)]
      const [what] = value.children
      return this.targets(pyChild(value, 'alias')?.children[0], what)
    })
  }

  #decorated(node: PyNode): readonly Code[] {
    const definition = pyChild(node, 'definition')
    const decorators = node.children
      .filter(({ type }) => type === 'decorator')
      .flatMap(({ children }) => children.slice(0, 1).map((child) => this.expression(child)))
    return definition === undefined ? decorators : [this.#declared(definition, decorators)]
  }

  #declared(node: PyNode, decorators: readonly Code[]): Code {
    const name = pyChild(node, 'name')?.text ?? ''
    const value =
      node.type === 'class_definition'
        ? this.#class(node, decorators)
        : this.#function(node, decorators)
    return declare(node, name, value)
  }

  #function(node: PyNode, decorators: readonly Code[], self?: string): FunctionCode {
    const parameters = this.#parameters(pyChild(node, 'parameters'))
    const inside = this.within(self, () => this.statements(pyChild(node, 'body')))
    return {
      kind: 'function',
      ...at(pyChild(node, 'name') ?? node),
      name: pyChild(node, 'name')?.text,
      parameters: self === undefined ? parameters : parameters.slice(1),
      body: inside,
      decorators,
    }
  }

  protected override lambda(node: PyNode): Code {
    const body = pyChild(node, 'body')
    return {
      kind: 'function',
      ...at(node),
      name: undefined,
      parameters: this.#parameters(pyChild(node, 'parameters')),
      body:
        body === undefined ? [] : [{ kind: 'return', ...at(body), value: this.expression(body) }],
      decorators: [],
    }
  }

  #parameters(node: PyNode | undefined): readonly Parameter[] {
    let isPlaced = true
    return (node?.children ?? []).flatMap((one, index): readonly Parameter[] => {
      if (/splat|separator/.test(one.type)) isPlaced = false
      const named = pyChild(one, 'name') ?? (one.type === 'identifier' ? one : one.children[0])
      if (named?.type !== 'identifier') return []
      const initial = pyChild(one, 'value')
      return [
        {
          ...at(one),
          name: named.text,
          place: isPlaced ? index : undefined,
          type: this.type(pyChild(one, 'type')),
          initial: initial === undefined ? undefined : this.expression(initial),
        },
      ]
    })
  }

  #class(node: PyNode, decorators: readonly Code[]): Code {
    const bases = (pyChild(node, 'superclasses')?.children ?? [])
      .filter(({ type }) => type !== 'keyword_argument')
      .map((base) => this.bare(base))
    const members: ClassMember[] = []
    const rest: Code[] = []
    for (const one of pyChild(node, 'body')?.children ?? []) this.#member(one, members, rest)
    const name = pyChild(node, 'name')
    return {
      kind: 'class',
      ...at(name ?? node),
      name: name?.text,
      bases,
      members,
      decorators,
      rest,
    }
  }

  #member(node: PyNode, members: ClassMember[], rest: Code[]): void {
    const definition = node.type === 'decorated_definition' ? pyChild(node, 'definition') : node
    if (definition?.type === 'function_definition') {
      const decorators = node === definition ? [] : this.#decoratorsOf(node)
      const isStatic = decorators.some((one) => one.kind === 'name' && one.name === 'staticmethod')
      const first = pyChild(definition, 'parameters')?.children[0]
      const self = isStatic || first?.type !== 'identifier' ? undefined : first.text
      const value = this.#function(definition, decorators, self)
      members.push({ ...at(definition), name: value.name ?? '', value, type: undefined })
      return
    }
    const [only] = node.type === 'expression_statement' ? node.children : []
    const left = only?.type === 'assignment' ? pyChild(only, 'left') : undefined
    if (only !== undefined && left?.type === 'identifier') {
      const right = pyChild(only, 'right')
      const value = right === undefined ? undefined : this.expression(right)
      const type = this.type(pyChild(only, 'type'))
      members.push({ ...at(only), name: left.text, value, type })
      return
    }
    rest.push({ kind: 'block', ...at(node), parts: this.#statement(node) })
  }

  #decoratorsOf(node: PyNode): readonly Code[] {
    return node.children
      .filter(({ type }) => type === 'decorator')
      .flatMap(({ children }) => children.slice(0, 1).map((child) => this.expression(child)))
  }
}

/** What holds statements, in parts that are blocks or belong to such. */
const statementParts = new Set([
  'assert_statement',
  'case_clause',
  'class_definition',
  'decorated_definition',
  'delete_statement',
  'elif_clause',
  'else_clause',
  'except_clause',
  'except_group_clause',
  'expression_statement',
  'finally_clause',
  'for_statement',
  'function_definition',
  'global_statement',
  'if_statement',
  'import_from_statement',
  'import_statement',
  'match_statement',
  'raise_statement',
  'return_statement',
  'try_statement',
  'while_statement',
  'with_statement',
  'ERROR',
])

function declare(node: PyNode, name: string, value: Code | undefined): Code {
  const reach = { isHoisted: true, isExported: false }
  return { kind: 'declare', ...at(node), name, value, type: undefined, ...reach }
}

function imported(node: PyNode): readonly Code[] {
  const name = node.type === 'aliased_import' ? pyChild(node, 'name') : node
  const module = name?.text ?? ''
  const alias = pyChild(node, 'alias')?.text
  // `import a.b` makes `a` known, and `import a.b as c` what is in it.
  const first = module.split('.')[0] ?? module
  const load = { kind: 'import', ...at(node), name: undefined } as const
  if (alias !== undefined) return [{ ...load, local: alias, module }]
  const whole: readonly Code[] = module === first ? [] : [{ ...load, local: undefined, module }]
  return [{ ...load, local: first, module: first }, ...whole]
}

function importedFrom(node: PyNode): readonly Code[] {
  const module = pyChild(node, 'module_name')?.text.replaceAll(/\s/g, '') ?? ''
  if (node.children.some(({ type }) => type === 'wildcard_import'))
    return [{ kind: 'import', ...at(node), local: '*', module, name: undefined }]
  return pyChildren(node, 'name').map((one): Code => {
    const name = one.type === 'aliased_import' ? pyChild(one, 'name')?.text : one.text
    const local = pyChild(one, 'alias')?.text ?? name
    return { kind: 'import', ...at(one), local, module, name }
  })
}
