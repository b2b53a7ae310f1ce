import { limits } from '../../limits.ts'
import { readCheckedMap } from '../read-needles.ts'
import type { TextCheck, WrittenFault } from '../read-needles.ts'
import type { Source } from '../read-value.ts'
import type { YamlEntry } from '../yaml.ts'

/** What `sql` asks: `only` with bounds, or else what to look for. */
export interface SqlData {
  /** Kinds of statements that are all there may be; empty when the question is what is there. */
  readonly only: readonly string[]
  /** Kinds of statements to look for. */
  readonly statements: readonly string[]
  /** With schema; `*` stands for any characters. */
  readonly tables: readonly string[]
  readonly functions: readonly string[]
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
  if (data.only.length === 0 || data.statements.length === 0) return data
  source.report.add({
    offset: entry.value.start,
    code: 'policy-value',
    message: '`sql` has `only` beside `statements`',
    hint: 'a guard looks for `statements`, a grant says that there are `only` these',
  })
  return undefined
}

const wanted =
  'a mapping such as `{only: [select], tables: ["analytics.*"]}` or `{statements: [drop, truncate]}`'
const checks: ReadonlyMap<keyof SqlData, TextCheck> = new Map([
  ['only', { wanted: 'kinds of statements such as `[select]`', check: onlyFault }],
  ['statements', { wanted: 'kinds of statements such as `[drop, truncate]`', check: kindFault }],
  ['tables', { wanted: 'tables such as `analytics.*`, or one', check: nameFault }],
  ['functions', { wanted: 'functions such as `pg_read_file`, or one', check: nameFault }],
])

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
