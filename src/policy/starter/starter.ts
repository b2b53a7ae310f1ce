import { assert, CapFenceError } from '../../errors.ts'
import type { ActionEvent } from '../../event/action-event.ts'
import type { Bindings } from '../../event/binding.ts'
import { capabilityName } from '../../event/capability.ts'
import type { RiskLevel } from '../../event/capability.ts'
import { printable } from '../../event/printable.ts'
import type { Effect } from '../answer.ts'
import { loadPolicy } from '../load.ts'
import { eventOf, runCase } from '../tests/run-case.ts'
import type { TestSetting } from '../tests/run-case.ts'
import { readTestFile } from '../tests/test-file.ts'
import { boundsOf, pointerTo } from './argument-bounds.ts'
import type { ArgumentBound } from './argument-bounds.ts'
import { policyText, testsText } from './starter-text.ts'
import type { PlannedTool, StarterHead } from './starter-text.ts'
import { readTools } from './starter-tool.ts'
import type { StarterTool } from './starter-tool.ts'
import { classOf, sharedWords } from './tool-class.ts'
import type { ToolKind } from './tool-class.ts'

/** What a first policy is made of. */
export interface StarterOptions {
  readonly server: string
  /** The items of the server's `tools/list`. */
  readonly items: readonly unknown[]
  /** The folders in which its paths have to lie. */
  readonly roots: readonly string[]
  readonly bindings: Bindings
  readonly actor: string
  readonly environment: string
  /** Where the tests find the configuration, relative to them; undefined when there is none. */
  readonly config: string | undefined
}

/** A first policy, its tests, and what the configuration could say about the tools. */
export interface Starter {
  readonly policy: string
  readonly tests: string
  readonly tools: readonly StarterChoice[]
  /** Items of the list that are no tools, and why. */
  readonly skipped: readonly string[]
}

/** What becomes of one tool. */
export interface StarterChoice {
  readonly name: string
  readonly effect: Effect
  readonly why: string
  readonly risk: RiskLevel
  /** Pointers to arguments that are amounts or paths. */
  readonly roles: { readonly amount: readonly string[]; readonly path: readonly string[] }
}

/**
 * Writes a first policy for a server, so strict that it can be used as it is, and plain enough to be read.
 *
 * Every text of it is read again and every test of it run before it is handed over: a tool whose tests say something
 * else than was planned gets the stricter of the two. The same list always gives the same texts.
 */
export function starterOf(options: StarterOptions): Starter {
  const { tools, skipped } = readTools(options.items)
  let planned = plan(tools, options)
  const named = new Set(planned.map(({ tool }) => tool.name))
  const unnamed = tools
    .filter(({ name }) => !named.has(name))
    .map(() => 'one that no rule can name')
  const notes = [...skipped, ...unnamed].toSorted((one, other) => (one < other ? -1 : 1))
  const head: StarterHead = {
    ...options,
    notes: notes.map((note) => `Left out of the list: ${note}.`),
  }
  // Each round makes at least one tool stricter, and none can get stricter than denied.
  for (let round = 0; round <= 2 * tools.length; round += 1) {
    const texts = { policy: policyText(head, planned), tests: testsText(head, planned) }
    const stricter = deviations(texts, options)
    if (stricter.size === 0) return { ...texts, tools: planned.map(choiceOf), skipped: notes }
    planned = planned.map((one) => {
      const effect = stricter.get(one.tool.name)
      return effect === undefined
        ? one
        : { ...one, effect, why: `${one.why}; nothing looser holds` }
    })
  }
  throw new Error('bug: a starter whose tools are all denied should pass its tests')
}

function plan(tools: readonly StarterTool[], options: StarterOptions): readonly PlannedTool[] {
  const ignored = sharedWords(tools.map(({ name }) => name))
  const bound = tools.flatMap((tool) => {
    const event = tryEvent(tool, options)
    return event === undefined ? [] : [{ tool, capability: event.capability }]
  })
  const counts = new Map<string, number>()
  for (const { capability } of bound) {
    const name = capabilityName(capability).toLowerCase()
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const ids = new Set<string>()
  return bound.map(({ tool, capability }) => {
    const isShared = (counts.get(capabilityName(capability).toLowerCase()) ?? 0) > 1
    const bounds = boundsOf(tool, options.roots)
    const { effect, why } = choose(tool, ignored, bounds.unbounded)
    const isNameable = !/[*?[\]{}\p{Cc}]/u.test(tool.name) && tool.name === tool.name.trim()
    const id = freeId(tool.name, ids)
    const strict = isShared && !isNameable
    return {
      tool,
      capability,
      bounds,
      id,
      isShared: isShared && isNameable,
      effect: strict ? 'deny' : effect,
      why: strict ? 'no rule can tell it from another tool of its capability' : why,
    }
  })
}

/** The event of a call without arguments; undefined where there can be none. */
function tryEvent({ name }: StarterTool, options: StarterOptions): ActionEvent | undefined {
  const { bindings, server, actor, environment } = options
  const args = Object.freeze({ __proto__: null })
  try {
    return bindings.bind({ server, tool: name, arguments: args, actor, environment })
  } catch (error) {
    if (!(error instanceof CapFenceError)) throw error
    return undefined
  }
}

const effectOf: Readonly<Record<ToolKind, Effect>> = {
  read: 'allow',
  write: 'require_approval',
  unknown: 'require_approval',
  destructive: 'deny',
}

function choose(
  tool: StarterTool,
  ignored: readonly string[],
  unbounded: string | undefined,
): { readonly effect: Effect; readonly why: string } {
  const { kind, why } = classOf(tool, ignored)
  const effect = effectOf[kind]
  if (effect !== 'allow' || unbounded === undefined) return { effect, why }
  return {
    effect: 'require_approval',
    why: `${why}, but nobody can say what \`${printable(unbounded)}\` may be`,
  }
}

/** An id that no other rule of the policy has; without a dot, behind which the ids of further rules go on. */
function freeId(name: string, taken: Set<string>): string {
  const stem = name
    .slice(0, 40)
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replaceAll(/^[^A-Za-z0-9]+|-+$/g, '')
  let id = stem === '' ? 'tool' : stem
  for (let count = 2; taken.has(id.toLowerCase()); count += 1) id = `${stem || 'tool'}-${count}`
  taken.add(id.toLowerCase())
  return id
}

/** The tools of which the tests say something else than expected, with what becomes of them instead. */
function deviations(
  { policy, tests }: { readonly policy: string; readonly tests: string },
  options: StarterOptions,
): ReadonlyMap<string, Effect> {
  const loaded = loadPolicy([{ path: 'starter.yaml', text: policy }])
  const { cases, problems } = readTestFile({ path: 'starter.test.yaml', text: tests })
  assert(problems.length === 0, 'the tests of a starter can be read')
  const { bindings, actor, environment } = options
  const setting: TestSetting = { bindings, actor, environment }
  const stricter = new Map<string, Effect>()
  for (const one of cases) {
    const { failure, answer, event } = runCase(loaded, one, eventOf(one, setting))
    const { tool } = event.context
    if (failure === undefined || tool === undefined) continue
    // Asked about and not allowed, or allowed though it should not be: a person has to look at it, or nobody.
    const isLooser = one.expected.decision === 'allow' && answer.decision !== 'deny'
    const isOpen = one.expected.decision === 'deny' && answer.decision === 'allow'
    const effect = isLooser || isOpen ? 'require_approval' : 'deny'
    if (stricter.get(tool) !== 'deny') stricter.set(tool, effect)
  }
  return stricter
}

const riskOf: Readonly<Record<Effect, RiskLevel>> = {
  allow: 'low',
  require_approval: 'high',
  deny: 'critical',
}

function choiceOf({ tool, effect, why, bounds }: PlannedTool): StarterChoice {
  const pointers = (role: ArgumentBound['role']): readonly string[] =>
    bounds.bounds
      .filter((bound) => bound.role === role)
      .map(({ name, sample }) => `${pointerTo(name)}${Array.isArray(sample) ? '/*' : ''}`)
  const roles = { amount: pointers('amount'), path: pointers('path') }
  return { name: tool.name, effect, why, risk: riskOf[effect], roles }
}
