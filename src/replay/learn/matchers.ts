import { Decimal } from '../../json/decimal.ts'
import { flow, quoted } from '../../policy/starter/yaml-text.ts'
import type { PlaceProfile, Strictness, Vocabulary } from './profile.ts'
import { familyOf } from './shape.ts'

/** What a policy asks of one place, as it is written, and in words what it rests on. */
export interface LearnedMatchers {
  /** YAML in flow style: `{ in: [a, b] }`. */
  readonly text: string
  readonly why: string
  /** Whether values come that nobody has seen, a few digits each: only what was done before can say that they are right. */
  readonly isCode: boolean
}

/** A text that is longer than any before: by how much, times. */
const lengthSlack = 4
/** A number of a tool that only reads, which is greater than any before: by how much, times. */
const numberSlack = 10

/**
 * What history says of a place, as matchers: the values themselves where they are names, and what they have in common
 * where they have a format, a place or an order.
 *
 * @returns undefined when nothing can be said that would hold back a value from somewhere else
 */
export function matchersFor(
  place: PlaceProfile,
  vocabulary: Vocabulary,
  strictness: Strictness,
): LearnedMatchers | undefined {
  const { kinds } = place
  if (kinds.has('other')) return undefined
  if (place.isWorded) return worded(place)
  const [only, ...others] = [...kinds]
  if (only === undefined) return undefined
  if (others.length > 0) return mixed(place, strictness)
  if (only === 'number') return numbers(place, strictness)
  if (only === 'date' || only === 'time' || only === 'code') return formatted(place, only)
  if (only === 'path') return paths(place, vocabulary, strictness)
  if (only === 'site') return sites(place, vocabulary, strictness)
  if (only === 'word') return strictness === 'read' ? worded(place) : words(place, vocabulary)
  return listed(place, [...place.values.keys()])
}

function worded({ longest, count }: PlaceProfile): LearnedMatchers {
  const most = rounded(Math.max(longest, 16) * lengthSlack)
  return {
    text: `{ type: string, max_length: ${String(most)} }`,
    why: `worded anew in ${calls(count)}, at most ${String(longest)} characters`,
    isCode: false,
  }
}

/** What is no text in one call may be one in another: of words only themselves are sure, of the rest the format. */
function mixed(place: PlaceProfile, strictness: Strictness): LearnedMatchers | undefined {
  const { kinds, values, formats, count } = place
  const leads = kinds.has('path') || kinds.has('site')
  if (strictness === 'read' && !leads) return worded(place)
  if (place.hasMore) return undefined
  const texts = [...values.keys()].filter((value) => typeof value === 'string')
  if (formats.size === 0) return listed(place, texts)
  const patterns = [...formats].toSorted()
  const others = texts.filter((text) => !patterns.some((one) => new RegExp(`^${one}$`).test(text)))
  return {
    text: `{ regex: ${flow([...patterns, ...others.map(escaped).toSorted()])} }`,
    why: `${String(patterns.length)} formats and ${String(others.length)} values in ${calls(count)}`,
    isCode: kinds.has('code'),
  }
}

function numbers(
  { least, greatest, count }: PlaceProfile,
  strictness: Strictness,
): LearnedMatchers | undefined {
  if (least === undefined || greatest === undefined) return undefined
  const [low, high] = strictness === 'read' ? widened(least, greatest) : [least, greatest]
  return {
    text: `{ type: number, gte: ${low.text}, lte: ${high.text} }`,
    why: `${least.text} to ${greatest.text} in ${calls(count)}`,
    isCode: false,
  }
}

function widened(least: Decimal, greatest: Decimal): readonly [Decimal, Decimal] {
  const zero = new Decimal('0')
  const most = Number(greatest.text) * numberSlack
  const high =
    Number.isSafeInteger(Math.ceil(most)) && most > 0 ? String(Math.ceil(most)) : undefined
  return [least.compare(zero) > 0 ? zero : least, high === undefined ? greatest : new Decimal(high)]
}

function formatted(
  { formats, count }: PlaceProfile,
  kind: 'date' | 'time' | 'code',
): LearnedMatchers {
  const name = { date: 'a date', time: 'a time', code: 'a few digits' }[kind]
  return {
    text: `{ regex: ${flow([...formats].toSorted())} }`,
    why: `${name} in ${calls(count)}`,
    isCode: kind === 'code',
  }
}

function paths(
  { folders, count }: PlaceProfile,
  vocabulary: Vocabulary,
  strictness: Strictness,
): LearnedMatchers {
  const all = [...new Set([...folders, ...vocabulary.foldersFor(strictness)])].toSorted()
  const roots = strictness === 'read' ? [...all, ...sharedParents(all)].toSorted() : all
  return {
    text: `{ under: ${flow(outermost(roots))} }`,
    why: `below ${named([...folders])} in ${calls(count)}`,
    isCode: false,
  }
}

/** Folders that hold everything of a machine or of all its people: nothing is taken for theirs. */
const wide = new Set(
  '/home /Users /root /etc /var /usr /opt /proc /sys /dev /tmp /mnt /media /Volumes /run /srv'.split(
    ' ',
  ),
)
/** Of how many folders that history knows another one is the parent before it is taken for known itself. */
const leastChildren = 3

function sharedParents(folders: readonly string[]): readonly string[] {
  const children = new Map<string, Set<string>>()
  for (const folder of folders) {
    const names = folder.split('/').slice(1)
    for (let depth = 1; depth < names.length; depth += 1) {
      const parent = `/${names.slice(0, depth).join('/')}`
      const known = children.get(parent) ?? new Set()
      known.add(names[depth] ?? '')
      children.set(parent, known)
    }
  }
  return [...children].flatMap(([parent, names]) =>
    names.size >= leastChildren && !wide.has(parent) ? [parent] : [],
  )
}

/** Without those that another one holds. */
function outermost(folders: readonly string[]): readonly string[] {
  return folders.filter(
    (one) => !folders.some((other) => other !== one && one.startsWith(`${other}/`)),
  )
}

function sites(
  { hosts, hasScheme, count }: PlaceProfile,
  vocabulary: Vocabulary,
  strictness: Strictness,
): LearnedMatchers {
  const all = [...new Set([...hosts, ...vocabulary.hostsFor(strictness)])].toSorted()
  const names = all.flatMap((host) => [host, `www.${host}`])
  const pattern = `(?i)(https?://)?(www\\.)?(${all.map(escaped).join('|')})(:\\d+)?([/?#].*)?`
  return {
    // What has no scheme is no URL to everybody, so that it is compared as it is written.
    text: hasScheme
      ? `{ host: ${flow(names)}, scheme: [http, https] }`
      : `{ regex: ${quoted(pattern)} }`,
    why: `at ${named([...hosts])} in ${calls(count)}`,
    isCode: false,
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[.\\+*?()|[\]{}^$]/g, String.raw`\$&`)
}

/** The values that this place had, and those of the same family that other tools were called with. */
function words(place: PlaceProfile, vocabulary: Vocabulary): LearnedMatchers | undefined {
  if (place.hasMore) return undefined
  const own = [...place.values.keys()]
  const families = new Set(
    own.flatMap((value) => (typeof value === 'string' ? (familyOf(value) ?? []) : [])),
  )
  const others = [...families].flatMap((family) => [...(vocabulary.families.get(family) ?? [])])
  return listed(place, [...new Set([...own, ...others])])
}

function listed(
  { values, count }: PlaceProfile,
  all: readonly (string | boolean)[],
): LearnedMatchers {
  const sorted = all.toSorted((one, other) => (String(one) < String(other) ? -1 : 1))
  const more = all.length - values.size
  const known = more === 0 ? '' : `, and ${String(more)} that other calls name`
  return {
    text: `{ in: [${sorted.map((value) => (typeof value === 'string' ? quoted(value) : String(value))).join(', ')}] }`,
    why: `${String(values.size)} ${values.size === 1 ? 'value' : 'values'} in ${calls(count)}${known}`,
    isCode: false,
  }
}

function calls(count: number): string {
  return count === 1 ? '1 call' : `${String(count)} calls`
}

function named(texts: readonly string[]): string {
  const [first = '', second, ...more] = texts.toSorted()
  if (second === undefined) return first
  return more.length === 0 ? `${first} and ${second}` : `${String(texts.length)} places`
}

/** To two digits, so that it does not look more exact than it is. */
function rounded(count: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1)
  return Math.ceil(count / step) * step
}
