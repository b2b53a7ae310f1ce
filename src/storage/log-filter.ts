import type { StoredRecord } from '../audit/record.ts'
import type { LogQuery } from '../runtime/store.ts'

/** Fields of a decision by which it can be chosen. */
const decisionFields = ['decision', 'server', 'tool', 'actor'] as const

/** A condition for SQL that holds for every record the query wants, and for few others. */
export interface SnippetCondition {
  readonly sql: string
  readonly snippets: readonly Uint8Array[]
}

/**
 * Looks for pieces of the stored bytes, so that records nobody asked for need not be read.
 *
 * A body is canonical: a member has exactly one spelling, which cannot be missing where the member is. That it may
 * stand elsewhere too is why `matches` decides.
 */
export function snippetCondition(query: LogQuery): SnippetCondition {
  const conditions: string[] = ['TRUE']
  const snippets: Uint8Array[] = []
  const types = wantedTypes(query)
  if (types !== undefined) {
    conditions.push(
      types.length === 0 ? 'FALSE' : `(${types.map(() => 'instr(body, ?) > 0').join(' OR ')})`,
    )
    snippets.push(...types.map((type) => snippet('t', type)))
  }
  for (const field of decisionFields) {
    const value = query[field]
    if (value === undefined) continue
    conditions.push('instr(body, ?) > 0')
    snippets.push(snippet(field, value))
  }
  return { sql: conditions.join(' AND '), snippets }
}

/** Whether a record is one that the query wants. */
export function matches(query: LogQuery, record: StoredRecord): boolean {
  const types = wantedTypes(query)
  if (types !== undefined && !types.includes(record.type)) return false
  const atMs = Date.parse(record.ts)
  if (query.fromMs !== undefined && atMs < query.fromMs) return false
  if (query.toMs !== undefined && atMs >= query.toMs) return false
  return decisionFields.every(
    (field) => query[field] === undefined || record.data[field] === query[field],
  )
}

/** Records of tools have a server and a tool like decisions; no others have any of the fields. */
function wantedTypes(query: LogQuery): readonly string[] | undefined {
  if (decisionFields.every((field) => query[field] === undefined)) return query.types
  const onlyTool = query.decision === undefined && query.actor === undefined
  return (query.types ?? ['decision']).filter(
    (type) => type === 'decision' || (onlyTool && type === 'tool.def'),
  )
}

function snippet(name: string, value: string): Uint8Array {
  return Buffer.from(`${JSON.stringify(name)}:${JSON.stringify(value)}`, 'utf8')
}
