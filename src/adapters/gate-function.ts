import { CapFenceError } from '../errors.ts'
import { decided, type GateContext } from './gate-call.ts'

/** What a function is to the policy. */
export interface FunctionBinding<Args extends readonly unknown[]> extends GateContext {
  /** What it is called; the name of the function when absent. */
  readonly tool?: string | undefined
  /**
   * The arguments that the policy sees, as a plain object, of those that the function is called with.
   *
   * When absent, a function is called with nothing or with one object, or is refused: an argument that no rule sees is one
   * that nobody has decided on. `inputOf` takes the first one where the others are no arguments of the tool.
   */
  readonly arguments?: ((...args: Args) => unknown) | undefined
}

/** The first argument alone: of a tool whose framework hands it a context besides. A text is its argument `input`. */
export function inputOf(...[input]: readonly unknown[]): unknown {
  return typeof input === 'string' ? { input } : (input ?? {})
}

/**
 * A function that only runs when the policy allows it.
 *
 * What it is called with is copied first, so that what is decided on is what it gets: the copies of `structuredClone`
 * for what the policy sees as it is, and the arguments themselves where `arguments` makes something else of them.
 *
 * It is for code that is not out to get past: who has the function itself calls that.
 *
 * @returns rejects with `BlockedCallError` when the call is not allowed, with `CapFenceError` `EVENT_INVALID` when its
 *   arguments are nothing that a policy can look at: it was not called then
 * @throws CapFenceError `USAGE` for a function without a name
 */
export function gate<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result | Promise<Result>,
  binding: FunctionBinding<Args>,
): (...args: Args) => Promise<Result> {
  const tool = binding.tool ?? fn.name
  if (tool === '') {
    throw new CapFenceError('USAGE', 'the function has no name that a policy could know it by', {
      hint: 'say one: `gate(fn, { tool: "send_mail", … })`',
    })
  }
  return async function gated(this: unknown, ...args: Args): Promise<Result> {
    const { args: own, seen } = taken(args, binding.arguments)
    return decided(binding, { tool, arguments: seen }, () => Reflect.apply(fn, this, own))
  }
}

interface Taken<Args> {
  readonly args: Args
  readonly seen: unknown
}

function taken<Args extends readonly unknown[]>(
  args: Args,
  choose: FunctionBinding<Args>['arguments'],
): Taken<Args> {
  if (choose === undefined && args.length > 1) {
    throw new CapFenceError('EVENT_INVALID', 'the function is called with several arguments', {
      hint: 'say with `arguments` what of them a policy sees: `(to, amount) => ({ to, amount })`, or `inputOf` for the first alone',
    })
  }
  // What a framework hands over besides is its own, and has to stay the same thing.
  const data = choose === inputOf ? 1 : args.length
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same arguments, copied
  const own = args.map((value, at) => (at < data ? copied(value) : value)) as unknown as Args
  return { args: own, seen: (choose ?? inputOf)(...own) }
}

/** What cannot be copied is no data: it stays, and is refused where a policy would have to look at it. */
function copied(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return value
  }
}
