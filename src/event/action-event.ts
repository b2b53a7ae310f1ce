import type { JsonObject } from '../json/value.ts'
import type { Capability, RiskLevel } from './capability.ts'
import type { ArgumentRoles, EventContext, EventParts } from './event.ts'

const noContext: EventContext = Object.freeze({})
const noRoles: ArgumentRoles = Object.freeze({})

/**
 * One thing an agent wants to do: actor, action, resource, environment, risk, arguments.
 *
 * Arguments are a field of their own, so that a tool argument named `actor` or `risk` is only an argument.
 */
export class ActionEvent {
  readonly actor: string
  readonly capability: Capability
  readonly environment: string | undefined
  readonly risk: RiskLevel | undefined
  readonly arguments: JsonObject
  readonly context: EventContext
  readonly argumentRoles: ArgumentRoles

  private constructor(parts: EventParts) {
    this.actor = parts.actor
    this.capability = parts.capability
    this.environment = parts.environment
    this.risk = parts.risk
    this.arguments = parts.arguments
    this.context = parts.context ?? noContext
    this.argumentRoles = parts.argumentRoles ?? noRoles
    Object.freeze(this)
  }

  /**
   * Makes an event of parts that are already exact, as the gate has them from its scanner.
   */
  static of(parts: EventParts): ActionEvent {
    return new ActionEvent(parts)
  }
}
