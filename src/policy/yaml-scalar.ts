import type { Place, YamlNode } from './yaml.ts'

const plainNull = /^(?:~|null|Null|NULL)?$/
const plainTrue = /^(?:true|True|TRUE)$/
const plainFalse = /^(?:false|False|FALSE)$/
// Decimal, octal, hexadecimal, infinite, not a number: YAML 1.2.2, section 10.3.2.
const plainNumber =
  /^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
// Nearly all plain scalars are names, and only these beginnings can be anything else.
const mayBeOther = /^(?:[-+.0-9~nNtTfF]|$)/

/** What the core schema makes of a scalar without quotes. */
export function plainScalar(value: string, { start, end }: Place): YamlNode {
  if (!mayBeOther.test(value)) return { kind: 'text', start, end, value }
  if (plainNull.test(value)) return { kind: 'null', start, end }
  if (plainTrue.test(value)) return { kind: 'boolean', start, end, value: true }
  if (plainFalse.test(value)) return { kind: 'boolean', start, end, value: false }
  if (plainNumber.test(value)) return { kind: 'number', start, end, text: value }
  return { kind: 'text', start, end, value }
}
