import { foldText } from '../fold.ts'
import type { CharSet } from './char-set.ts'
import { among, anyChar, except, only } from './char-set.ts'
import { all, any, atom, negate } from './formula.ts'
import type { Formula } from './formula.ts'
import {
  anything,
  char,
  either,
  languageOf,
  literal,
  many,
  optional,
  sequence,
} from './language.ts'
import type { Expression } from './language.ts'
import type { LanguageAtoms } from './language-atoms.ts'
import type { PlainAtom, UrlAtom } from './text-atom.ts'
import { starPattern } from './text-languages.ts'

const range = (from: string, to: string): CharSet => ({
  key: `${from}-${to}`,
  has: (point) => point >= code(from) && point <= code(to),
  borders: [code(from), code(to) + 1],
})

function code(text: string): number {
  return text.codePointAt(0) ?? 0
}

function oneOf(...sets: readonly CharSet[]): Expression {
  return either(sets.map(char))
}

const [lower, digit] = [range('a', 'z'), range('0', '9')]
const labelChar = oneOf(lower, digit, only(code('-')), only(code('_')))
const label = sequence(labelChar, many(labelChar))
const hostName = either([
  sequence(label, many(sequence(literal('.'), label))),
  sequence(literal('['), many(oneOf(lower, digit, only(code(':')), only(code('.')))), literal(']')),
])
const schemeName = sequence(char(lower), many(oneOf(lower, digit, among('+.-'))))
const port = sequence(literal(':'), oneOf(range('1', '9')), many(char(digit)))
const start = sequence(schemeName, literal('://'))
const rest = sequence(literal('/'), many(char(except(anyChar, among(' \\%@?#')))))

const usualPorts: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['ws', '80'],
  ['https', '443'],
  ['wss', '443'],
  ['ftp', '21'],
])

/**
 * That a text is a URL, or a host, of which there is one reading: with one of the schemes and ports that are asked for, or
 * with one that stands for all others.
 */
export function isPlainUrl(asked: readonly UrlAtom[], atoms: LanguageAtoms): Formula<PlainAtom> {
  const ports = new Set(
    asked.flatMap((one) => (one.kind === 'host' ? one.data.flatMap(portOf) : [])),
  )
  const named = asked.flatMap((one) => (one.kind === 'scheme' ? one.data : []))
  const usual = [...usualPorts].filter(([, number]) => ports.has(number)).map(([name]) => name)
  const schemes = new Set([...named, ...usual, 'https', 'other'])
  const key = `plain ${[...schemes].join(' ')} ${[...ports].join(' ')}`
  return language(atoms, key, () => plainUrl(schemes, [...ports, '9']))
}

function plainUrl(schemes: ReadonlySet<string>, ports: readonly string[]): Expression {
  const withPort = (wanted: readonly string[]): Expression =>
    optional(either(wanted.map((one) => literal(`:${one}`))))
  return either([
    ...[...schemes].map((scheme) => {
      // A port that belongs to the scheme is no port.
      const others = ports.filter((one) => one !== usualPorts.get(scheme))
      return sequence(literal(`${scheme}://`), hostName, withPort(others), optional(rest))
    }),
    sequence(hostName, withPort(ports)),
  ])
}

/** The port that a pattern names, if it is one. */
function portOf(pattern: string): readonly string[] {
  const found = /:(?<port>[0-9]+)$/.exec(pattern)?.groups?.['port']
  return found === undefined ? [] : [found]
}

/** When a rule takes a plain URL for one that it is about. */
export function urlFormula(asked: UrlAtom, atoms: LanguageAtoms): Formula<PlainAtom> {
  return asked.kind === 'host' ? hostFormula(asked, atoms) : schemeFormula(asked, atoms)
}

function schemeFormula({ role, data }: UrlAtom, atoms: LanguageAtoms): Formula<PlainAtom> {
  const named = language(atoms, `scheme ${data.join(' ')}`, () =>
    sequence(either(data.map(literal)), literal('://'), anything),
  )
  if (role === 'grant') return named
  // A host that stands alone says no scheme, and with a port one by chance.
  const bare = language(atoms, 'alone', () => sequence(hostName, optional(port)))
  const chance = language(atoms, 'like a scheme', () => sequence(schemeName, port))
  const meant = language(atoms, `alone ${data.join(' ')}`, () =>
    sequence(either(data.map(literal)), port),
  )
  return any([named, all([bare, any([negate(chance), meant])])])
}

function hostFormula({ role, data }: UrlAtom, atoms: LanguageAtoms): Formula<PlainAtom> {
  return any(
    data.map((pattern) => language(atoms, `${role} host ${pattern}`, () => hosts(pattern, role))),
  )
}

function hosts(pattern: string, role: 'guard' | 'grant'): Expression {
  const parts = /^(?<name>\[[^\]]*\]|[^:]*)(?::(?<port>.*))?$/.exec(
    foldText(pattern) ?? pattern,
  )?.groups
  const name = hostPattern(parts?.['name'] ?? '')
  const wanted = parts?.['port']
  const end = optional(rest)
  const before = optional(start)
  if (wanted === '*' || (wanted === undefined && role === 'guard')) {
    return sequence(before, name, optional(port), end)
  }
  if (wanted === undefined) return sequence(before, name, end)
  const usual = [...usualPorts].filter(([, number]) => number === wanted)
  return either([
    sequence(before, name, literal(`:${wanted}`), end),
    ...usual.map(([scheme]) => sequence(literal(`${scheme}://`), name, end)),
  ])
}

function hostPattern(name: string): Expression {
  if (name.startsWith('[')) return literal(name)
  const [first = '', ...others] = name.split('.')
  const tail = others.flatMap((one) => [literal('.'), starPattern(one, many(labelChar))])
  if (first !== '*') return sequence(starPattern(first, many(labelChar)), ...tail)
  return sequence(label, many(sequence(literal('.'), label)), ...tail)
}

function language(atoms: LanguageAtoms, key: string, make: () => Expression): Formula<PlainAtom> {
  return atom(atoms.get({ side: 'raw', key: `url ${key}` }, () => languageOf(make())))
}
