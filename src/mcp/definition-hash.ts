import { sha256Hex } from '../crypto/sha256.ts'
import { canonicalizeExact } from '../json/canonical.ts'
import { scanStrict, wanted } from '../json/scan.ts'

const nothing = wanted({})

/**
 * What a tool's definition is known by: hex SHA-256 of its canonical form with exact numbers.
 *
 * A definition that two parsers would read differently has no canonical form; it is known by its bytes.
 */
export function definitionHash(bytes: Uint8Array): string {
  try {
    return sha256Hex(canonicalizeExact(scanStrict(bytes, nothing).value))
  } catch {
    // Nothing is lost: the bytes say at least as much as the value, and any change of them changes the hash.
    return sha256Hex(Buffer.concat([Buffer.from('bytes\n'), bytes]))
  }
}
