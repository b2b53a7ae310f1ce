import { Decimal } from '../../json/decimal.ts'
import type { LabelState, PolicyState } from '../state.ts'

/** What a case says of the clock and of earlier calls. */
export interface TestState {
  /** Not a number where a case does not say it: then the time cannot be known. */
  readonly nowMs: number
  readonly labels: readonly TestLabel[]
  /** How much of a limit is used up, by the name of its rule or budget; whatever it counts apart for. */
  readonly used: ReadonlyMap<string, Decimal>
}

/** A label that the session has. */
export interface TestLabel {
  readonly name: string
  /** The canonical JSON of the value that it is about; empty when it is about any. */
  readonly bind: string
  /** Whether the call that added it has ended without an error. */
  readonly isProven: boolean
}

/** The state that a case describes; what it does not speak of has not happened. */
export function stateOf({ nowMs, labels, used }: TestState): PolicyState {
  return {
    nowMs,
    usage: (pot) => {
      const found = [...used].find(([name]) => isPotOf(name, pot))
      return {
        used: found?.[1] ?? zero,
        reachedAtMs: () => (Number.isNaN(nowMs) ? undefined : nowMs),
      }
    },
    label: (name, bind): LabelState => {
      const found = labels.filter(
        (label) =>
          label.name === name && (bind === undefined || label.bind === '' || label.bind === bind),
      )
      return { held: found.length > 0, proven: found.some(({ isProven }) => isProven) }
    },
  }
}

const zero = new Decimal('0')

/** A pot is kept under the name of its rule or its budget, and what is added up in it. */
function isPotOf(name: string, pot: string): boolean {
  return ['rule', 'budget'].some((kind) => {
    const quoted = JSON.stringify(`${kind}:${name}`).slice(0, -1)
    return pot.startsWith(`[${quoted}"`) || pot.startsWith(`[${quoted} `)
  })
}
