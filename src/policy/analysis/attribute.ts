import { isScope, isSegment, riskLevels } from '../../event/capability.ts'
import type { RiskLevel } from '../../event/capability.ts'
import { limits } from '../../limits.ts'
import type { ContextField } from '../condition.ts'
import type { Pointer } from '../pointer.ts'
import type { CharSet } from './char-set.ts'
import { anyChar, except } from './char-set.ts'
import type { Domain } from './element.ts'
import { char, literal, many, sequence } from './language.ts'
import type { Expression } from './language.ts'

/** The three names of a capability. */
export type NameField = 'resource' | 'action' | 'scope'

/** What of all arguments conditions look at without aiming. */
export type Unaimed = 'texts' | 'amounts' | 'paths' | 'tables'

/** A part of a call that rules ask something of, each by itself. */
export type Attribute =
  | {
      readonly kind: 'name'
      readonly field: NameField
      readonly key: string
      readonly domain: Domain
    }
  | {
      readonly kind: 'context'
      readonly field: ContextField
      readonly key: string
      readonly domain: Domain
    }
  | {
      readonly kind: 'argument'
      readonly pointer: Pointer
      readonly key: string
      readonly domain: Domain
    }
  | {
      readonly kind: 'unaimed'
      readonly of: Unaimed
      readonly key: string
      readonly domain: Domain
    }
  /** What the events of an analysis do not tell: the clock, counters, labels. */
  | { readonly kind: 'free'; readonly key: string; readonly domain: undefined }

const segmentChar: CharSet = {
  key: 'segment',
  has: (point) => point < 0x80 && /[A-Za-z0-9_-]/.test(String.fromCodePoint(point)),
  borders: [0x2d, 0x2e, 0x30, 0x3a, 0x41, 0x5b, 0x5f, 0x60, 0x61, 0x7b],
}
const segment = sequence(char(segmentChar), many(char(segmentChar)))
const dotted = sequence(segment, many(sequence(literal('.'), segment)))
const control: CharSet = {
  key: 'control',
  has: (point) => point < 0x20 || (point >= 0x7f && point < 0xa0),
  borders: [0, 0x20, 0x7f, 0xa0],
}
const wordChar = except(anyChar, control)

const base = { samples: [], isJson: false, others: [], isFinite: false } as const

function textDomain(
  key: string,
  language: Expression,
  rest: Pick<Domain, 'accepts' | 'samples' | 'others'>,
): Domain {
  return { ...base, ...rest, key, texts: { key, language } }
}

const segmentDomain = textDomain('segment', segment, {
  accepts: isSegment,
  samples: ['files', 'read', 'other'],
  others: [],
})
const scopeDomain = textDomain('scope', dotted, {
  accepts: isScope,
  samples: ['workspace', 'other'],
  others: [],
})
const environmentDomain = textDomain('environment', dotted, {
  accepts: isScope,
  samples: ['production', 'staging', 'other'],
  others: ['absent'],
})
const wordDomain = textDomain('word', sequence(char(wordChar), many(char(wordChar))), {
  accepts: (text) => isName(text) && !/\p{Cc}/u.test(text),
  samples: ['agent', 'other'],
  others: ['absent'],
})
const anyNameDomain = textDomain('any name', sequence(char(anyChar), many(char(anyChar))), {
  accepts: isName,
  samples: ['other'],
  others: ['absent'],
})

function isName(text: string): boolean {
  return text !== '' && text.length <= limits.maxNameCharacters && !/\p{Cs}/u.test(text)
}

const names: Readonly<Record<NameField, Attribute>> = {
  resource: { kind: 'name', field: 'resource', key: 'resource', domain: segmentDomain },
  action: { kind: 'name', field: 'action', key: 'action', domain: segmentDomain },
  scope: { kind: 'name', field: 'scope', key: 'scope', domain: scopeDomain },
}

/** One name of the capability. */
export function nameAttribute(field: NameField): Attribute {
  return names[field]
}

/** What the proxy knows. */
export function contextAttribute(field: ContextField): Attribute {
  return { kind: 'context', field, key: `context ${field}`, domain: contextDomain(field) }
}

function contextDomain(field: ContextField): Domain {
  switch (field) {
    case 'environment':
      return environmentDomain
    case 'risk':
      return riskDomain
    case 'actor':
      return { ...wordDomain, key: 'actor', others: [] }
    case 'server':
    case 'tool':
      return anyNameDomain
    case 'role':
    case 'tenant':
    case 'session':
      return wordDomain
  }
}

const riskDomain: Domain = {
  ...base,
  key: 'risk',
  texts: undefined,
  accepts: (text) => riskLevels.some((level: RiskLevel) => level === text),
  samples: riskLevels,
  others: ['absent'],
  isFinite: true,
}

const jsonDomain: Domain = {
  key: 'json',
  texts: undefined,
  accepts: (text) => !/\p{Cs}/u.test(text),
  samples: ['a', ''],
  isJson: true,
  others: [],
  isFinite: false,
}

/** Any value, or none. */
export const valueDomain: Domain = { ...jsonDomain, others: ['absent'] }

/** What stands at a pointer. */
export function argumentAttribute(pointer: Pointer): Attribute {
  const last = pointer.tokens.at(-1)
  const hasCase = last !== undefined && last.toLowerCase() !== last.toUpperCase()
  const isDeep = pointer.tokens.length > 1
  const domain: Domain = {
    ...jsonDomain,
    key: `json${hasCase ? ' case' : ''}${isDeep ? ' deep' : ''}`,
    others: [
      'absent',
      ...(isDeep ? (['unreadable'] as const) : []),
      ...(hasCase ? (['variant'] as const) : []),
    ],
  }
  return { kind: 'argument', pointer, key: `argument ${pointer.text}`, domain }
}

/** Arguments that are looked at wherever they stand. */
export function unaimedAttribute(of: Unaimed): Attribute {
  const domain = of === 'texts' ? { ...jsonDomain, key: 'text', isJson: false } : jsonDomain
  return { kind: 'unaimed', of, key: of, domain }
}

/** Something of which only the name is known. */
export function freeAttribute(key: string): Attribute {
  return { kind: 'free', key: `free ${key}`, domain: undefined }
}
