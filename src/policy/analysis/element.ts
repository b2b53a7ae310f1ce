import { isJsonArray, isJsonObject } from '../../json/value.ts'
import type { JsonValue } from '../../json/value.ts'
import { limits } from '../../limits.ts'
import { Argument } from '../argument.ts'
import { allMust, anyMay } from '../argument-test.ts'
import type { Located } from '../locate.ts'
import type { MatcherTest } from '../matcher.ts'
import type { Role } from '../predicate.ts'
import { keyOfAsk, testOf } from './ask.ts'
import type { Ask } from './ask.ts'
import type { Expression } from './language.ts'

/** What may stand where a rule looks. */
export type Candidate =
  | { readonly kind: 'value'; readonly value: JsonValue }
  | { readonly kind: 'absent' }
  /** The object around it is a text that a server may take for one. */
  | { readonly kind: 'unreadable' }
  /** The value stands under a name that only a lenient server takes for this one. */
  | { readonly kind: 'variant'; readonly value: JsonValue }

/** How an ask is meant: as a rule of a role means it, or so that a guard is not only in doubt of it. */
export type Sureness = Role | 'certain'

/** Everything that several asks of one rule want of one element, or that they do not get it. */
export interface ElementLiteral {
  readonly asks: readonly Ask[]
  readonly role: Sureness
  readonly holds: boolean
  /** The elements of which it has to be so; of the others it is. */
  readonly of: Reach
  readonly key: string
}

/** Everything that can stand in a place, every value, every value that is no list and no object, or every text. */
export type Reach = 'all' | 'values' | 'leaves' | 'texts'

/** Makes a literal. */
export function elementLiteral(
  asked: { readonly asks: readonly Ask[]; readonly role: Sureness },
  holds: boolean,
  of: Reach = 'all',
): ElementLiteral {
  const key = `${holds ? '+' : '-'}${asked.role} ${asked.asks.map(keyOfAsk).join(' & ')}`
  return { ...asked, holds, of, key: of === 'all' ? key : `${of} ${key}` }
}

/** What elements there can be in one place. */
export interface Domain {
  readonly key: string
  /** The texts that can stand there; undefined for all of them. */
  readonly texts: { readonly key: string; readonly language: Expression } | undefined
  readonly accepts: (text: string) => boolean
  /** Texts that look well in an example. */
  readonly samples: readonly string[]
  /** Whether there are values other than texts. */
  readonly isJson: boolean
  readonly others: readonly ('absent' | 'unreadable' | 'variant')[]
  /** All texts there are, where they can be counted. */
  readonly isFinite: boolean
}

const tests = new Map<string, MatcherTest>()
/** A policy that changes again and again must not fill the memory. */
const maxTests = 20_000

function testFor(ask: Ask): MatcherTest {
  const key = keyOfAsk(ask)
  const known = tests.get(key)
  if (known !== undefined) return known
  if (tests.size >= maxTests) tests.clear()
  const made = testOf(ask)
  tests.set(key, made)
  return made
}

/** Whether the gate itself would find a literal to be so of an element. */
export function isMet(candidate: Candidate, literal: ElementLiteral): boolean {
  const { asks, role, holds } = literal
  if (!isReached(candidate, literal.of)) return true
  const located = locatedOf(candidate)
  return doApply(located, asks.map(testFor), role) === holds
}

function doApply(
  located: readonly Located[],
  compiled: readonly MatcherTest[],
  role: Sureness,
): boolean {
  switch (role) {
    case 'guard':
      return anyMay(located, compiled) !== 'false'
    case 'certain':
      return anyMay(located, compiled) === 'true'
    case 'grant':
      return allMust(located, compiled) === 'true'
  }
}

function isReached(candidate: Candidate, of: Reach): boolean {
  if (of === 'all') return true
  if (candidate.kind === 'absent' || candidate.kind === 'unreadable') return false
  const { value } = candidate
  if (of === 'texts') return typeof value === 'string'
  return of === 'values' || !(isJsonArray(value) || isJsonObject(value))
}

/** Whether all literals are met. */
export function areMet(candidate: Candidate, literals: readonly ElementLiteral[]): boolean {
  return literals.every((literal) => isMet(candidate, literal))
}

const maxReadable = limits.maxTextBytes

function locatedOf(candidate: Candidate): readonly Located[] {
  switch (candidate.kind) {
    case 'absent':
    case 'unreadable':
      return [candidate]
    case 'value':
      return [found(candidate.value, true)]
    case 'variant':
      return [found(candidate.value, false), { kind: 'absent' }]
  }
}

function found(value: JsonValue, exact: boolean): Located {
  const isReadable = typeof value !== 'string' || value.length <= maxReadable
  return { kind: 'found', argument: new Argument(value, isReadable), exact }
}
