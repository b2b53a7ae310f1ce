import { readDisclosure } from '../audit/open-disclosure.ts'
import { leafHash } from '../audit/codec.ts'
import { sealedMembers } from '../audit/disclosed.ts'
import { isObject as isData } from '../audit/fields.ts'
import type { Disclosure, RecordData, StoredRecord } from '../audit/record.ts'
import { printJson } from '../audit/redacted-json.ts'
import { CapFenceError } from '../errors.ts'
import type { LogReader } from '../runtime/store.ts'
import { hideSecrets } from '../audit/hide-secrets.ts'
import { allArguments, shownArguments } from './log-arguments.ts'
import type { ShownArguments } from './log-arguments.ts'
import { shown, shownJson } from './shown.ts'
import { damaged } from './signed-log.ts'

/** One record with everything that the log says beside it. */
export interface Receipt {
  readonly record: StoredRecord
  /** Of a decision. */
  readonly arguments: ShownArguments | undefined
  /** Everything else that the record has digests of. */
  readonly sealed: readonly SealedValue[]
  /** Digests whose disclosure was stored and is there no more, by the member that lists them. */
  readonly erased: Readonly<Record<string, number>>
  /** The record of the same call on its other side: a decision's outcome, an outcome's decision. */
  readonly other: StoredRecord | undefined
}

/** A value that a record has a salted digest of. */
export interface SealedValue {
  /** The member of the record, and the name of the value; the first is ours, the second is not made safe to show. */
  readonly member: string
  readonly name: string
  /** JSON text that is safe on a terminal. */
  readonly json: string
}

/**
 * Reads what there is to say of a record.
 *
 * @param which a seq, or the id of a call, whose decision is taken
 * @throws CapFenceError `USAGE` when there is no such record; `AUDIT_CORRUPT` when its leaf is not its hash
 */
export async function receiptOf(
  reader: LogReader,
  which: string,
  showSecrets: boolean,
): Promise<Receipt> {
  const record = await recordNamed(reader, which)
  const [row] = await reader.rows(record.seq, 1)
  if (row === undefined || leafHash(row.body) !== Buffer.from(row.leaf).toString('hex')) {
    throw damaged(`the leaf of record ${record.seq} is not the hash of it`)
  }
  const disclosures = await reader.disclosures(record.seq)
  const read = showSecrets ? allArguments : shownArguments
  return {
    record,
    arguments: record.type === 'decision' ? read(record, disclosures) : undefined,
    sealed: sealedValues(record, disclosures, showSecrets),
    erased: erasedIn(record, disclosures),
    other: await otherOf(reader, record),
  }
}

/**
 * The record that a person names.
 *
 * @param which a seq, or the id of a call, whose decision is taken
 * @throws CapFenceError `USAGE` when there is no such record
 */
export async function recordNamed(reader: LogReader, which: string): Promise<StoredRecord> {
  if (/^(?:0|[1-9]\d{0,14})$/.test(which)) {
    const [record] = await reader.records(Number(which), 1)
    if (record !== undefined) return record
    throw new CapFenceError(
      'USAGE',
      `there is no record ${which}: the log has ${await reader.size()}`,
      {
        hint: 'the numbers of records are those of `capfence logs`',
      },
    )
  }
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(which)) {
    throw new CapFenceError(
      'USAGE',
      `\`${shown(which)}\` is neither the number of a record nor the id of a call`,
      {
        hint: 'numbers are those of `capfence logs`, ids those of `capfence logs --json` and of blocked calls',
      },
    )
  }
  const [decision] = await reader.call(which.toLowerCase())
  if (decision !== undefined) return decision
  throw new CapFenceError('USAGE', `the log knows no call ${which}`, {
    hint: 'another log may: name it with `--storage` or `--config`',
  })
}

async function otherOf(
  reader: LogReader,
  { type, data, seq }: StoredRecord,
): Promise<StoredRecord | undefined> {
  const { call } = data
  if ((type !== 'decision' && type !== 'outcome') || typeof call !== 'string') return undefined
  const records = await reader.call(call)
  return records.find((one) => one.seq !== seq && one.type !== type)
}

/** The arguments of a decision are told apart, because people look for them. */
function sealedValues(
  { data, type }: StoredRecord,
  disclosures: readonly Disclosure[],
  showSecrets: boolean,
): readonly SealedValue[] {
  return sealedMembers.flatMap((member) => {
    if (type === 'decision' && member === 'args') return []
    const listed = new Set(digestsOf(data, member))
    const own = disclosures.filter(({ digest }) => listed.has(digest))
    return own.map((disclosure) => {
      const { name, value } = readDisclosure(disclosure)
      const visible = showSecrets ? value : hideSecrets(value).value
      return { member, name, json: shownJson(printJson(visible)) }
    })
  })
}

function erasedIn(
  { data }: StoredRecord,
  disclosures: readonly Disclosure[],
): Readonly<Record<string, number>> {
  const there = new Set(disclosures.map(({ digest }) => digest))
  const counts = sealedMembers.flatMap((member) => {
    const sealed = data[member]
    const withheld = isData(sealed) ? sealed['withheld'] : undefined
    const never = new Set(Array.isArray(withheld) ? withheld : [])
    const gone = digestsOf(data, member).filter(
      (digest, index) => !never.has(index) && !there.has(digest),
    )
    return gone.length === 0 ? [] : [[member, gone.length] as const]
  })
  return Object.fromEntries(counts)
}

function digestsOf(data: RecordData, member: string): readonly string[] {
  const sealed = data[member]
  const digests = isData(sealed) ? sealed['_sd'] : undefined
  return Array.isArray(digests) ? digests.filter((digest) => typeof digest === 'string') : []
}
