import { capabilityName } from '../../event/capability.ts'
import { comment, quoted } from '../../policy/starter/yaml-text.ts'
import type { TraceCall } from '../trace.ts'
import { listsOf, listText, noneSays, nullText, onlyArgs } from './conditions.ts'
import { matchersFor, type LearnedMatchers } from './matchers.ts'
import type { CallForm, CapabilityProfile } from './profile.ts'
import { noteCall, placeKey, rootOf, rootsOf, strictnessOf, Vocabulary } from './profile.ts'

/** What becomes of calls of tools that history does not have. */
export type Unseen = 'ask' | 'deny'

/** How a policy is learned. */
export interface LearnOptions {
  readonly unseen: Unseen
}

/** What a learned policy says of one capability, and what it rests on. */
export interface LearnedRule {
  readonly capability: string
  /** Whether it only looks, by its name. */
  readonly kind: CapabilityProfile['kind']
  readonly calls: number
  readonly sessions: number
  /** In how many ways it was called, and of how many of them a rule can be made. */
  readonly forms: number
  readonly written: number
  /** What is asked of each place. */
  readonly places: readonly { readonly pointer: string; readonly why: string }[]
}

/** A policy, as text, and what it rests on. */
export interface LearnedPolicy {
  readonly text: string
  readonly rules: readonly LearnedRule[]
}

/** Calls that nothing was learned from, by the reason. */
export interface LeftOut {
  /** They were denied, or held and not approved. */
  blocked: number
  flagged: number
  /** The trace does not have all of their arguments. */
  incomplete: number
  /** Their arguments are of a form that no rule can say. */
  unwritable: number
}

/** The label of a session in which something was changed by a call that went well. */
const changedLabel = 'changed'

/**
 * Learns the least that a policy has to allow from calls that were right.
 *
 * What it makes asks a person about every call that differs from them in what matters: another argument, another name,
 * another place, a number beyond; and it takes nothing for right that was denied, held or flagged. The same calls give
 * the same policy, in whatever order they come.
 */
export class Learner {
  readonly leftOut: LeftOut = { blocked: 0, flagged: 0, incomplete: 0, unwritable: 0 }
  readonly #profiles = new Map<string, CapabilityProfile>()
  readonly #vocabulary = new Vocabulary()
  readonly #sessions = new Set<string>()
  #calls = 0

  /** Calls that something was learned from. */
  get calls(): number {
    return this.#calls
  }

  /** Takes in a call. @returns whether something is learned from it */
  note(call: TraceCall): boolean {
    const reason = this.#reasonAgainst(call)
    if (reason !== undefined) {
      this.leftOut[reason] += 1
      return false
    }
    const session = call.event.context.session ?? ''
    if (!noteCall(call.event, session, this.#profiles, this.#vocabulary)) {
      this.leftOut.unwritable += 1
      return false
    }
    this.#calls += 1
    this.#sessions.add(session)
    return true
  }

  /** The policy that history needs. */
  policy(options: LearnOptions): LearnedPolicy {
    const profiles = [...this.#profiles.values()].toSorted((one, other) =>
      one.name < other.name ? -1 : 1,
    )
    const written = writeRules(profiles, this.#vocabulary)
    const unseen = unseenRules(profiles, options)
    const sections = [
      ...head(this.#calls, this.#sessions.size),
      ...labelSection(profiles, written),
      ...list('require_approval', [...written.flatMap(({ lines }) => lines), ...unseen.guards]),
      '',
      ...list('allow', [
        ...profiles.map((profile) => `  - ${capabilityText(profile)}`),
        ...unseen.grants,
      ]),
      '',
    ]
    return { text: sections.join('\n'), rules: written.map(({ rule }) => rule) }
  }

  #reasonAgainst({ verdict, isFlagged, missing }: TraceCall): keyof LeftOut | undefined {
    if (isFlagged) return 'flagged'
    // An approved call is an `allow` of its own.
    if (verdict !== undefined && verdict.decision !== 'allow') return 'blocked'
    const isWhole = missing.places.length === 0 && missing.mayBeNamed === undefined
    return isWhole ? undefined : 'incomplete'
  }
}

function list(name: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [`${name}: []`] : [`${name}:`, ...lines]
}

function head(calls: number, sessions: number): readonly string[] {
  return [
    comment(`Learned from ${count(calls, 'call')} in ${count(sessions, 'session')}.`),
    comment(
      'Each rule asks a person about calls that differ from those: read it before it governs,',
    ),
    comment('and try it on other history: capfence replay TRACE --policy FILE'),
    'version: 1',
    '',
  ]
}

interface Written {
  readonly lines: readonly string[]
  readonly rule: LearnedRule
  readonly needsChange: boolean
}

/**
 * A code that nobody has seen is only right behind a change; where nothing else changes anything, nobody can tell.
 */
function writeRules(
  profiles: readonly CapabilityProfile[],
  vocabulary: Vocabulary,
): readonly Written[] {
  const known = profiles.map((profile) => ({ profile, matchers: allMatchers(profile, vocabulary) }))
  const canConfirm = known.some(
    ({ profile, matchers }) =>
      profile.kind !== 'read' && ![...matchers.values()].some((one) => one?.isCode === true),
  )
  const ids = idsOf(profiles)
  return known.map(({ profile, matchers }, index) => {
    const id = ids[index] ?? 'learned'
    return writeRule(profile, matchers, { id, canConfirm })
  })
}

type Matchers = ReadonlyMap<string, LearnedMatchers | undefined>

function allMatchers(profile: CapabilityProfile, vocabulary: Vocabulary): Matchers {
  const strictness = strictnessOf(profile)
  return new Map(
    [...profile.places].map(([at, place]) => [at, matchersFor(place, vocabulary, strictness)]),
  )
}

/** A name for each rule that a person can say, none twice. */
function idsOf(profiles: readonly CapabilityProfile[]): readonly string[] {
  const used = new Map<string, number>()
  return profiles.map(({ capability }) => {
    const slug = `learned-${capability.action.replaceAll(/[^A-Za-z0-9_-]/g, '').slice(0, 48)}`
    const before = used.get(slug) ?? 0
    used.set(slug, before + 1)
    return before === 0 ? slug : `${slug}.${String(before + 1)}`
  })
}

function writeRule(
  profile: CapabilityProfile,
  matchers: Matchers,
  { id, canConfirm }: { readonly id: string; readonly canConfirm: boolean },
): Written {
  const forms = [...profile.forms.values()].toSorted(byUse)
  const alternatives = (
    isSelectable(profile)
      ? [anySelection(profile, matchers)]
      : forms.flatMap((form) => alternative(form, matchers, rootsOf(profile)))
  ).filter(({ needsChange: needs }) => canConfirm || !needs)
  const needsChange = alternatives.some((one) => one.needsChange)
  const places = [...matchers]
    .map(([at, one]) => ({
      pointer: profile.places.get(at)?.pointer ?? at,
      why: one?.why ?? 'too different to say anything of it',
    }))
    .toSorted((one, other) => (one.pointer < other.pointer ? -1 : 1))
  const rule: LearnedRule = {
    capability: profile.name,
    kind: profile.kind,
    calls: profile.count,
    sessions: profile.sessions.size,
    forms: forms.length,
    written: isSelectable(profile) ? forms.length : alternatives.length,
    places,
  }
  const evidence = `${profile.name}: ${count(profile.count, 'call')} in ${count(profile.sessions.size, 'session')}; ${kindWords[profile.kind]}`
  const about = places.map(({ pointer, why }) => `  ${comment(`  ${pointer}: ${why}`)}`)
  const lines = [
    `  ${comment(evidence)}`,
    ...about,
    `  - id: ${id}`,
    `    capability: ${capabilityText(profile)}`,
    `    message: ${quoted('history has no call like this one')}`,
    ...(alternatives.length === 0
      ? []
      : ['    not:', '      any:', ...alternatives.flatMap((one) => one.lines)]),
  ]
  return { lines, rule, needsChange }
}

const kindWords: Readonly<Record<CapabilityProfile['kind'], string>> = {
  read: 'it only reads, by its name',
  write: 'it changes something',
  destructive: 'it may destroy something',
  unknown: 'what it does is not plain from its name',
}

function byUse(one: CallForm, other: CallForm): number {
  if (one.count !== other.count) return other.count - one.count
  return JSON.stringify(one.places) < JSON.stringify(other.places) ? -1 : 1
}

interface Alternative {
  readonly lines: readonly string[]
  readonly needsChange: boolean
}

/** One way in which the tool was called, as conditions; none when a place of it cannot be told from others. */
function alternative(
  { places, count: calls }: CallForm,
  matchers: Matchers,
  roots: readonly string[],
): readonly Alternative[] {
  const asked = places.map(([pointer, state]) => ({
    pointer,
    text: state === 'null' ? nullText : matchers.get(placeKey(pointer, state))?.text,
    isCode: state !== 'null' && matchers.get(placeKey(pointer, state))?.isCode === true,
  }))
  if (asked.some(({ text }) => text === undefined)) return []
  const needsChange = asked.some(({ isCode }) => isCode)
  const said = places.map(([pointer]) => rootOf(pointer))
  const unsaid = roots.filter(
    (root) => !said.some((one) => isWithin(one, root) || isWithin(root, one)),
  )
  const lines = [
    `        ${comment(count(calls, 'call'))}`,
    onlyArgs([...asked.map(({ pointer }) => pointer), ...unsaid]),
    ...(needsChange ? [`          session: { has: [${changedLabel}] }`] : []),
    ...(asked.length === 0 ? [] : ['          args:']),
    ...listsOf(asked).map((root) => `            ${quoted(root)}: ${listText}`),
    ...asked.map(({ pointer, text }) => `            ${quoted(pointer)}: ${text ?? ''}`),
    ...noneSays(unsaid.map((root) => ({ root, values: [] }))),
  ]
  return [{ lines, needsChange }]
}

/** Whether an argument is the other one, or below it. */
function isWithin(pointer: string, other: string): boolean {
  return pointer === other || pointer.startsWith(`${other}/`)
}

/** Whether it only reads, and each of its arguments can be looked at by itself. */
function isSelectable(profile: CapabilityProfile): boolean {
  const roots = rootsOf(profile)
  const isApart = roots.every((one) => roots.every((two) => one === two || !isWithin(one, two)))
  return profile.kind === 'read' && isApart
}

/** What only reads may be told less, or things together that were told one by one. */
function anySelection(profile: CapabilityProfile, matchers: Matchers): Alternative {
  const optional = rootsOf(profile).map((root) => ({
    root,
    values: [...profile.places].flatMap(([at, { pointer }]) => {
      const text = rootOf(pointer) === root ? matchers.get(at)?.text : undefined
      return text === undefined ? [] : [{ pointer, text }]
    }),
  }))
  const lines = [
    `        ${comment(count(profile.count, 'call'))}`,
    onlyArgs(optional.map(({ root }) => root)),
    ...noneSays(optional),
  ]
  return { lines, needsChange: false }
}

/**
 * A call with a few digits that are new each time is right after another one that went well, and only then: after one of
 * a tool that is not known to read only, or to take such digits itself.
 */
function labelSection(
  profiles: readonly CapabilityProfile[],
  written: readonly Written[],
): readonly string[] {
  if (!written.some(({ needsChange }) => needsChange)) return []
  const others = profiles.filter(
    ({ kind }, index) => kind === 'read' || written[index]?.needsChange === true,
  )
  const names = toolsOf(others).map(quoted).join(', ')
  return [
    comment('What was changed in a session, so that a code that confirms it is no surprise.'),
    'labels:',
    ...resourcesOf(profiles).map(
      (resource) =>
        `  - { capability: ${quoted(`${resource}.*`)}, not: { tool: [${names}] }, adds: ${changedLabel} }`,
    ),
    '',
  ]
}

function capabilityText({ capability }: CapabilityProfile): string {
  return quoted(capabilityName(capability))
}

function resourcesOf(profiles: readonly CapabilityProfile[]): readonly string[] {
  return [...new Set(profiles.map(({ capability }) => capability.resource))].toSorted()
}

function toolsOf(profiles: readonly CapabilityProfile[]): readonly string[] {
  return [...new Set(profiles.flatMap((profile) => [...profile.tools]))].toSorted()
}

/**
 * The tools of the same resources that nobody has called yet: told apart by their names, in guard and grant alike. Those
 * that only look by their names and are told nothing need no person.
 */
function unseenRules(
  profiles: readonly CapabilityProfile[],
  { unseen }: LearnOptions,
): { readonly guards: readonly string[]; readonly grants: readonly string[] } {
  const names = toolsOf(profiles).map(quoted).join(', ')
  if (unseen === 'deny' || names === '') return { guards: [], grants: [] }
  const about = resourcesOf(profiles).map((resource) => `capability: ${quoted(`${resource}.*`)}`)
  const looking = `{ tool: [${lookingNames.join(', ')}], only_args: [] }`
  return {
    guards: [
      `  ${comment('Tools that history does not have; those that look and are told nothing may be called.')}`,
      ...about.map((one) => `  - { ${one}, not: { any: [{ tool: [${names}] }, ${looking}] } }`),
    ],
    grants: about.map((one) => `  - { ${one}, not: { tool: [${names}] } }`),
  }
}

/** How names of tools begin that look at something, as patterns of a policy. */
const lookingNames = ['get_*', 'list_*', 'view_*', 'show_*', 'read_*', 'search_*', 'find_*'].map(
  quoted,
)

function count(many: number, what: string): string {
  return `${String(many)} ${what}${many === 1 ? '' : 's'}`
}
