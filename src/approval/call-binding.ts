import { hmacSha256Hex, sha256Hex } from '../crypto/sha256.ts'
import type { ActionEvent } from '../event/action-event.ts'
import { canonicalizeExact } from '../json/canonical.ts'
import type { JsonObject } from '../json/value.ts'
import type { CallBinding } from './request.ts'

// A digest of one kind of thing must never be one of another kind: every hashed text begins with what it is.
const bindingDomain = 'capfence.dev/call-binding/v1\n'
const argumentDomain = 'capfence.dev/call-arguments/v1\n'

/** What an approval is bound to beside the event itself. */
export interface BindingFacts {
  readonly definitionHash: string | null
  readonly argumentDigest: string
  readonly policyHash: string
  /** Set only where the approval is bound to one session. */
  readonly session: string | null
}

/** The exact call of an event, as an approval names it. */
export function callBinding(event: ActionEvent, facts: BindingFacts): CallBinding {
  return {
    actor: event.actor,
    server: event.context.server ?? null,
    tool: event.context.tool ?? null,
    definitionHash: facts.definitionHash,
    argumentDigest: facts.argumentDigest,
    capability: event.capability,
    environment: event.environment ?? null,
    policyHash: facts.policyHash,
    session: facts.session,
  }
}

/**
 * A binding in its RFC 8785 form, which is what is hashed and what the log can disclose.
 *
 * The fields stand in the order of their names, and every value is a text or null, for which `JSON.stringify` is that
 * form; quoting keeps one field from running into the next.
 */
export function canonicalBinding(binding: CallBinding): string {
  const { action, resource, scope } = binding.capability
  return JSON.stringify({
    actor: binding.actor,
    argumentDigest: binding.argumentDigest,
    capability: { action, resource, scope },
    definitionHash: binding.definitionHash,
    environment: binding.environment,
    policyHash: binding.policyHash,
    server: binding.server,
    session: binding.session,
    tool: binding.tool,
  })
}

/** SHA-256 of a canonical binding, hex: two calls have the same digest only if every field is the same. */
export function bindingDigest(binding: CallBinding): string {
  return sha256Hex(bindingDomain + canonicalBinding(binding))
}

/**
 * HMAC-SHA-256 of arguments in their exact canonical form, hex.
 *
 * Key order and white space do not matter, so that a retry still matches; numbers are compared as exact decimals, so
 * that 1000 and 1000.00000000000000001 are two calls. Keyed, because an unkeyed hash of a short argument can be
 * guessed by whoever reads the log.
 */
export function argumentDigest(key: Uint8Array, args: JsonObject): string {
  return hmacSha256Hex(key, argumentDomain + canonicalizeExact(args))
}
