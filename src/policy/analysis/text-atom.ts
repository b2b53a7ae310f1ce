import type { Role } from '../predicate.ts'
import type { Dfa } from './dfa.ts'
import type { Ask } from './ask.ts'
import type { Sureness } from './element.ts'

/** In which form a text is looked at: as it is, or as guards compare it, perhaps without white space at its ends. */
export type Side = 'raw' | 'folded' | 'foldedTrimmed' | 'foldedStart' | 'foldedEnd'

/** The text, in one form, is one of a language. */
export interface LanguageAtom {
  readonly kind: 'language'
  readonly side: Side
  readonly dfa: Dfa
  /** Whether nothing is known of texts with characters outside of ASCII. */
  readonly isVague: boolean
  /** Whether a text that cannot be folded is compared as it is, and is not one of which a guard is not sure. */
  readonly alwaysFolds: boolean
}

/** Something about a text of which only the name is known: it may be so or not. */
export interface FreeAtom {
  readonly kind: 'free'
  readonly key: string
}

/** The text is a path below one of these. */
export interface PathAtom {
  readonly kind: 'path'
  readonly role: Role
  readonly prefixes: readonly string[]
}

/** The text is a URL with one of these hosts or schemes. */
export interface UrlAtom {
  readonly kind: 'host' | 'scheme'
  readonly role: Role
  readonly data: readonly string[]
}

/** The text is a number that is asked something. */
export interface NumberAtom {
  readonly kind: 'number'
  readonly role: Sureness
  readonly ask: Ask
}

/** The text has at most so many characters. */
export interface LengthAtom {
  readonly kind: 'length'
  readonly most: number
}

/** What a matcher may ask of a text. */
export type TextAtom = LanguageAtom | FreeAtom | PathAtom | UrlAtom | NumberAtom | LengthAtom

/** What can be answered by going through the text once. */
export type PlainAtom = LanguageAtom | FreeAtom
