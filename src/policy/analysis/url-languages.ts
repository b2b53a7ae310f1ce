import { foldText } from '../fold.ts'
import type { CharSet } from './char-set.ts'
import { anyChar, except, only } from './char-set.ts'
import { all, any, atom, negate } from './formula.ts'
import type { Formula } from './formula.ts'
import { anything, char, either, languageOf, literal, many, optional, sequence } from './language.ts'
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
  sequence(
    literal('['),
    many(oneOf(lower, digit, only(code(':')), only(code('.')))),
    literal(']'),
  ),
])
const schemeName = sequence(char(lower), many(oneOf(lower, digit, ...[...'+.-'].map((one) => only(code(one))))))
const port = sequence(literal(':'), oneOf(range('1', '9')), many(char(digit)))
const start = sequence(schemeName, literal('://'))
const rest = sequence(literal('/'), many(char(except(anyChar, ...[...' \\%@?#'].map((one) => only(code(one)))))))

const usualPorts: readonly (readonly [string, string])[] = [
  ['http', '80'],
  ['ws', '80'],
  ['https', '443'],
  ['wss', '443'],
  ['ftp', '21'],
]

const withUsualPort: Expression = either(
  usualPorts.map(([scheme, number]) =>
    sequence(literal(`${scheme}://`), hostName, literal(`:${number}`), optional(rest)),
  ),
)

/** URLs and hosts as every reader takes them, with the usual port left out. */
const plainUrl: Expression = either([
  sequence(start, hostName, optional(port), optional(rest)),
  sequence(hostName, optional(port)),
])

/** That a text is a URL, or a host, of which there is one reading. */
export function isPlainUrl(atoms: LanguageAtoms): Formula<PlainAtom> {
  return all([
    language(atoms, 'plain', () => plainUrl),
    negate(language(atoms, 'usual port', () => withUsualPort)),
  ])
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
  return any(data.map((pattern) => language(atoms, `${role} host ${pattern}`, () => hosts(pattern, role))))
}

function hosts(pattern: string, role: 'guard' | 'grant'): Expression {
  const parts = /^(?<name>\[[^\]]*\]|[^:]*)(?::(?<port>.*))?$/.exec(foldText(pattern) ?? pattern)?.groups
  const name = hostPattern(parts?.['name'] ?? '')
  const wanted = parts?.['port']
  const end = optional(rest)
  const before = optional(start)
  if (wanted === '*' || (wanted === undefined && role === 'guard')) {
    return sequence(before, name, optional(port), end)
  }
  if (wanted === undefined) return sequence(before, name, end)
  const usual = usualPorts.filter(([, number]) => number === wanted)
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
  return atom(atoms.get({ side: 'raw', key: `url ${key}`, isVague: false }, () => languageOf(make())))
}
