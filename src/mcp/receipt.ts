import { JsonError, scanLax, wanted } from '../json/scan.ts'
import type { MemberSpan, Span, SpanNode } from '../json/scan.ts'
import { limits } from '../limits.ts'
import type { Edit } from './splice.ts'

/**
 * Under which name a result's `_meta` holds a receipt.
 *
 * @internal exported for tests
 */
export const receiptKey = 'dev.capfence/receipt'

const wantedMeta = wanted({ _meta: { [receiptKey]: {} } })
const openBrace = 0x7b
const closeBrace = 0x7d
const space = 0x20

/**
 * Puts a receipt into the `_meta` of a result; every other byte of it stays as it is.
 *
 * One that stands there already is replaced, wherever it stands: only the gate gives receipts.
 *
 * @param result where the result stands in the message
 * @param receiptText JSON
 * @returns undefined where there is no place for one: a result, or a `_meta`, that is no object
 */
export function receiptEdits(
  bytes: Uint8Array,
  result: Span,
  receiptText: string,
): readonly Edit[] | undefined {
  const text = bytes.subarray(result.start, result.end)
  const root = scanned(text)
  // Of members that stand there too often not all are known.
  if (root === undefined || root.members.length >= limits.maxRecordedMembers) return undefined
  const member = `"${receiptKey}":${receiptText}`
  const edits =
    root.members.length === 0
      ? [inserted(text, 0, `"_meta":{${member}}`)]
      : root.members.flatMap((meta) => metaEdits(text, meta, { member, receiptText }))
  const isWhole = edits.every((edit) => edit !== undefined)
  return isWhole ? edits.map(({ span, text: to }) => moved(span, to, result.start)) : undefined
}

interface Receipt {
  /** With its name. */
  readonly member: string
  readonly receiptText: string
}

function metaEdits(
  text: Uint8Array,
  { start, members }: MemberSpan,
  { member, receiptText }: Receipt,
): readonly (Edit | undefined)[] {
  if (text[start] !== openBrace || members.length >= limits.maxRecordedMembers) return [undefined]
  if (members.length === 0) return [inserted(text, start, member)]
  return members.map((old) => ({ span: { start: old.start, end: old.end }, text: receiptText }))
}

/** A member at the beginning of the object that begins at `start`. */
function inserted(text: Uint8Array, start: number, member: string): Edit | undefined {
  if (text[start] !== openBrace) return undefined
  let next = start + 1
  while ((text[next] ?? closeBrace) <= space) next += 1
  const comma = text[next] === closeBrace ? '' : ','
  return { span: { start: start + 1, end: start + 1 }, text: `${member}${comma}` }
}

function moved({ start, end }: Span, text: string, by: number): Edit {
  return { span: { start: start + by, end: end + by }, text }
}

function scanned(text: Uint8Array): SpanNode | undefined {
  try {
    return scanLax(text, wantedMeta)
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}
