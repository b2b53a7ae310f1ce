import type { Truth } from '../answer.ts'
import type { Argument } from '../argument.ts'
import { foldText } from '../fold.ts'
import { compileGlob } from '../glob.ts'
import type { MatcherKind, MatcherTest } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { postgresParser } from '../parsers.ts'
import { readSql } from '../sql/facts.ts'
import type { SqlFacts } from '../sql/facts.ts'
import { isHarmlessFunction } from '../sql/harmless.ts'
import { allOf, truthOf } from '../truth.ts'
import { readSqlAsked } from './sql-read.ts'
import type { SqlData, SqlDialect } from './sql-read.ts'

/**
 * `sql`: the argument is SQL that does one of some things, or nothing but some things.
 *
 * It is read as PostgreSQL reads it, the whole tree: queries inside of queries, `WITH`, `SELECT INTO`. `statements`,
 * `tables` and `functions` are for guards; whatever may run more than the text says, such as `DO` or a function that
 * nobody here knows, is indeterminate. `only` is for grants: every statement is of these kinds, every table one of
 * `tables` if there are any, every function one that only computes or is listed under `functions`. Tables of the system
 * have to be listed by their own names. Text that another dialect would read differently is indeterminate, unless
 * `dialect` says that the server is PostgreSQL.
 */
export const sql: MatcherKind<SqlData> = {
  read: readSqlAsked,
  compile: (data) => {
    // Whoever opens a gate waits until it is ready (`parsersReady`); before that nothing is known.
    postgresParser()
    return data.only.length > 0 ? onlyTest(data) : findTest(data)
  },
  cost: costs.parse,
}

const known = new WeakMap<Argument, SqlFacts>()

/** Facts are kept, but not that there are none: the parser may get ready. */
function factsOf(argument: Argument): SqlFacts | undefined {
  const { text, call } = argument
  const facts =
    known.get(argument) ?? (text === undefined ? undefined : readSql(text, call?.parsing))
  if (facts !== undefined) known.set(argument, facts)
  return facts
}

/**
 * What other dialects, or other settings of PostgreSQL, take for the end of a text, the beginning of a comment, white
 * space, or a quote: SQL Server and SQLite have names in brackets.
 */
const ambiguous =
  /[\\`#"]|--|\/\*|\$(?!\d)|u&|;\s*\S|[^\P{Cc}\t\n\r]|(?! )[\p{Z}\p{Cf}]|\[[^[\]]*'/iu
/** What SQL Server takes for another statement where PostgreSQL sees a name. */
const statementLike =
  /\b(?:shutdown|reconfigure|checkpoint|revert|commit|rollback|exec|execute|kill)\b/i

/**
 * What PostgreSQL itself reads in two ways: a backslash is one, or hides what follows, as `standard_conforming_strings`
 * has it, and `psql` takes it for a command; where a text ends at a control character, some readers end as well.
 */
const unsettled = /[\\`]|u&|[^\P{Cc}\t\n\r]/iu

function isAmbiguous({ text = '' }: Argument, dialect: SqlDialect): boolean {
  if (dialect === 'postgres') return unsettled.test(text)
  // A plain name in quotes is a name or a short text to everybody.
  return ambiguous.test(text.replaceAll(/"\w+"/g, 'name'))
}

/** Whether another server may take a part of the text for a statement that does more than is read here. */
function hidesStatement({ text = '' }: Argument, dialect: SqlDialect): boolean {
  return dialect === 'any' && statementLike.test(text)
}

function onlyTest({ only, tables, functions, dialect }: SqlData): MatcherTest {
  const kinds = new Set(only)
  const patterns = tables.map((pattern) => ({ glob: compileGlob(pattern), pattern }))
  const listed = new Set(functions)
  const must = (argument: Argument): Truth => {
    const facts = factsOf(argument)
    if (facts === undefined || isAmbiguous(argument, dialect)) return 'indeterminate'
    const { functions: called } = facts
    const isListed =
      [...facts.kinds].every((kind) => kinds.has(kind)) &&
      [...called].every((name) => isHarmlessFunction(name) || listed.has(name)) &&
      [...facts.tables].every((table) => isTable(table, patterns))
    if (!isListed) return 'false'
    return facts.isOpaque || hidesStatement(argument, dialect) ? 'indeterminate' : 'true'
  }
  return {
    may: (argument) => (must(argument) === 'true' ? 'true' : mayBeOnly(factsOf(argument), kinds)),
    must,
  }
}

/** It cannot be one of these when it surely does something else. */
function mayBeOnly(facts: SqlFacts | undefined, kinds: ReadonlySet<string>): Truth {
  const isOther = facts !== undefined && [...facts.kinds].some((kind) => !kinds.has(kind))
  return isOther ? 'false' : 'indeterminate'
}

interface TablePattern {
  readonly glob: (text: string) => boolean
  readonly pattern: string
}

const system =
  /(?:^|\.)(?:pg_|sqlite_|information_schema(?:\.|$)|(?:mysql|performance_schema|sys)\.)/i

function isTable(table: string, patterns: readonly TablePattern[]): boolean {
  const isSystem = system.test(table)
  if (patterns.length === 0) return !isSystem
  return patterns.some(({ glob, pattern }) => glob(table) && (!isSystem || system.test(pattern)))
}

function findTest({ statements, tables, functions, dialect }: SqlData): MatcherTest {
  const kinds = statements.map((kind) => kind.toLowerCase())
  const globs = tables.map((pattern) => compileGlob(foldText(pattern) ?? pattern))
  const names = functions.map((pattern) => compileGlob(foldText(pattern) ?? pattern))
  const may = (argument: Argument): Truth => {
    const facts = factsOf(argument)
    if (facts === undefined) return 'indeterminate'
    const isOpaque = facts.isOpaque || ![...facts.functions].every(isHarmlessFunction)
    const truth = allOf([
      found(
        kinds.length === 0,
        isOpaque,
        kinds.some((kind) => facts.kinds.has(kind)),
      ),
      found(globs.length === 0, !facts.knowsTables, anyName(facts.tables, globs)),
      found(names.length === 0, isOpaque, anyName(facts.functions, names)),
    ])
    return truth === 'false' && isAmbiguous(argument, dialect) ? 'indeterminate' : truth
  }
  return {
    may,
    // Whether it does so for sure depends on its data.
    must: (argument) => (may(argument) === 'false' ? 'false' : 'indeterminate'),
  }
}

function found(isAny: boolean, isUnknown: boolean, isFound: boolean): Truth {
  if (isAny || isFound) return 'true'
  return isUnknown ? 'indeterminate' : truthOf(false)
}

/** `users` may be `public.users`, and the other way round, as the search path will have it. */
function anyName(
  names: ReadonlySet<string>,
  globs: readonly ((text: string) => boolean)[],
): boolean {
  return [...names].some((name) => {
    const folded = foldText(name) ?? name
    const forms = [folded, folded.replace(/^.*\./, ''), `public.${folded}`]
    return globs.some((glob) => forms.some(glob))
  })
}
