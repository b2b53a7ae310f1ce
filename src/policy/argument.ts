import type { JsonObject, JsonValue } from '../json/value.ts'
import { foldText } from './fold.ts'
import type { Parsing } from './parsing.ts'
import type { RealPath } from './state.ts'

/** Not asked for yet; `undefined` is an answer. */
const unasked: unique symbol = Symbol('unasked')

/** The call in which an argument stands, the same object for all arguments of one decision. */
export interface ArgumentCall {
  readonly arguments: JsonObject
  readonly parsing: Parsing
  /** Where its paths really lead; undefined where nobody looks. */
  readonly realPath: RealPath | undefined
}

/**
 * One argument of a call, found by a pointer: its value, and what several rules would otherwise work out again.
 *
 * The same argument at the same pointer is the same object for every rule during one decision, and for no other, so that
 * a parse of it can be kept in a `WeakMap`.
 */
export class Argument {
  readonly value: JsonValue
  /** The value if it is a text short enough to be looked at. */
  readonly text: string | undefined
  /** Undefined for a value that stands in no call. */
  readonly call: ArgumentCall | undefined
  #folded: string | undefined | typeof unasked = unasked

  constructor(value: JsonValue, isReadable: boolean, call?: ArgumentCall) {
    this.value = value
    this.call = call
    this.text = typeof value === 'string' && isReadable ? value : undefined
  }

  /** The text as guards compare it (POLICY.md 4); undefined when it cannot be folded. */
  get folded(): string | undefined {
    if (this.#folded === unasked) {
      this.#folded = this.text === undefined ? undefined : foldText(this.text)
    }
    return this.#folded
  }
}
