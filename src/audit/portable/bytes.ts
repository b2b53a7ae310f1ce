import { Refused, insist } from './refused.ts'

const encoder = new TextEncoder()
/** Bytes that are no UTF-8 are refused, and a byte order mark is a character like any other. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/**
 * The text of UTF-8.
 *
 * @throws Refused when the bytes are not UTF-8
 */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Refused('not UTF-8')
  }
}

/** All bytes in a row. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Whether both hold the same; how long it takes says where they differ, which is no secret here. */
export function areSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at])
}

/** Lower-case hex digits. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Base64 with padding (RFC 4648, section 4). */
function base64Of(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/**
 * Reads base64 with padding; of several spellings of the same bytes only the one that is printed.
 *
 * @throws Refused for anything else
 */
export function fromBase64(text: string): Uint8Array {
  let binary: string
  try {
    binary = atob(text)
  } catch {
    throw new Refused('not base64')
  }
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0))
  insist(base64Of(bytes) === text, 'not base64 as it is printed')
  return bytes
}

/** base64url without padding (RFC 4648, section 5). */
export function base64urlOf(bytes: Uint8Array): string {
  return base64Of(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/**
 * Reads base64url without padding.
 *
 * @throws Refused when it is not spelled as it is printed
 */
export function fromBase64url(text: string): Uint8Array {
  const padded = text.replaceAll('-', '+').replaceAll('_', '/')
  const bytes = fromBase64(padded.padEnd(Math.ceil(padded.length / 4) * 4, '='))
  insist(base64urlOf(bytes) === text, 'not base64url as it is printed')
  return bytes
}
