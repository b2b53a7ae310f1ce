import type { Authority } from '../approval/authority.ts'
import type { DisclosureMode } from '../audit/disclosure.ts'
import type { Presence } from '../policy/rule.ts'
import type { Mode } from './decide.ts'
import type { GoverningPolicy } from './policy.ts'
import type { Durability, Store } from './store.ts'

/** Where unpredictable bytes and ids come from; given as an argument, so that a test can know them. */
export interface Draws {
  /** Bytes that nobody can guess; none is handed out twice. */
  readonly bytes: (count: number) => Uint8Array
  /** A UUID for a call; one that begins with the time keeps the log's index over calls quick. */
  readonly uuid: (nowMs: number) => string
  /** 26 characters, sorting by time. */
  readonly ulid: (nowMs: number) => string
}

/** What a runtime is built of. */
export interface RuntimeParts {
  readonly policy: GoverningPolicy
  readonly store: Store
  readonly draws: Draws
  /** Milliseconds since the epoch, for ids; what counts as now for a decision is the store's own clock. */
  readonly clock: () => number
  /** `enforce` when absent. */
  readonly mode?: Mode | undefined
  /** What a decision survives before it is acted on; `power` when absent. */
  readonly durability?: Exclude<Durability, 'lazy'> | undefined
  /** What of arguments and results is kept beside the log; `args` when absent. */
  readonly disclosure?: DisclosureMode | undefined
  /** How long a request waits for a person; 15 minutes when absent. */
  readonly approvalTimeoutMs?: number | undefined
  /**
   * Whose answers count now, read anew each time; nobody's when absent. When it throws nobody's count either, and what it
   * threw is a failure.
   */
  readonly authority?: (() => Authority) | undefined
  /** What an approval must be like where its rule does not say; `any` when absent. */
  readonly approvalPresence?: Presence | undefined
  /** Is told of every failure that became a denial or a missing outcome; for the operator, never for the client. */
  readonly onFailure?: ((error: unknown) => void) | undefined
}
