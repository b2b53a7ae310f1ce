/** Whether `text` is a JSON Pointer (RFC 6901): empty, or `/` before each token, `~` only as `~0` and `~1`. */
export function isJsonPointer(text: string): boolean {
  return /^(?:\/(?:[^~/]|~[01])*)*$/.test(text)
}
