/** base64url without padding (RFC 4648, section 5) of bytes, or of a string's UTF-8. */
export function base64urlEncode(message: Uint8Array | string): string {
  const bytes =
    typeof message === 'string'
      ? Buffer.from(message, 'utf8')
      : Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  return bytes.toString('base64url')
}

/**
 * The bytes that `base64urlEncode` turns into exactly this text.
 *
 * @returns undefined for any other text: padding, a foreign character, unused bits that are not zero
 */
export function base64urlDecode(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? new Uint8Array(bytes) : undefined
}
