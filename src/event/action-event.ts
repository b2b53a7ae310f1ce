import type { JsonObject } from '../json/value.ts'
import type { Capability, RiskLevel } from './capability.ts'
import type { EventFields } from './create.ts'
import { partsOf } from './create.ts'
import type { ArgumentRoles, EventContext, EventParts } from './event.ts'
import { checkParts } from './fields.ts'

const noContext: EventContext = Object.freeze({})
const noRoles: ArgumentRoles = Object.freeze({})

/**
 * One thing an agent wants to do: actor, action, resource, environment, risk, arguments.
 *
 * Arguments are a field of their own, so that a tool argument named `actor` or `risk` is only an argument.
 * Every event that exists is valid: names are exact, texts bounded, nothing can be changed after the decision.
 */
export class ActionEvent {
  readonly actor: string
  readonly capability: Capability
  readonly environment: string | undefined
  readonly risk: RiskLevel | undefined
  readonly arguments: JsonObject
  readonly context: EventContext
  readonly argumentRoles: ArgumentRoles
  // Only the constructor can set it, so that an object that merely looks like an event is told apart.
  readonly #checked: true

  private constructor(parts: EventParts) {
    checkParts(parts)
    this.#checked = true
    this.actor = parts.actor
    this.capability = Object.freeze(parts.capability)
    this.environment = parts.environment
    this.risk = parts.risk
    this.arguments = parts.arguments
    this.context = parts.context === undefined ? noContext : Object.freeze(parts.context)
    this.argumentRoles = parts.argumentRoles ?? noRoles
    Object.freeze(this)
  }

  /**
   * Makes an event from plain values.
   *
   * A `resource` such as `filesystem.workspace` is split at its first dot into resource and scope; without a scope the
   * environment stands in. Arguments are copied, so that changing them later does not change what was decided; numbers
   * that a double cannot hold may be given as `bigint` or as decimal text.
   *
   * @throws CapFenceError `EVENT_INVALID`, naming the field and its value
   */
  static create(fields: EventFields): ActionEvent {
    return new ActionEvent(partsOf(fields))
  }

  /**
   * Makes an event of parts that are already exact, as the gate has them from its scanner.
   *
   * Nothing is copied: the parts belong to the event from here on.
   *
   * @throws CapFenceError `EVENT_INVALID` when a part is not exact after all
   */
  static of(parts: EventParts): ActionEvent {
    return new ActionEvent(parts)
  }

  /** Whether `value` was made by `create` or `of`; an object of the same shape was not. */
  static isEvent(value: unknown): value is ActionEvent {
    return typeof value === 'object' && value !== null && #checked in value && value.#checked
  }
}
