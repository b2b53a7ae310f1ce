import { hexOf, joined, textOf, utf8 } from './bytes.ts'
import { LogWalk, type LogProof } from './log.ts'
import type { Pin } from './note.ts'
import { isObject, isTexts, parseJson, type JsonObject } from './record.ts'
import { insist } from './refused.ts'

/** A file, in pieces of any size. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** A record with 65,535 bytes and 65 disclosures of 256 KiB, all escaped. */
const maxLineBytes = 67_108_864
const format = 'capfence-log-export/1'
const lineEnd = 10

/**
 * Verifies an export in JSON Lines: what it is, then records, and checkpoints where they belong.
 *
 * Each line must be spelled as the exporter spells it, so that two files never say the same.
 *
 * @throws Refused when anything of it is not what was recorded
 */
export async function verifyLines(file: Pieces, pin: Pin): Promise<LogProof> {
  let walk: LogWalk | undefined
  let head = ''
  for await (const line of linesOf(file)) {
    const value = parseJson(line)
    insist(isObject(value), 'a line is an object')
    insist(JSON.stringify(value) === line, 'a line that is spelled in another way')
    if (walk === undefined) {
      const { hasDisclosures, note } = readHeader(value, pin)
      walk = new LogWalk(pin, { hasDisclosures })
      head = note
    } else if ('checkpoint' in value) {
      const { checkpoint } = value
      requireMembers(value, 'checkpoint')
      insist(typeof checkpoint === 'string', 'a checkpoint is a text')
      walk.checkpoint(checkpoint)
    } else {
      readRecordLine(value, walk)
    }
  }
  insist(walk !== undefined, 'an empty file proves nothing')
  return walk.end(head)
}

interface Header {
  readonly hasDisclosures: boolean
  readonly note: string
}

function readHeader(value: JsonObject, pin: Pin): Header {
  requireMembers(value, 'format pin head disclosures')
  const { format: name, pin: keys, head, disclosures } = value
  insist(name === format, `not an export in the format ${format}`)
  insist(isTexts(keys) && keys.length === 2, 'the file names no pin')
  insist(keys[0] === pin.stable.text && keys[1] === pin.genesis.text, 'it is of another log')
  insist(typeof head === 'string' && typeof disclosures === 'boolean', 'the file has no head')
  return { hasDisclosures: disclosures, note: head }
}

function readRecordLine(value: JsonObject, walk: LogWalk): void {
  const { seq, leaf, body, disclosures } = value
  requireMembers(value, `seq leaf body${disclosures === undefined ? '' : ' disclosures'}`)
  insist(typeof body === 'string', 'a record is a text', walk.size)
  insist(disclosures === undefined || isTexts(disclosures), 'disclosures are texts', walk.size)
  const record = walk.record(utf8(body), disclosures)
  insist(record.json === body, 'half a character', record.seq)
  insist(seq === record.seq && leaf === hexOf(record.leaf), 'the line says otherwise', record.seq)
}

function requireMembers(value: JsonObject, names: string): void {
  insist(Object.keys(value).join(' ') === names, `a line has the members ${names}`)
}

/** @throws Refused for a line that is too long, or a last one that does not end */
async function* linesOf(file: Pieces): AsyncGenerator<string, void, undefined> {
  let parts: Uint8Array[] = []
  let length = 0
  for await (const piece of file) {
    let from = 0
    for (let end = piece.indexOf(lineEnd); end >= 0; end = piece.indexOf(lineEnd, from)) {
      yield textOf(joined(...parts, piece.slice(from, end)))
      parts = []
      length = 0
      from = end + 1
    }
    length += piece.length - from
    insist(length <= maxLineBytes, `a line of more than ${maxLineBytes} bytes`)
    if (from < piece.length) parts.push(piece.slice(from))
  }
  insist(length === 0, 'the last line does not end')
}
