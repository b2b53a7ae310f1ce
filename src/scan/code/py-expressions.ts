import { pyChild, pyChildren, pyText, type PyNode } from './py-node.ts'
import type { Argument, At, CallCode, Code } from './tree.ts'

/** Makes the scanner's form of expressions of Python. */
export abstract class PyExpressions {
  /** What the first parameter of the methods around is called. */
  #selves: readonly string[] = []

  /** What is read as statements. */
  abstract statements(block: PyNode | undefined): readonly Code[]

  protected abstract lambda(node: PyNode): Code

  /** Reads what stands in a method, where `self` is the object. */
  protected within<T>(self: string | undefined, step: () => T): T {
    const before = this.#selves
    if (self !== undefined) this.#selves = [...before, self]
    const answer = step()
    this.#selves = before
    return answer
  }

  protected expression(node: PyNode, isUsed = true): Code {
    switch (node.type) {
      case 'await':
      case 'parenthesized_expression':
      case 'type': {
        const [only] = node.children
        return only === undefined ? this.#other(node) : this.expression(only, isUsed)
      }
      case 'identifier': {
        const name = node.text
        return { kind: 'name', ...at(node), name: this.#selves.includes(name) ? 'this' : name }
      }
      case 'string':
      case 'concatenated_string': {
        const value = pyText(node)
        return value === undefined ? this.#other(node) : { kind: 'text', ...at(node), value }
      }
      case 'true':
      case 'false':
        return { kind: 'flag', ...at(node), value: node.type === 'true' }
      case 'none':
        return { kind: 'flag', ...at(node), value: null }
      case 'integer':
      case 'float':
        return { kind: 'flag', ...at(node), value: Number(node.text) }
      case 'attribute':
        return this.#attribute(node)
      case 'subscript':
        return this.#subscript(node)
      case 'call':
        return this.#call(node, isUsed)
      case 'list':
      case 'tuple':
      case 'set':
      case 'expression_list':
        return { kind: 'list', ...at(node), items: node.children.map((item) => this.#item(item)) }
      case 'dictionary':
        return this.#dictionary(node)
      case 'conditional_expression':
        return this.#conditional(node)
      case 'boolean_operator': {
        const options = node.children.map((child) => this.expression(child))
        return { kind: 'choice', ...at(node), test: undefined, options }
      }
      case 'named_expression':
        return this.#named(node)
      case 'lambda':
        return this.lambda(node)
      default:
        return this.#other(node)
    }
  }

  #other(node: PyNode): Code {
    const parts = node.children.map((child) => this.expression(child))
    return { kind: 'other', ...at(node), parts }
  }

  #item(node: PyNode): Code {
    return this.expression(node)
  }

  #attribute(node: PyNode): Code {
    const object = pyChild(node, 'object')
    const name = pyChild(node, 'attribute')?.text
    if (object === undefined || name === undefined) return this.#other(node)
    return { kind: 'member', ...at(node), object: this.expression(object), name }
  }

  #subscript(node: PyNode): Code {
    const value = pyChild(node, 'value')
    const [key, ...others] = pyChildren(node, 'subscript')
    const name = key?.type === 'integer' ? key.text : pyText(key)
    if (value === undefined || name === undefined || others.length > 0) return this.#other(node)
    return { kind: 'member', ...at(node), object: this.expression(value), name }
  }

  /** What is called, or made something from: `Agent[Dependencies]` is `Agent`. */
  protected bare(node: PyNode): Code {
    const value = node.type === 'subscript' ? pyChild(node, 'value') : undefined
    const isType = value !== undefined && /^(?:identifier|attribute)$/.test(value.type)
    const [key] = pyChildren(node, 'subscript')
    return isType && pyText(key) === undefined && key?.type !== 'integer'
      ? this.expression(value)
      : this.expression(node)
  }

  #call(node: PyNode, isUsed: boolean): CallCode {
    const callee = pyChild(node, 'function')
    const given = pyChild(node, 'arguments')
    // `f(x for x in y)` has one argument, and no list of them.
    const list =
      given?.type === 'argument_list' ? given.children : given === undefined ? [] : [given]
    return {
      kind: 'call',
      ...at(node),
      callee: callee === undefined ? { kind: 'other', ...at(node), parts: [] } : this.bare(callee),
      args: list.map((one) => this.#argument(one)),
      isUsed,
    }
  }

  #argument(node: PyNode): Argument {
    const isSpread = node.type === 'list_splat' || node.type === 'dictionary_splat'
    if (node.type === 'keyword_argument') {
      const value = pyChild(node, 'value') ?? node
      return { name: pyChild(node, 'name')?.text, value: this.expression(value), isSpread }
    }
    const [inner] = isSpread ? node.children : [node]
    return { name: undefined, value: this.expression(inner ?? node), isSpread }
  }

  #dictionary(node: PyNode): Code {
    const entries: { readonly name: string; readonly value: Code }[] = []
    const rest: Code[] = []
    for (const pair of node.children) {
      const key = pyChild(pair, 'key')
      const value = pyChild(pair, 'value') ?? pair.children[0] ?? pair
      const name = pair.type === 'pair' ? (pyText(key) ?? numberText(key)) : undefined
      if (name === undefined) rest.push(this.expression(value))
      else entries.push({ name, value: this.expression(value) })
    }
    return { kind: 'object', ...at(node), entries, rest }
  }

  #conditional(node: PyNode): Code {
    const [first, test, last] = node.children
    const options = [first, last].flatMap((one) =>
      one === undefined ? [] : [this.expression(one)],
    )
    return {
      kind: 'choice',
      ...at(node),
      test: test === undefined ? undefined : this.expression(test),
      options,
    }
  }

  #named(node: PyNode): Code {
    const name = pyChild(node, 'name')
    const value = pyChild(node, 'value')
    if (name === undefined || value === undefined) return this.#other(node)
    const held = this.expression(value)
    const [declared] = this.targets(name, value)
    return declared?.kind === 'declare'
      ? {
          kind: 'choice',
          ...at(node),
          test: declared,
          options: [{ kind: 'name', ...at(name), name: name.text }],
        }
      : held
  }

  /** The names that get a value, or a part of it. */
  protected targets(
    target: PyNode | undefined,
    value: PyNode | undefined,
    type?: Code,
  ): readonly Code[] {
    if (target === undefined) return value === undefined ? [] : [this.expression(value)]
    const code = value === undefined ? undefined : this.expression(value)
    if (target.type === 'identifier') {
      const reach = { isHoisted: true, isExported: false }
      return [{ kind: 'declare', ...at(target), name: target.text, value: code, type, ...reach }]
    }
    if (!/^(?:pattern_list|tuple_pattern|list_pattern|tuple|list)$/.test(target.type)) {
      return code === undefined
        ? [this.expression(target)]
        : [{ kind: 'assign', ...at(target), target: this.expression(target), value: code }]
    }
    const holder = ` taken at ${String(target.start)}`
    const reach = { isHoisted: true, isExported: false }
    const held: Code = { kind: 'declare', ...at(target), name: holder, value: code, type, ...reach }
    const parts = target.children.map((one, index): Code => {
      const object: Code = { kind: 'name', ...at(one), name: holder }
      const part: Code = { kind: 'member', ...at(one), object, name: String(index) }
      return one.type === 'identifier'
        ? { kind: 'declare', ...at(one), name: one.text, value: part, type: undefined, ...reach }
        : { kind: 'other', ...at(one), parts: [part] }
    })
    return [held, ...parts]
  }

  /** A type by its name: what may be missing, or is only remarked on, is the type itself. */
  protected type(node: PyNode | undefined): Code | undefined {
    const [inner] = node?.type === 'type' ? node.children : [node]
    if (inner === undefined) return undefined
    if (inner.type === 'identifier' || inner.type === 'attribute') return this.expression(inner)
    if (inner.type === 'string') {
      const name = pyText(inner) ?? ''
      return /^\w+$/.test(name) ? { kind: 'name', ...at(inner), name } : undefined
    }
    if (inner.type === 'binary_operator' || inner.type === 'union_type') {
      const [first] = inner.children.flatMap((child) => this.type(child) ?? [])
      return first
    }
    if (inner.type === 'subscript' || inner.type === 'generic_type') {
      const [name, ...rest] = inner.children
      if (name === undefined) return undefined
      const isWrapper = /^(?:typing\.)?(?:Optional|Annotated|Final|ClassVar)$/.test(name.text)
      const [first] = rest[0]?.type === 'type_parameter' ? rest[0].children : rest
      return isWrapper ? this.type(first) : this.expression(name)
    }
    return undefined
  }
}

function numberText(node: PyNode | undefined): string | undefined {
  return node?.type === 'integer' ? node.text : undefined
}

/** Where a node stands. */
export function at({ start, end }: At): At {
  return { start, end }
}
