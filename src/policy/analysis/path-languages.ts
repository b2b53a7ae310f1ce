import { readPrefix } from '../path.ts'
import { all, any, atom, negate } from './formula.ts'
import type { Formula } from './formula.ts'
import { among, anyChar, except, inLine, only } from './char-set.ts'
import type { CharSet } from './char-set.ts'
import {
  char,
  either,
  languageOf,
  literal,
  many,
  optional,
  sequence,
  anything,
} from './language.ts'
import type { Expression } from './language.ts'
import type { LanguageAtoms } from './language-atoms.ts'
import type { PathAtom, PlainAtom, Side } from './text-atom.ts'
import { below } from './text-languages.ts'

const slash = char(only(0x2f))
const dot = char(only(0x2e))
/** What a name in a path may hold so that nobody reads it otherwise. */
const nameChar = except(inLine, among('/\\%~$&:'), {
  key: 'unprintable',
  has: (point) => point < 0x20 || (point >= 0x7f && point < 0xa0),
  borders: [0, 0x20, 0x7f, 0xa0],
})
const anyNameChar = except(anyChar, only(0x2f))

/** Paths without `.`, `..` and empty names; relative ones may climb first. */
function normalPath(inName: CharSet): Expression {
  const start = char(except(inName, only(0x2e)))
  const rest = many(char(inName))
  // A name that is neither `.` nor `..`.
  const name = either([
    sequence(start, rest),
    sequence(dot, start, rest),
    sequence(dot, dot, char(inName), rest),
  ])
  const names = sequence(name, many(sequence(slash, name)))
  const climb = sequence(literal('..'), many(sequence(slash, literal('..'))))
  return either([
    sequence(slash, optional(names)),
    dot,
    names,
    sequence(climb, optional(sequence(slash, names))),
  ])
}

/** That a text is a path as it is normalised, and its own and only reading. */
export function isNormalPath(atoms: LanguageAtoms): Formula<PlainAtom> {
  return language(atoms, 'raw', 'normal', () => normalPath(nameChar))
}

/** That a text may be a reading of some path. */
export function isReading(atoms: LanguageAtoms): Formula<PlainAtom> {
  return language(atoms, 'raw', 'reading', () => normalPath(anyNameChar))
}

/**
 * When a rule takes a reading of a path for one that lies below its prefixes.
 *
 * @param isWide whether a grant takes every reading of its prefixes, as it does for all but the first reading of a path
 */
export function pathFormula(
  { role, prefixes }: PathAtom,
  atoms: LanguageAtoms,
  isWide = false,
): Formula<PlainAtom> {
  const read = prefixes.map(readPrefix).filter((prefix) => prefix !== undefined)
  if (role === 'grant') {
    return any(
      read
        .flatMap(({ written, readings }) => (isWide ? [written, ...readings] : [written]))
        .map(({ text }) =>
          all([
            language(atoms, 'raw', `below ${text}`, () => belowNormal(text)),
            negate(language(atoms, 'raw', 'climbs out', () => climbsOut)),
          ]),
        ),
    )
  }
  const bases = read.flatMap(({ readings }) => readings)
  const isMixed = {
    absolute: bases.some(({ absolute }) => absolute),
    relative: bases.some(({ absolute }) => !absolute),
  }
  return any([
    ...bases.map((base) =>
      language(atoms, 'folded', `below ${base.folded}`, () => belowNormal(base.folded)),
    ),
    // Of these nobody can tell where they lie, seen from the prefix.
    ...(isMixed.absolute ? [language(atoms, 'raw', 'relative', () => relative)] : []),
    ...(isMixed.relative ? [language(atoms, 'raw', 'absolute', () => absolute)] : []),
    language(atoms, 'raw', 'climbs out', () => climbsOut),
  ])
}

const absolute = sequence(slash, anything)
const notSlash = except(anyChar, only(0x2f))
const relative = sequence(char(notSlash), anything)
const climbsOut = sequence(literal('..'), optional(sequence(slash, anything)))

/** Everything that is relative and does not climb lies below `.`. */
function belowNormal(folder: string): Expression {
  return folder === '.' ? relative : below(folder)
}

function language(
  atoms: LanguageAtoms,
  side: Side,
  key: string,
  make: () => Expression,
): Formula<PlainAtom> {
  return atom(atoms.get({ side, key: `path ${key}`, alwaysFolds: true }, () => languageOf(make())))
}

/**
 * What is so of every text for which a path atom holds, or does not: how it begins, and for a grant the names of a prefix
 * that stand in it.
 */
export function pathHint(
  { role, prefixes }: PathAtom,
  holds: boolean,
  atoms: LanguageAtoms,
): Formula<PlainAtom> | undefined {
  if ((role === 'grant') !== holds) return undefined
  const texts = prefixes.flatMap((prefix) => readPrefix(prefix)?.written.text ?? [])
  const start = areAbsolute(prefixes) ? absoluteStart : anything
  if (role === 'guard') return language(atoms, 'raw', `start ${texts.join(' ')}`, () => start)
  return language(atoms, 'raw', `hint ${texts.join(' ')}`, () =>
    either(
      texts.map((text) => {
        const parts = text.split('/').filter((one) => one !== '' && one !== '.')
        return sequence(start, ...parts.flatMap((one) => [literal(one), anything]))
      }),
    ),
  )
}

/** Only these texts are absolute paths to anybody. */
const absoluteStart = sequence(
  either([literal('/'), sequence(...['fF', 'iI', 'lL', 'eE', ':'].map((one) => char(among(one))))]),
  anything,
)

/** Whether a rule's prefix is an absolute path, so that everything below it looks like a path by itself. */
export function areAbsolute(prefixes: readonly string[]): boolean {
  return prefixes.every((prefix) => readPrefix(prefix)?.written.absolute === true)
}

/**
 * Texts that are read as one path and as another, or that pass by a place: candidates for what one path alone cannot do.
 *
 * @param ends where the path may lead
 * @param peaks where it may pass by
 */
export function windingPaths(ends: readonly string[], peaks: readonly string[]): readonly string[] {
  const found: string[] = []
  for (const peak of peaks) {
    const depth = peak.split('/').filter((one) => one !== '').length
    for (const end of ends) {
      const tail = end.replace(/^\//, '')
      found.push(`${peak}${'/..'.repeat(depth)}/${tail}`)
      found.push(`${peak}${'/%2e%2e'.repeat(depth)}/${tail}`)
    }
  }
  return found
}
