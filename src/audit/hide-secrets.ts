import { hidden } from './open-disclosure.ts'
import { looksSecret } from './secret-names.ts'
import { Decimal } from '../json/decimal.ts'
import type { JsonValue } from '../json/value.ts'
import { isJsonArray } from '../json/value.ts'

/** A value without what looks like a secret, and where that was. */
export interface WithoutSecrets<T extends JsonValue> {
  readonly value: T
  /** JSON Pointers (RFC 6901), in the order of the value. */
  readonly places: readonly string[]
}

/**
 * Texts that are credentials wherever they stand: keys of well-known services, private keys, JSON Web Tokens.
 * Unsure means yes, because what is wrongly taken for a secret is only not shown (THREATS B27).
 */
const credentials: readonly RegExp[] = [
  /\b(?:gh[oprsu]_|github_pat_|glpat-|npm_|xox[abeoprs]-|xapp-|hf_|dop_v1_|shp(?:at|ss|ca|pa)_)[\w-]{10,}/g,
  /\b(?:sk|pk|rk)[-_][\w-]{16,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[\w-]{30,}/g,
  /\bya29\.[\w-]{20,}/g,
  /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
]

/** A secret behind the word that announces it; the word stays, so that the text can still be understood. */
const announced: readonly RegExp[] = [
  /(?<=\bbearer\s+)[\w.~+/=-]{8,}/gi,
  /(?<=\bauthorization["']?\s*[=:]\s*["']?(?:basic|digest|token|apikey)\s+)[^\s"']+/gi,
  /(?<=\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/gi,
  /(?<=(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key)["']?\s*[=:]\s*)(?!\[hidden\])(?:"[^"]*"|'[^']*'|[^\s"'&;,}]+)/gi,
  /(?<=--?(?:password|passwd|pass|secret|token|api-?key)\s+)(?!\[hidden\])(?:"[^"]*"|'[^']*'|[^\s"']+)/gi,
]

/** Hides what looks like a secret, by the name it stands under or by its own form, at any depth. */
export function hideSecrets<T extends JsonValue>(value: T): WithoutSecrets<T>
export function hideSecrets(value: JsonValue): WithoutSecrets<JsonValue> {
  const places: string[] = []
  return { value: without(value, '', places), places }
}

/** Hides credentials inside a text, such as a command line. */
function hideInText(text: string): string {
  let shown = text
  for (const pattern of [...credentials, ...announced]) shown = shown.replaceAll(pattern, hidden)
  return shown
}

function without(value: JsonValue, at: string, places: string[]): JsonValue {
  if (typeof value === 'string') {
    const text = hideInText(value)
    if (text !== value) places.push(at)
    return text
  }
  if (typeof value !== 'object' || value === null || value instanceof Decimal) return value
  if (isJsonArray(value)) {
    return value.map((element, index) => without(element, `${at}/${index}`, places))
  }
  const members: Record<string, JsonValue> = { __proto__: null }
  for (const [name, member] of Object.entries(value)) {
    const place = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const isSecret = looksSecret(name) && member !== null
    if (isSecret) places.push(place)
    members[name] = isSecret ? hidden : without(member, place, places)
  }
  return members
}
