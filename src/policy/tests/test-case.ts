import type { RiskLevel } from '../../event/capability.ts'
import type { EventContext } from '../../event/event.ts'
import type { JsonObject } from '../../json/value.ts'
import type { AnswerReason, Effect, Position } from '../answer.ts'
import type { TestState } from './test-state.ts'

/** One thing that a policy is expected to say. */
export interface TestCase {
  readonly name: string
  readonly position: Position
  readonly asked: Asked
  /** What rules may ask besides the call; what depends on it is indeterminate without. */
  readonly state: TestState | undefined
  readonly expected: Expected
}

/** What is expected; what is absent may be anything. */
export interface Expected {
  readonly decision: Effect
  readonly reason?: AnswerReason
  /** Each of them has to be among the rules that decide. */
  readonly rules: readonly NamedRule[]
}

/** A rule that a case names, and where it does. */
export interface NamedRule {
  readonly id: string
  readonly position: Position
}

/** What a policy is asked about: an event as it stands, or a call that bindings make one of. */
export type Asked = AskedEvent | AskedCall

/** Who asks and where, as far as a case, or the defaults of its file, say it. */
export interface AskedContext extends Omit<EventContext, 'server' | 'tool'> {
  readonly actor?: string
  readonly environment?: string
}

/** An event, with its capability written as a policy would name it, but without wildcards. */
export interface AskedEvent {
  readonly kind: 'event'
  readonly capability: string
  readonly context: AskedContext & EventContext
  readonly risk?: RiskLevel
  readonly arguments: JsonObject
}

/** A call of a tool at a server. */
export interface AskedCall {
  readonly kind: 'call'
  readonly server: string
  readonly tool: string
  readonly context: AskedContext
  readonly arguments: JsonObject
}
