import { sha256Hex } from '../crypto/sha256.ts'
import { canonicalizeExact } from '../json/canonical.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import type { JsonValue } from '../json/value.ts'

/** Something that a server tells a model, and that can be accepted: a tool, a prompt, a template or its instructions. */
export interface Definition {
  /** The name, or the URI template; empty for instructions. */
  readonly name: string
  /** Hex SHA-256 of `text`, or of its bytes where it has no canonical form. */
  readonly sha256: string
  /** Undefined where two parsers could read it differently; such a definition is known by its bytes. */
  readonly value: JsonValue | undefined
  /** The canonical form with exact numbers; the server's own text where there is none. */
  readonly text: string
}

const nothing = wanted({})

/**
 * What a definition is known by: hex SHA-256 of its canonical form with exact numbers.
 *
 * A definition that two parsers would read differently has no canonical form; it is known by its bytes.
 */
export function definitionHash(bytes: Uint8Array): string {
  return definitionOf('', bytes).sha256
}

/** A definition as its server wrote it, in JSON. */
export function definitionOf(name: string, bytes: Uint8Array): Definition {
  try {
    return definitionOfValue(name, scanStrict(bytes, nothing).value)
  } catch {
    // Nothing is lost: the bytes say at least as much as the value, and any change of them changes the hash.
    const sha256 = sha256Hex(Buffer.concat([Buffer.from('bytes\n'), bytes]))
    return { name, sha256, value: undefined, text: Buffer.from(bytes).toString('utf8') }
  }
}

/**
 * A definition of a value that has been read.
 *
 * @throws CapFenceError `JSON_INVALID` when it has no canonical form
 */
export function definitionOfValue(name: string, value: JsonValue): Definition {
  const text = canonicalizeExact(value)
  return { name, sha256: sha256Hex(text), value, text }
}

/** A definition that is kept as the text of its server. */
export function definitionOfText(name: string, text: string): Definition {
  return { name, sha256: sha256Hex(`bytes\n${text}`), value: undefined, text }
}
