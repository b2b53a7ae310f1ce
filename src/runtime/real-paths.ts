import type { DisclosureMode } from '../audit/disclosure.ts'
import { secretTexts } from '../audit/secret-texts.ts'
import type { ActionEvent } from '../event/action-event.ts'
import { limits } from '../limits.ts'
import { readPath } from '../policy/path.ts'
import type { PolicyState, RealPath } from '../policy/state.ts'

/**
 * Asks a disk where paths really lead.
 *
 * @returns for each of them an absolute path without links, or undefined where that cannot be found out; never rejects
 */
export type AskDisk = (paths: readonly string[]) => Promise<ReadonlyMap<string, string | undefined>>

/** What of a policy, or of a grant, looks at the paths of a call. */
type AskedPolicy = {
  explain(event: ActionEvent, state?: PolicyState): unknown
  decide(event: ActionEvent, state?: PolicyState): unknown
}

/** What a disk said, each path once. */
export type DiskFacts = ReadonlyMap<string, string | undefined>

/**
 * Finds out where the paths lead that a policy asks about for an event, so that deciding can stay pure.
 *
 * What rules ask may depend on what they were told before, so they are asked again until nothing new comes. What is not
 * asked here, because there is too much of it, is not known, and then guards apply and grants do not.
 */
export async function diskFacts(
  policy: AskedPolicy,
  event: ActionEvent,
  askDisk: AskDisk,
): Promise<DiskFacts> {
  const known = new Map<string, string | undefined>()
  let characters = 0
  for (let round = 0; round < maxRounds; round += 1) {
    const asked = pathsAsked(policy, event, known).filter((path) => {
      characters += path.length
      return characters <= limits.maxPathCharacters
    })
    const wanted = asked.slice(0, limits.maxRealPaths - known.size)
    if (wanted.length === 0) return known
    // oxlint-disable-next-line no-await-in-loop -- what is asked next depends on the answer
    const answers = await askDisk(wanted)
    for (const path of wanted) known.set(path, answers.get(path))
  }
  return known
}

const maxRounds = 4

/** Whether a policy looks at paths of an event, so that its answer depends on the disk. */
export function asksDisk(policy: AskedPolicy, event: ActionEvent): boolean {
  return pathsAsked(policy, event, new Map()).length > 0
}

/**
 * Which paths of a call may stand in the log as they are: none where its arguments do not, and none that stands in an
 * argument that looks like a secret.
 */
export function keptPaths(
  { arguments: args }: ActionEvent,
  mode: DisclosureMode,
): (path: string) => boolean {
  if (mode !== 'args' && mode !== 'full') return () => false
  const secrets = secretTexts(args)
  return (path) =>
    !secrets.some((text) => text.includes(path) || readPath(text)?.written.text === path)
}

/** Several of them, as one that looks at all that any of them does. */
export function askingAll(asked: readonly AskedPolicy[]): AskedPolicy {
  return {
    explain: (event, state) => asked.map((one) => one.explain(event, state)),
    decide: (event, state) => asked.map((one) => one.decide(event, state)),
  }
}

/** What a disk said, for whoever may know nothing else of the gate's state; what was not asked is not known. */
export function diskState(facts: DiskFacts): PolicyState {
  return {
    nowMs: 0,
    usage: () => undefined,
    label: () => undefined,
    realPath: (path) => facts.get(path),
  }
}

function pathsAsked(policy: AskedPolicy, event: ActionEvent, known: DiskFacts): string[] {
  const asked = new Set<string>()
  const realPath: RealPath = (path) => {
    if (!known.has(path)) asked.add(path)
    return known.get(path)
  }
  // Only paths are looked for: the clock and the store do not change which ones rules look at, but for what is nested.
  const state: PolicyState = { ...diskState(known), realPath }
  // Deciding stops at what is false, and explaining knows nothing of labels.
  policy.explain(event, state)
  policy.decide(event, state)
  return [...asked]
}
