import type { JsonObject } from '../json/value.ts'
import type { Capability, RiskLevel } from './capability.ts'

/**
 * Who and where, as the proxy knows it; never read from a tool's arguments (POLICY.md 6).
 */
export interface EventContext {
  /** The key of the server in the configuration. */
  readonly server?: string
  /** The tool's original name at that server, not the name the client sees. */
  readonly tool?: string
  readonly role?: string
  readonly tenant?: string
  readonly session?: string
  /** The client's own name, such as `claude-code`. */
  readonly client?: string
}

/** Arguments that the configuration names as amounts or paths, as JSON Pointers (RFC 6901). */
export interface ArgumentRoles {
  readonly amount?: readonly string[]
  readonly path?: readonly string[]
}

/** The parts of an event that are already exact. */
export interface EventParts {
  readonly actor: string
  readonly capability: Capability
  /** Absent means unknown: a guard that asks for it applies, an allow does not. */
  readonly environment?: string
  readonly risk?: RiskLevel
  readonly arguments: JsonObject
  readonly context?: EventContext
  readonly argumentRoles?: ArgumentRoles
}
