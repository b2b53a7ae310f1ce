import { parseSync } from 'oxc-parser'
import { childOf, childrenOf, isNode, literalText, textOf, type EsNode } from './es-node.ts'
import { at, JsExpressions, partAt } from './js-expressions.ts'
import { exportAll, importEquals, importsOf, namesIn } from './js-patterns.ts'
import type { Code, CodeFile } from './tree.ts'

/** Where a name is known. */
interface Reach {
  readonly isHoisted: boolean
  readonly isExported: boolean
}

const languages: Readonly<Record<string, 'ts' | 'tsx' | 'jsx'>> = {
  ts: 'ts',
  mts: 'ts',
  cts: 'ts',
  tsx: 'tsx',
}

/**
 * Reads TypeScript or JavaScript, with or without JSX, by the ending of its name.
 *
 * @throws TooMuchCode
 */
export function readJs(name: string, text: string): CodeFile {
  const lang = languages[name.split('.').at(-1) ?? ''] ?? 'jsx'
  const { program, errors, comments } = parseSync(name, text, { lang, sourceType: 'unambiguous' })
  const [error] = errors
  // What is wrong by rules that the syntax does not need, such as a `return` outside a function, is told beside the tree.
  const isBroken = error !== undefined && program.body.length === 0
  const body: unknown = program.body
  return {
    parts: Array.isArray(body) ? new JsReader().statements(body.filter(isNode)) : [],
    remarks: comments.map(({ start, end, value }) => ({ start, end, text: value })),
    broken: isBroken ? { at: error.labels[0]?.start ?? 0, why: error.message } : undefined,
  }
}

/** Makes the scanner's form of a tree of JavaScript. */
class JsReader extends JsExpressions {
  override statements(nodes: readonly EsNode[]): readonly Code[] {
    return nodes.flatMap((node) => this.#statement(node))
  }

  #statement(node: EsNode, isExported = false): readonly Code[] {
    return this.budget.within(() => this.#statementOf(node, isExported))
  }

  #statementOf(node: EsNode, isExported: boolean): readonly Code[] {
    switch (node.type) {
      case 'ImportDeclaration':
        return importsOf(node)
      case 'TSImportEqualsDeclaration':
        return importEquals(node)
      case 'VariableDeclaration':
        return childrenOf(node, 'declarations').flatMap((one) =>
          this.#variables(one, { isHoisted: node['kind'] === 'var', isExported }),
        )
      case 'FunctionDeclaration':
      case 'ClassDeclaration':
        return [this.#named(node, isExported)]
      case 'ExportNamedDeclaration':
        return this.#exports(node)
      case 'ExportDefaultDeclaration':
        return this.#defaultExport(node)
      case 'ExportAllDeclaration':
        return exportAll(node)
      case 'ExpressionStatement':
        return [this.expression(childOf(node, 'expression'), node, false)]
      case 'ReturnStatement':
        return [
          { kind: 'return', ...at(node), value: this.expression(childOf(node, 'argument'), node) },
        ]
      default:
        return [this.expression(node, node)]
    }
  }

  #named(node: EsNode, isExported: boolean): Code {
    const name = textOf(childOf(node, 'id'), 'name')
    const value = node.type === 'ClassDeclaration' ? this.class(node) : this.function(node)
    if (name === undefined) return value
    return {
      kind: 'declare',
      ...at(node),
      name,
      value,
      type: undefined,
      isHoisted: false,
      isExported,
    }
  }

  #variables(node: EsNode, how: Reach): readonly Code[] {
    const init = childOf(node, 'init')
    const value = init === undefined ? undefined : this.expression(init, node)
    return this.patternNames(childOf(node, 'id'), value, how)
  }

  protected override patternNames(
    pattern: EsNode | undefined,
    value: Code | undefined,
    how: Reach = { isHoisted: false, isExported: false },
  ): readonly Code[] {
    const names = namesIn(pattern)
    const isWhole = names.some(({ way }) => way?.length === 0)
    // What is taken apart is read once, under a name that nobody can write.
    const whole = value === undefined || isWhole ? value : held(value)
    const declared = names.map(({ name, way, type, initial, node }): Code => {
      const taken = whole === undefined || way === undefined ? undefined : partAt(whole, way)
      const first = initial === undefined ? undefined : this.expression(initial, node)
      return { kind: 'declare', ...at(node), name, value: taken ?? first, type, ...how }
    })
    return value === undefined || isWhole ? declared : [holding(value), ...declared]
  }

  #exports(node: EsNode): readonly Code[] {
    const declaration = childOf(node, 'declaration')
    if (declaration !== undefined) return this.#statement(declaration, true)
    const module = literalText(childOf(node, 'source'))
    return childrenOf(node, 'specifiers').flatMap((one): readonly Code[] => {
      const from = childOf(one, 'local')
      const there = textOf(from, 'name') ?? textOf(from, 'value')
      const name =
        textOf(childOf(one, 'exported'), 'name') ?? textOf(childOf(one, 'exported'), 'value')
      if (there === undefined || name === undefined) return []
      if (module === undefined)
        return [
          { kind: 'export', ...at(one), name, value: { kind: 'name', ...at(one), name: there } },
        ]
      return [
        {
          kind: 'export',
          ...at(one),
          name,
          value: { kind: 'import', ...at(one), local: undefined, module, name: there },
        },
      ]
    })
  }

  #defaultExport(node: EsNode): readonly Code[] {
    const what = childOf(node, 'declaration')
    if (what === undefined) return []
    const isNamed = /^(?:Function|Class)Declaration$/.test(what.type)
    const name = isNamed ? textOf(childOf(what, 'id'), 'name') : undefined
    if (name === undefined) {
      const value = this.expression(what, node)
      return [{ kind: 'export', ...at(node), name: 'default', value }]
    }
    return [
      this.#named(what, false),
      { kind: 'export', ...at(node), name: 'default', value: { kind: 'name', ...at(node), name } },
    ]
  }
}

function heldName({ start }: Code): string {
  return ` taken at ${String(start)}`
}

function held(value: Code): Code {
  return { kind: 'name', ...at(value), name: heldName(value) }
}

function holding(value: Code): Code {
  const name = heldName(value)
  const reach: Reach = { isHoisted: false, isExported: false }
  return { kind: 'declare', ...at(value), name, value, type: undefined, ...reach }
}
