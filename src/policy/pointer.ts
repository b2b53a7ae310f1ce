/** A JSON Pointer of a rule (RFC 6901), in which the token `*` stands for any element or member. */
export interface Pointer {
  /** As it is written. */
  readonly text: string
  /** Unescaped; undefined is `*`. */
  readonly tokens: readonly (string | undefined)[]
}

/**
 * Reads a pointer such as `/paths/*` or `/a~1b/0`.
 *
 * @returns undefined when it is none
 */
export function parsePointer(text: string): Pointer | undefined {
  if (!/^(?:\/(?:[^~/]|~[01])*)*$/.test(text) || /\p{Cs}/u.test(text)) return undefined
  const tokens = text
    .split('/')
    .slice(1)
    .map((token) => (token === '*' ? undefined : unescape(token)))
  return { text, tokens }
}

function unescape(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
