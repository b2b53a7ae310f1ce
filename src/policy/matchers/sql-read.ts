import { limits } from '../../limits.ts'
import { readCheckedMap } from '../read-needles.ts'
import type { TextCheck, WrittenFault } from '../read-needles.ts'
import type { Source } from '../read-value.ts'
import type { YamlEntry } from '../yaml.ts'

/** Whose SQL a text is: that of PostgreSQL, or of a server of which nothing is known. */
export type SqlDialect = 'postgres' | 'any'

/** What `sql` asks: `only` with bounds, or else what to look for. */
export interface SqlData {
  /** Kinds of statements that are all there may be; empty when the question is what is there. */
  readonly only: readonly string[]
  /** Kinds of statements to look for. */
  readonly statements: readonly string[]
  /** With schema; `*` stands for any characters. */
  readonly tables: readonly string[]
  readonly functions: readonly string[]
  readonly dialect: SqlDialect
}

const grantable = ['select', 'insert', 'update', 'delete', 'merge', 'explain']

/** Reads the value of `sql`; undefined after saying everything that is wrong with it. */
export function readSqlAsked(source: Source, entry: YamlEntry): SqlData | undefined {
  const read = readCheckedMap(source, entry, wanted, checks)
  if (read === undefined) return undefined
  const data = {
    only: read.get('only') ?? [],
    statements: read.get('statements') ?? [],
    tables: read.get('tables') ?? [],
    functions: read.get('functions') ?? [],
  }
  const [dialect = 'any', ...others] = read.get('dialect') ?? []
  const fault = others.length > 0 ? manyDialects : faultOf(data)
  if (fault === undefined) return { ...data, dialect: dialect === 'postgres' ? dialect : 'any' }
  source.report.add({ offset: entry.value.start, code: 'policy-value', ...fault })
  return undefined
}

const manyDialects = {
  message: '`sql` has several of `dialect`',
  hint: 'a tool has one server; leave `dialect` out where it may be of any kind',
}

function faultOf({
  only,
  statements,
  tables,
  functions,
}: Omit<SqlData, 'dialect'>): { readonly message: string; readonly hint: string } | undefined {
  if (only.length > 0 && statements.length > 0) {
    return {
      message: '`sql` has `only` beside `statements`',
      hint: 'a guard looks for `statements`, a grant says that there are `only` these',
    }
  }
  if (only.length + statements.length + tables.length + functions.length > 0) return undefined
  return {
    message: '`sql` asks nothing',
    hint: 'write `only`, or some of `statements`, `tables` and `functions`',
  }
}

const wanted =
  'a mapping such as `{only: [select], tables: ["analytics.*"]}` or `{statements: [drop, truncate]}`'
const checks: ReadonlyMap<keyof SqlData, TextCheck> = new Map([
  ['only', { wanted: 'kinds of statements such as `[select]`', check: onlyFault }],
  ['statements', { wanted: 'kinds of statements such as `[drop, truncate]`', check: kindFault }],
  ['tables', { wanted: 'tables such as `analytics.*`, or one', check: nameFault }],
  ['functions', { wanted: 'functions such as `pg_read_file`, or one', check: nameFault }],
  ['dialect', { wanted: '`postgres` or `any`', check: dialectFault }],
])

const dialects: readonly SqlDialect[] = ['postgres', 'any']
const unreadDialects = 'mysql mariadb sqlite mssql sqlserver tsql oracle duckdb bigquery snowflake'

/**
 * There is one parser here that reads what its server reads, because it is the server's own. The others that can be had
 * take for a comment what MySQL runs, or lose tables that it reads.
 */
function dialectFault(text: string): WrittenFault | undefined {
  if (dialects.some((one) => one === text)) return undefined
  if (unreadDialects.split(' ').includes(text.toLowerCase())) {
    return {
      says: 'is read by no parser here that reads all that the server does',
      hint: 'leave `dialect` out: what dialects read alike is decided, and the rest is in doubt',
      code: 'policy-unsupported',
    }
  }
  const isPostgres = /^(?:pg|pgsql|postgresql?)$/i.test(text)
  return {
    says: 'is no dialect',
    hint: isPostgres ? 'write `postgres`' : 'write `postgres` or `any`',
  }
}

function onlyFault(text: string): WrittenFault | undefined {
  if (grantable.includes(text)) return undefined
  return { says: 'cannot be granted', hint: `write some of ${grantable.join(', ')}` }
}

function kindFault(text: string): WrittenFault | undefined {
  return /^[A-Za-z]{2,32}$/.test(text)
    ? undefined
    : {
        says: 'is no kind of statement',
        hint: 'write its first word, such as `delete` or `create`',
      }
}

function nameFault(text: string): WrittenFault | undefined {
  const isName = text.length <= limits.maxNeedleCharacters && /^[\p{L}\p{N}_$*.-]+$/u.test(text)
  return isName
    ? undefined
    : { says: 'is no name', hint: 'write `schema.name`, `schema.*` or `name`' }
}
