/** base64url without padding (RFC 4648, section 5) of bytes, or of a string's UTF-8. */
export function base64urlEncode(message: Uint8Array | string): string {
  const bytes =
    typeof message === 'string'
      ? Buffer.from(message, 'utf8')
      : Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  return bytes.toString('base64url')
}
