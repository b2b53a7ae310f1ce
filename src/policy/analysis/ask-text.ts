import { Decimal } from '../../json/decimal.ts'
import { limits } from '../../limits.ts'
import type { Role } from '../predicate.ts'
import { isWindowsPath } from '../matchers/windows-path.ts'
import { keyOfAsk, textsOf } from './ask.ts'
import type { Ask } from './ask.ts'
import type { Sureness } from './element.ts'
import { all, any, atom, constant, negate } from './formula.ts'
import type { Formula } from './formula.ts'
import { anything, either, languageOf, literal, sequence } from './language.ts'
import type { Expression, Language } from './language.ts'
import type { LanguageAtoms } from './language-atoms.ts'
import { regexLanguage } from './regex-language.ts'
import type { Side, TextAtom } from './text-atom.ts'
import {
  climbing,
  folded,
  oneLine,
  oneOfTexts,
  segmentPattern,
  starPattern,
} from './text-languages.ts'

type Statement = Formula<TextAtom>

/** The name of the free atom that a text is too long for some regular expressions. */
export const longTextKey = 'long text'

/** Whether a text is so long that not every regular expression is tried on it. */
const longText: Statement = atom({ kind: 'free', key: longTextKey })

/**
 * When a rule takes a readable text for one that an ask is about: a guard unless it is surely not, a grant if it surely is.
 *
 * What is not known of an ask is a free atom, which may be so or not. Of what a guard is certain, the formula may be so of
 * more texts: of those that the guard is in doubt of as well.
 */
export function textFormula(ask: Ask, role: Sureness, atoms: LanguageAtoms): Statement {
  return new AskReader(atoms, role).read(ask)
}

/** What is looked into; of everything else only the name is known. */
const knownKinds = [
  ...(['eq', 'in', 'not_in', 'gt', 'gte', 'lt', 'lte'] as const),
  ...(['contains', 'starts_with', 'ends_with', 'glob', 'regex', 'under', 'not_under'] as const),
  ...(['host', 'scheme', 'type', 'exists', 'max_length', 'pattern', 'name'] as const),
] as const
type KnownAsk = Extract<Ask, { readonly kind: (typeof knownKinds)[number] }>

function isKnown(ask: Ask): ask is KnownAsk {
  return knownKinds.some((kind) => kind === ask.kind)
}

class AskReader {
  readonly #atoms: LanguageAtoms
  readonly #role: Role
  readonly #sureness: Sureness

  constructor(atoms: LanguageAtoms, sureness: Sureness) {
    this.#atoms = atoms
    this.#role = sureness === 'grant' ? sureness : 'guard'
    this.#sureness = sureness
  }

  read(ask: Ask): Statement {
    return isKnown(ask) ? this.#known(ask) : this.#free(ask)
  }

  #known(ask: KnownAsk): Statement {
    switch (ask.kind) {
      case 'eq':
        return this.#oneOf([ask.data])
      case 'in':
        return this.#oneOf(ask.data)
      case 'not_in':
        return negate(this.#other().#oneOf(ask.data))
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        return atom({ kind: 'number', role: this.#sureness, ask })
      case 'contains':
        return this.#parts(ask.data, 'contains')
      case 'starts_with':
        return this.#parts(ask.data, 'starts_with')
      case 'ends_with':
        return this.#parts(ask.data, 'ends_with')
      case 'glob':
        return this.#glob(ask.data)
      case 'regex':
        return any(ask.data.map((pattern) => this.#regex(pattern)))
      case 'under':
        return this.#under(ask.data)
      case 'not_under':
        return negate(this.#other().#under(ask.data))
      case 'host':
      case 'scheme':
        return atom({ kind: ask.kind, role: this.#role, data: ask.data })
      case 'type':
        return constant(ask.data.includes('string'))
      case 'exists':
        return constant(ask.data)
      case 'max_length':
        return atom({ kind: 'length', most: ask.data })
      case 'pattern':
        return this.#pattern(ask.data)
      case 'name':
        return this.#name(ask.data)
    }
  }

  #other(): AskReader {
    return new AskReader(this.#atoms, this.#role === 'guard' ? 'grant' : 'guard')
  }

  #free(ask: Ask): Statement {
    return atom({ kind: 'free', key: `${this.#role} ${keyOfAsk(ask)}` })
  }

  #in(side: Side, key: string, make: () => Expression, isVague = false): Statement {
    return atom(this.#atoms.get({ side, key, isVague }, () => languageOf(make())))
  }

  /** Each value is compared with values of its own type; of another one nothing is known. */
  #oneOf(scalars: readonly (string | boolean | Decimal)[]): Statement {
    const texts = scalars.filter((one) => typeof one === 'string')
    const numbers = scalars.filter((one) => one instanceof Decimal)
    const isGuard = this.#role === 'guard'
    const parts: Statement[] = []
    if (texts.length > 0) {
      parts.push(this.#in('raw', `in ${JSON.stringify(texts)}`, () => oneOfTexts(texts)))
      const plain = texts.map((text) => folded(text).trim())
      if (isGuard)
        parts.push(
          this.#in('foldedTrimmed', `in ${JSON.stringify(plain)}`, () => oneOfTexts(plain)),
        )
    }
    if (numbers.length > 0) {
      const ask: Ask = { kind: 'in', data: numbers }
      parts.push(atom({ kind: 'number', role: this.#sureness, ask }))
    }
    if (scalars.some((one) => typeof one === 'boolean')) {
      parts.push(constant(this.#sureness === 'guard'))
    }
    return any(parts)
  }

  #parts(parts: readonly string[], place: keyof typeof places): Statement {
    const { side, trim, around } = places[place]
    const key = `${place} ${JSON.stringify(parts)}`
    if (this.#role === 'grant') {
      return this.#in('raw', `line ${key}`, () =>
        either(parts.filter(isInLine).map((part) => around(literal(part), oneLine))),
      )
    }
    const plain = parts.map((part) => trim(folded(part))).filter((part) => part !== '')
    return any([
      this.#in('raw', key, () => either(parts.map((part) => around(literal(part), anything)))),
      this.#in(side, `${place} ${JSON.stringify(plain)}`, () =>
        either(plain.map((part) => around(literal(part), anything))),
      ),
    ])
  }

  #glob(patterns: readonly string[]): Statement {
    const key = `glob ${JSON.stringify(patterns)}`
    if (this.#role === 'guard') {
      const plain = patterns.map((one) => anyDepth(folded(one)))
      const make = (): Expression => either(plain.map((one) => starPattern(one)))
      const isPath = patterns.some((one) => one.includes('/'))
      return any([
        this.#in('folded', key, make),
        this.#in('foldedTrimmed', key, make),
        // A path may be the one that is meant in ways that only reading it can tell.
        ...(isPath ? [this.#free({ kind: 'glob', data: patterns })] : []),
      ])
    }
    const exact = patterns.filter((one) => !one.includes('*'))
    const open = patterns.filter((one) => one.includes('*'))
    const isExact = this.#in('raw', `in ${JSON.stringify(exact)}`, () => oneOfTexts(exact))
    if (open.length === 0) return isExact
    const climbs = this.#in('raw', 'climbs', () => climbing, true)
    const fits = this.#in('raw', `line ${key}`, () => either(open.map(segmentPattern)))
    return any([isExact, all([fits, negate(climbs)])])
  }

  #regex(pattern: string): Statement {
    const isGuard = this.#role === 'guard'
    const compiled = this.#atoms.pattern(pattern, isGuard, () => regexLanguage(pattern, isGuard))
    if (compiled === undefined) return this.#free({ kind: 'regex', data: [pattern] })
    const { language, size } = compiled
    const key = `regex ${pattern}`
    // Beyond what may be spent on it, a long text is one of which nobody is sure.
    const isLong = size * limits.maxTextBytes > limits.maxRegexSteps
    if (!isGuard) {
      return all([
        this.#language('raw', key, () => language),
        this.#in('raw', 'one line', () => oneLine),
        ...(isLong ? [negate(longText)] : []),
      ])
    }
    const find = (): Language =>
      languageOf(sequence(anything, { kind: 'language', language }, anything))
    return any([
      this.#language('raw', `find ${key}`, find),
      this.#language('folded', `find ${key}`, find),
      ...(isLong ? [longText] : []),
    ])
  }

  #language(side: Side, key: string, make: () => Language): Statement {
    return atom(this.#atoms.get({ side, key }, make))
  }

  #under(folders: readonly string[]): Statement {
    const prefixes = folders.filter((folder) => !isWindowsPath(folder))
    const windows = folders.filter(isWindowsPath)
    return any([
      ...(prefixes.length === 0
        ? []
        : [atom<TextAtom>({ kind: 'path', role: this.#role, prefixes })]),
      ...(windows.length === 0 ? [] : [this.#free({ kind: 'under', data: windows })]),
    ])
  }

  #pattern(patterns: readonly string[]): Statement {
    const key = `pattern ${JSON.stringify(patterns)}`
    const isExact = this.#in('raw', key, () => either(patterns.map((one) => starPattern(one))))
    if (this.#role === 'grant') return isExact
    const fits = (): Expression => either(patterns.map((one) => starPattern(folded(one))))
    return any([isExact, this.#in('foldedTrimmed', key, fits)])
  }

  #name(pattern: string): Statement {
    if (pattern === '*') return constant(true)
    return this.#role === 'grant'
      ? this.#in('raw', `name ${pattern}`, () => starPattern(pattern))
      : this.#in('folded', `name ${pattern}`, () => starPattern(pattern.toLowerCase()))
  }
}

function isInLine(part: string): boolean {
  return !/[\n\r\v\f\u0085\u2028\u2029]/.test(part)
}

/** The pattern in which every wildcard stands for anything, also for no segment at all. */
function anyDepth(pattern: string): string {
  return pattern.replace(/(?:^|\/)\*\*(?:\/|$)/g, '*').replace(/\*{2,}/g, '*')
}

interface PartPlace {
  readonly side: Side
  readonly trim: (text: string) => string
  readonly around: (part: Expression, rest: Expression) => Expression
}

const places = {
  contains: {
    side: 'folded',
    trim: (text) => text,
    around: (part, rest) => sequence(rest, part, rest),
  },
  starts_with: {
    side: 'foldedStart',
    trim: (text) => text.trimStart(),
    around: (part, rest) => sequence(part, rest),
  },
  ends_with: {
    side: 'foldedEnd',
    trim: (text) => text.trimEnd(),
    around: (part, rest) => sequence(rest, part),
  },
} satisfies Record<string, PartPlace>

/** Texts that are about what an ask is about, for a first try. */
export function samplesOf(ask: Ask): readonly string[] {
  const { kind } = ask
  const texts = kind === 'regex' || kind === 'type' ? [] : textsOf(ask)
  if (kind === 'under' || kind === 'not_under') {
    return texts.flatMap((text) => [text, `${text.replace(/[/\\]$/, '')}/a`])
  }
  if (kind === 'host') {
    return texts.map((text) => `https://${text.replaceAll('*', 'a').replace(/:a$/, ':8443')}/`)
  }
  if (kind === 'shell') return [...ask.data.only, ...ask.data.runs].flatMap(commandSamples)
  if (kind === 'scheme') return texts.map((text) => `${text}://a.example/`)
  if (kind === 'cidr') return texts.flatMap(addressSamples)
  // Patterns with something in place of the star, and with nothing.
  return hasStars(kind)
    ? texts.flatMap((text) => [text.replace(/\*+/g, 'a'), text.replaceAll('*', '')])
    : texts
}

function hasStars(kind: Ask['kind']): boolean {
  return kind === 'glob' || kind === 'pattern' || kind === 'name' || kind === 'table'
}

function commandSamples(pattern: string): readonly string[] {
  return [pattern.replaceAll('*', 'a'), pattern.replace(/ ?\*/g, ''), `${pattern} -rf /`]
}

function addressSamples(range: string): readonly string[] {
  if (range === 'private') return ['http://10.0.0.1/', 'http://127.0.0.1/', 'http://8.8.8.8/']
  const [address = ''] = range.split('/')
  return [address.includes(':') ? `http://[${address}]/` : `http://${address}/`, 'http://8.8.8.8/']
}
