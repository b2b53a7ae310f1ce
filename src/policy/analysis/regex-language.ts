import type { RE2JS } from 're2js'
import { regexEngine } from '../parsers.ts'
import { pointsOf } from './char-set.ts'
import type { CharSet } from './char-set.ts'
import type { Language, Node } from './language.ts'

/** The instructions of RE2, by their numbers in a compiled program. */
const op = {
  alt: 1,
  altMatch: 2,
  capture: 3,
  emptyWidth: 4,
  fail: 5,
  match: 6,
  nop: 7,
  rune: 8,
  rune1: 9,
  runeAny: 10,
  runeAnyNotNewLine: 11,
} as const

/** A compiled pattern: its automaton, and the engine's size of it. */
export interface CompiledPattern {
  readonly language: Language
  readonly size: number
}

/**
 * The automaton that the engine itself runs for a pattern.
 *
 * @returns undefined without an engine, or for an instruction that is not known here: then nothing is known of it
 */
export function regexLanguage(pattern: string, ignoreCase: boolean): CompiledPattern | undefined {
  const engine = regexEngine()
  if (engine === undefined) return undefined
  try {
    const flags = ignoreCase ? engine.RE2JS.CASE_INSENSITIVE : 0
    const compiled = engine.RE2JS.compile(pattern, flags)
    const language = programLanguage(compiled)
    return language === undefined ? undefined : { language, size: compiled.programSize() }
  } catch {
    // What the loader took is a pattern; if it is none here, nothing is known of it, which is the answer.
    return undefined
  }
}

interface Instruction {
  readonly op: number
  readonly out: number
  readonly arg: number
  readonly runes: readonly number[]
  readonly matches: (codePoint: number) => boolean
}

function programLanguage(pattern: RE2JS): Language | undefined {
  const program: unknown = pattern.re2().prog
  if (!isRecord(program) || !Array.isArray(program['inst'])) return undefined
  const start = program['start']
  if (typeof start !== 'number' || program['numLb'] !== 0) return undefined
  const nodes = program['inst'].map(instructionOf).map((one) => one && nodeOf(one))
  return nodes.every((node) => node !== undefined) ? { nodes, start } : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function instructionOf(value: unknown): Instruction | undefined {
  if (!isRecord(value)) return undefined
  const { op: code, out, arg, runes, matchRune } = value
  if (typeof code !== 'number' || typeof out !== 'number' || typeof arg !== 'number')
    return undefined
  if (!(runes instanceof Int32Array) || typeof matchRune !== 'function') return undefined
  const matches = (codePoint: number): boolean => matchRune.call(value, codePoint) === true
  return { op: code, out, arg, runes: [...runes], matches }
}

function nodeOf(instruction: Instruction): Node | undefined {
  const { op: code, out, arg } = instruction
  switch (code) {
    case op.alt:
    case op.altMatch:
      return { kind: 'fork', next: [out, arg] }
    case op.capture:
    case op.nop:
      return { kind: 'fork', next: [out] }
    case op.emptyWidth:
      return { kind: 'assert', bits: arg, next: out }
    case op.fail:
      return { kind: 'fork', next: [] }
    case op.match:
      return { kind: 'accept' }
    case op.rune:
    case op.rune1:
    case op.runeAny:
    case op.runeAnyNotNewLine:
      return { kind: 'char', set: setOf(instruction), next: out }
    default:
      return undefined
  }
}

function setOf({ op: code, arg, runes, matches }: Instruction): CharSet {
  if (code === op.runeAny) return { key: '*', has: () => true, borders: [] }
  if (code === op.runeAnyNotNewLine) {
    return { key: 'any-\n', has: (point) => point !== 0x0a, borders: [0x0a, 0x0b] }
  }
  const folds = runes.length === 1 && (arg & 1) !== 0
  const ranges = runes.length === 1 ? [...runes, ...runes] : runes
  const borders = ranges.map((point, index) => (index % 2 === 0 ? point : point + 1))
  return {
    key: `${code}:${folds ? 'i' : ''}${runes.join(',')}`,
    has: matches,
    borders: folds ? runes.flatMap(caseBorders) : borders,
  }
}

/** All characters that are the same one but for case: few, of which some lie far away (`k` and the Kelvin sign). */
function caseBorders(point: number): readonly number[] {
  const text = String.fromCodePoint(point)
  const variants = [text, text.toLowerCase(), text.toUpperCase(), text.toUpperCase().toLowerCase()]
  const points = new Set(pointsOf(variants.join('') + oddCases))
  return [...points].flatMap((one) => [one, one + 1])
}

/** Characters whose case partners `toLowerCase` and `toUpperCase` of the plain letter do not name. */
const oddCases =
  '\u017f\u212a\u00e5\u212b\u1e9e\u00df\u03c9\u2126\u03b8\u03d1\u03f4\u03b2\u03d0\u03b5\u03f5\u03ba\u03f0' +
  '\u03bc\u00b5\u03c0\u03d6\u03c1\u03f1\u03c3\u03c2\u03c6\u03d5\u1e61\u1e9b\u0345\u03b9\u1fbe\u01c4\u01c5\u01c6' +
  '\u01c7\u01c8\u01c9\u01ca\u01cb\u01cc\u01f1\u01f2\u01f3\u0398\u039c\u0399\u0395\u039a\u03a0\u03a1\u03a3\u03a6\u0392'
