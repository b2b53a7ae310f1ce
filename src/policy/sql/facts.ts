import { limits } from '../../limits.ts'
import { postgresParser } from '../parsers.ts'
import type { Parsing } from '../parsing.ts'
import { isHarmlessFunction, knownNodes } from './harmless.ts'

/** What a text of SQL does, as PostgreSQL reads it. */
export interface SqlFacts {
  /** What its statements and those inside of them do: `select`, `delete`, `create`. */
  readonly kinds: ReadonlySet<string>
  /** Tables with their schema where the text names one. */
  readonly tables: ReadonlySet<string>
  readonly functions: ReadonlySet<string>
  /** Whether it may do more than is here, besides what its functions do: run texts, or hold nodes of an unknown kind. */
  readonly isOpaque: boolean
  /** Whether the tables of everything in it are known. */
  readonly knowsTables: boolean
}

/** The parser takes the square of the time for these in a row, such as `/*` again and again; nobody writes so many. */
const operators = /[~!@#^&|`?+\-*/%<>=]{257}/

/**
 * Reads a text of SQL; undefined when it is too long, alone or with all others of the call, no SQL, or when the parser is
 * not ready.
 */
export function readSql(text: string, parsing: Parsing | undefined): SqlFacts | undefined {
  if (Buffer.byteLength(text) > limits.maxSqlBytes || operators.test(text)) return undefined
  if (parsing?.takeText(text.length) === false) return undefined
  try {
    const tree: unknown = postgresParser()?.parseSync(text)
    if (tree === undefined) return undefined
    const walk = new TreeWalk()
    walk.visit(tree, { scope: undefined, depth: 0 })
    return walk.kinds.size === 0 ? undefined : walk
  } catch {
    // No SQL of PostgreSQL, or nested deeper than the parser bears.
    return undefined
  }
}

/** Names that stand for a query of `WITH` here, and not for a table. */
interface Scope {
  readonly names: ReadonlySet<string>
  readonly outer: Scope | undefined
}

/** What is known where a node stands. */
interface Where {
  readonly scope: Scope | undefined
  readonly depth: number
  /** The name of the member that holds the node. */
  readonly key?: string
}

/** Nesting of a tree, levels: one in the text is up to ten here. */
const maxTreeDepth = 2000

class TreeWalk implements SqlFacts {
  readonly kinds = new Set<string>()
  readonly tables = new Set<string>()
  readonly functions = new Set<string>()
  isOpaque = false
  knowsTables = true

  visit(value: unknown, where: Where): void {
    if (typeof value !== 'object' || value === null) return
    if (where.depth > maxTreeDepth) {
      this.isOpaque = true
      this.knowsTables = false
      return
    }
    if (Array.isArray(value)) {
      for (const item of value) this.visit(item, { ...where, depth: where.depth + 1 })
      return
    }
    const entries: readonly (readonly [string, unknown])[] = Object.entries(value)
    this.#object(new Map(entries), where)
  }

  #object(node: ReadonlyMap<string, unknown>, where: Where): void {
    const scope = this.#with(node, where)
    this.#table(node, where)
    for (const [key, member] of node) {
      if (key === 'withClause') continue
      if (/^[A-Z]/.test(key)) this.#node(key, member)
      if (key === 'intoClause') this.kinds.add('create')
      if (key === 'funcname') this.#call(member)
      if (key === 'lockingClause') this.kinds.add('lock')
      if (isOperator(key, where)) this.#operator(member)
      this.visit(member, { scope, depth: where.depth + 1, key })
    }
  }

  #node(name: string, member: unknown): void {
    if (name.endsWith('Stmt')) this.#statement(name, member)
    else if (!knownNodes.has(name) && name !== 'LockingClause') this.isOpaque = true
  }

  #statement(name: string, member: unknown): void {
    const kind = kindOf(name)
    if (name !== 'RawStmt') this.kinds.add(kind)
    if (knownNodes.has(name)) return
    // `COPY ... TO PROGRAM`, `DO`, `CALL`, `EXECUTE`: what these do does not stand in the tree.
    if (!plainlyNamed.has(kind)) this.isOpaque = true
    if (kind === 'drop') this.#dropped(member)
    else if (kind !== 'truncate' && kind !== 'copy') this.knowsTables = false
  }

  /** What `DROP TABLE a.b, c` names stands there as lists of texts. */
  #dropped(member: unknown): void {
    const objects = memberOf(member, 'objects')
    if (!Array.isArray(objects)) {
      this.knowsTables = false
      return
    }
    for (const one of objects) {
      const name = textsIn(memberOf(memberOf(one, 'List'), 'items'))
      if (name === undefined) this.knowsTables = false
      else this.tables.add(name)
    }
  }

  /** Visits the queries of `WITH`, and gives the names that are known beside them. */
  #with(node: ReadonlyMap<string, unknown>, where: Where): Scope | undefined {
    const clause = node.get('withClause')
    const queries = memberOf(clause, 'ctes')
    if (!Array.isArray(queries)) return where.scope
    const named = queries.map((one: unknown) =>
      memberOf(memberOf(one, 'CommonTableExpr'), 'ctename'),
    )
    const names = named.filter((name) => typeof name === 'string')
    if (names.length !== queries.length) this.isOpaque = true
    const isRecursive = memberOf(clause, 'recursive') === true
    const known = new Set(isRecursive ? names : [])
    const scope = { names: known, outer: where.scope }
    queries.forEach((one: unknown, at) => {
      // Each knows those before it, because it is visited before its own name is added.
      this.visit(one, { scope, depth: where.depth + 1 })
      const name = names[at]
      if (name !== undefined) known.add(name)
    })
    return scope
  }

  #table(node: ReadonlyMap<string, unknown>, { scope, key }: Where): void {
    const name = node.get('relname')
    if (typeof name !== 'string') return
    const names = [node.get('catalogname'), node.get('schemaname'), name]
    const given = names.filter((one) => typeof one === 'string')
    // What is written to is a table, also where a query has its name.
    const isQuery = given.length === 1 && isIn(scope, name) && key !== 'relation' && key !== 'rel'
    if (!isQuery) this.tables.add(given.join('.'))
  }

  #call(member: unknown): void {
    const name = textsIn(member)
    if (name === undefined) this.isOpaque = true
    else this.functions.add(name)
    if (name !== undefined && !isHarmlessFunction(name)) {
      // It may read and change whatever its body says.
      this.knowsTables = false
    }
  }

  /** An operator of a schema is a function that somebody made. */
  #operator(member: unknown): void {
    if (!Array.isArray(member) || member.length !== 1) this.isOpaque = true
  }
}

function isIn(scope: Scope | undefined, name: string): boolean {
  for (let at = scope; at !== undefined; at = at.outer) if (at.names.has(name)) return true
  return false
}

/** Whether a member names an operator: between values, before `ANY (SELECT …)`, or behind `ORDER BY … USING`. */
function isOperator(key: string, where: Where): boolean {
  return key === 'operName' || key === 'useOp' || (key === 'name' && where.key === 'A_Expr')
}

/** Kinds whose statements do what they say, and nothing else. */
const plainlyNamed = new Set(['drop', 'truncate', 'alter', 'grant', 'comment', 'show', 'lock'])

const otherKinds: ReadonlyMap<string, string> = new Map([
  ...['IndexStmt', 'ViewStmt', 'RuleStmt', 'DefineStmt', 'CreatedbStmt'].map(
    (name): [string, string] => [name, 'create'],
  ),
  ...['DropdbStmt', 'DropOwnedStmt'].map((name): [string, string] => [name, 'drop']),
  ['RenameStmt', 'alter'],
  ['VariableSetStmt', 'set'],
  ['VariableShowStmt', 'show'],
])

function kindOf(name: string): string {
  return otherKinds.get(name) ?? (/^[A-Z][a-z]*/.exec(name)?.[0] ?? name).toLowerCase()
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return Object.entries(value).find(([name]) => name === key)?.[1]
}

/** The texts of a list of names, with dots between them. */
function textsIn(list: unknown): string | undefined {
  if (!Array.isArray(list) || list.length === 0) return undefined
  const texts = list.map((item: unknown) => memberOf(memberOf(item, 'String'), 'sval'))
  const found = texts.filter((text) => typeof text === 'string')
  return found.length === list.length ? found.join('.') : undefined
}
