import { base64urlEncode } from '../crypto/base64url.ts'
import type { RandomSource } from '../crypto/random.ts'
import { hmacSha256Hex, sha256Base64url } from '../crypto/sha256.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { limits } from '../limits.ts'
import type { Disclosure } from './record.ts'
import { printJson, printRedacted, type RedactedText } from './redacted-json.ts'
import { looksSecret } from './secret-names.ts'

/**
 * What of a call is kept beside the log: `full` arguments and results; `args` arguments, and of a result what proves
 * it to whoever has it (the default); `digest-only` nothing but salted digests in the record; `none` not even those.
 */
export type DisclosureMode = 'full' | 'args' | 'digest-only' | 'none'

/** Salted digests as they stand in a record. */
export interface SealedDigests {
  /** Sorted, so that their order says nothing about the call's (RFC 9901, section 4.2.4.1). */
  readonly _sd: readonly string[]
  readonly mode: DisclosureMode
  /** Indexes into `_sd` of those whose disclosure was never stored: nobody can open them. */
  readonly withheld: readonly number[]
}

/** Digests for the record, and the disclosures to store with it. */
export interface Sealed {
  readonly digests: SealedDigests
  readonly disclosures: readonly Disclosure[]
}

/** RFC 9901, section 4.2.1: no claim may have these names, so that `...` is free to name the arguments that share a disclosure. */
const sharedName = '...'
const reservedNames: ReadonlySet<string> = new Set(['_sd', sharedName])

const saltBytes = 16

/**
 * Seals the arguments of a call: one disclosure for each top-level argument, up to 64; the rest share one named `...`.
 *
 * A disclosure is `[salt, name, value]` with numbers as they were written. Where the value holds members that look
 * like secrets, they are null and a fourth element lists them: `{"redacted": ["/db/password"]}`. A value longer than
 * the bound is null and the fourth element stands for it: `{"bytes": n, "hmac_sha256": hex}`, keyed with the salt.
 * An argument whose own name looks like a secret is withheld: its digest is listed, its disclosure is not stored.
 *
 * @param salts unpredictable bytes; drawn anew for each disclosure
 */
export function discloseArguments(
  args: JsonObject,
  salts: RandomSource,
  mode: DisclosureMode,
): Sealed {
  if (mode === 'none') return nothing(mode)
  const names = Object.keys(args)
  const own = names.filter((name) => !reservedNames.has(name)).slice(0, limits.maxDisclosures)
  const ownNames = new Set(own)
  const shared = names.filter((name) => !ownNames.has(name))
  const parts = own.map((name) => argumentPart(name, args[name] ?? null))
  if (shared.length > 0)
    parts.push({ name: sharedName, secret: false, text: printShared(args, shared) })
  return seal(parts, salts, { mode, stored: mode === 'full' || mode === 'args' })
}

/**
 * Seals the result of a call, which only mode `full` stores.
 *
 * @param result as the policy's reader sees it
 */
export function discloseResult(
  result: JsonValue,
  salts: RandomSource,
  mode: DisclosureMode,
): Sealed {
  if (mode === 'none') return nothing(mode)
  const text = printRedacted(result)
  return seal([{ name: 'result', secret: false, text }], salts, { mode, stored: mode === 'full' })
}

/**
 * Seals bytes that are not taken apart: a result in every mode but `full`, a message that was refused.
 *
 * The value is null and the fourth element has the HMAC: whoever holds the bytes can prove that these were they.
 */
export function discloseBytes(
  name: 'result' | 'message',
  bytes: Uint8Array,
  salts: RandomSource,
  mode: DisclosureMode,
): Sealed {
  if (mode === 'none') return nothing(mode)
  const salt = salts(saltBytes)
  const disclosure = disclosureOf(standIn(name, salt, bytes, []))
  return sealedFrom([{ disclosure, kept: mode === 'full' || mode === 'args' }], mode)
}

/** Nothing to disclose: a call that was never answered. */
export function discloseNothing(mode: DisclosureMode): Sealed {
  return nothing(mode)
}

/**
 * Seals a value of the gate's own under one name.
 *
 * @param json the value's JSON text
 */
export function discloseText(name: string, json: string, salts: RandomSource): Sealed {
  const part = { name, secret: false, text: { json, redacted: [] } }
  return seal([part], salts, { mode: 'args', stored: true })
}

/** A value before it has its salt. */
interface Part {
  readonly name: string
  /** The name itself looks like a secret's. */
  readonly secret: boolean
  readonly text: RedactedText
}

function argumentPart(name: string, value: JsonValue): Part {
  const secret = looksSecret(name)
  // Nobody will read a withheld value; its digest must still be that of the true one.
  const text = secret ? { json: printJson(value), redacted: [] } : printRedacted(value)
  return { name, secret, text }
}

function printShared(args: JsonObject, names: readonly string[]): RedactedText {
  const rest = Object.fromEntries(names.map((name) => [name, args[name] ?? null]))
  return printRedacted(rest)
}

interface Keeping {
  readonly mode: DisclosureMode
  readonly stored: boolean
}

interface Candidate {
  readonly disclosure: Disclosure
  readonly kept: boolean
}

function seal(parts: readonly Part[], salts: RandomSource, keeping: Keeping): Sealed {
  const candidates = parts.map((part) => ({
    disclosure: disclosureOf(disclosureText(part, salts(saltBytes))),
    kept: keeping.stored && !part.secret,
  }))
  return sealedFrom(candidates, keeping.mode)
}

function sealedFrom(candidates: readonly Candidate[], mode: DisclosureMode): Sealed {
  const sorted = candidates.toSorted((left, right) =>
    left.disclosure.digest < right.disclosure.digest ? -1 : 1,
  )
  return {
    digests: {
      _sd: sorted.map(({ disclosure }) => disclosure.digest),
      mode,
      withheld: sorted.flatMap(({ kept }, index) => (kept ? [] : [index])),
    },
    disclosures: sorted.flatMap(({ disclosure, kept }) => (kept ? [disclosure] : [])),
  }
}

function disclosureText({ name, text: { json, redacted } }: Part, salt: Uint8Array): string {
  // A string has at most three bytes of UTF-8 for each of its characters.
  if (json.length * 3 > limits.maxDisclosedValueBytes) {
    const bytes = Buffer.from(json, 'utf8')
    if (bytes.length > limits.maxDisclosedValueBytes) return standIn(name, salt, bytes, redacted)
  }
  const note = redacted.length === 0 ? '' : `,${JSON.stringify({ redacted })}`
  return `["${base64urlEncode(salt)}",${JSON.stringify(name)},${json}${note}]`
}

function standIn(
  name: string,
  salt: Uint8Array,
  bytes: Uint8Array,
  redacted: readonly string[],
): string {
  const note = { bytes: bytes.length, hmac_sha256: hmacSha256Hex(salt, bytes) }
  const full = redacted.length === 0 ? note : { ...note, redacted }
  return JSON.stringify([base64urlEncode(salt), name, null, full])
}

function disclosureOf(json: string): Disclosure {
  const encoded = base64urlEncode(json)
  return { digest: sha256Base64url(encoded), encoded }
}

function nothing(mode: DisclosureMode): Sealed {
  return { digests: { _sd: [], mode, withheld: [] }, disclosures: [] }
}
