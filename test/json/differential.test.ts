import { describe, expect, test } from 'vitest'
import { Decimal } from '../../src/json/decimal.ts'
import { JsonError } from '../../src/json/json-error.ts'
import { scanLax } from '../../src/json/scan-lax.ts'
import { scanStrict } from '../../src/json/scan-strict.ts'
import { wanted } from '../../src/json/span.ts'
import type { SpanNode } from '../../src/json/span.ts'
import { stringify } from '../support/to-js.ts'
import { isJsonArray, isJsonObject } from '../../src/json/value.ts'
import type { JsonValue } from '../../src/json/value.ts'
import { mutations, runs } from './mutations.ts'

const want = wanted({
  id: {},
  method: {},
  params: { name: {}, arguments: {}, a: {} },
  a: { a: {} },
})

/** What `JSON.parse` makes of bytes as every Node program hands them to it; undefined when it refuses. */
function parse(bytes: Buffer): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return { value }
  } catch {
    return undefined
  }
}

function lax(bytes: Uint8Array): SpanNode | JsonError {
  try {
    return scanLax(bytes, want)
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
}

function strict(bytes: Uint8Array): { value: JsonValue; root: SpanNode } | JsonError {
  try {
    return scanStrict(bytes, want)
  } catch (error) {
    if (error instanceof JsonError) return error
    throw error
  }
}

/** Whether a strict value is what `JSON.parse` says, a double for every decimal. */
function sameValue(own: JsonValue, parsed: unknown): boolean {
  if (own instanceof Decimal) return Object.is(own.toNumber(), parsed)
  if (isJsonArray(own)) {
    if (!Array.isArray(parsed) || parsed.length !== own.length) return false
    return own.every((item, k) => sameValue(item, parsed[k]))
  }
  if (!isJsonObject(own)) return own === parsed
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return false
  const [names, parsedNames] = [Object.keys(own), Object.keys(parsed)]
  if (names.length !== parsedNames.length) return false
  const members = new Map<string, unknown>(Object.entries(parsed))
  return names.every((name, k) => {
    const value = own[name]
    return name === parsedNames[k] && value !== undefined && sameValue(value, members.get(name))
  })
}

/** Whether each span of wanted members holds exactly the value that `JSON.parse` has there. */
function spansAgree(node: SpanNode, bytes: Buffer, parsed: unknown): boolean {
  const members = new Map<string, unknown>(
    typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [],
  )
  // Of a repeated name, `JSON.parse` keeps the last.
  const last = new Map(node.members.map((member) => [member.name, member]))
  return [...last.values()].every((member) => {
    const slice = parse(bytes.subarray(member.start, member.end))
    const value = members.get(member.name)
    return (
      slice !== undefined &&
      members.has(member.name) &&
      JSON.stringify(slice.value) === JSON.stringify(value) &&
      spansAgree(member, bytes, value)
    )
  })
}

const notJson: ReadonlySet<string> = new Set([
  'syntax',
  'truncated',
  'trailing_bytes',
  'control_character',
  'bad_escape',
  'bad_number',
  'byte_order_mark',
])

/** Says what is wrong between the scanners and `JSON.parse` about these bytes; empty when nothing is. */
function disagreement(bytes: Buffer): string {
  const parsed = parse(bytes)
  const found = lax(bytes)
  if (found instanceof JsonError !== (parsed === undefined)) return 'lax accepts something else'
  if (!(found instanceof JsonError) && !spansAgree(found, bytes, parsed?.value)) return 'lax spans'
  const read = strict(bytes)
  if (read instanceof JsonError) {
    const claim = notJson.has(read.reason) && parsed !== undefined
    return claim ? `strict says ${read.message}` : ''
  }
  if (parsed === undefined) return 'strict accepts what JSON.parse does not'
  if (!sameValue(read.value, parsed.value)) return 'strict value'
  if (!spansAgree(read.root, bytes, parsed.value)) return 'strict spans'
  const text = Buffer.from(stringify(read.value))
  const again = strict(text)
  if (again instanceof JsonError) return `strict refuses its own text: ${again.message}`
  return stringify(again.value) === text.toString() ? '' : 'strict does not print back the same'
}

describe('B4: both scanners against JSON.parse', () => {
  test(`${runs} mutated texts, anywhere in their buffer`, () => {
    const disagreements: string[] = []
    let accepted = 0
    for (const bytes of mutations(runs)) {
      const problem = disagreement(bytes)
      if (problem !== '')
        disagreements.push(`${problem}: ${JSON.stringify(bytes.toString('latin1'))}`)
      else if (parse(bytes) !== undefined) accepted++
    }
    expect(disagreements.slice(0, 5)).toEqual([])
    // The mutations are worth something only if many of their texts are still JSON, and many are not.
    expect(accepted).toBeGreaterThan(runs / 20)
    expect(accepted).toBeLessThan(runs / 1.2)
  })

  test('every byte in every place of a small message', () => {
    const message = '{"id":-1.5e3,"a":["\\u00e9\\n",true,null,{"":""}]}'
    const disagreements: string[] = []
    for (let at = 0; at < message.length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        const bytes = Buffer.from(message)
        bytes[at] = byte
        const problem = disagreement(bytes)
        if (problem !== '') disagreements.push(`${problem}: ${bytes.toString('latin1')}`)
      }
      const cut = disagreement(Buffer.from(message.slice(0, at)))
      if (cut !== '') disagreements.push(`${cut}: cut at ${at}`)
    }
    expect(disagreements).toEqual([])
  })
})
