/** Whether a whole text matches a pattern in which `*` stands for any characters, also none. */
export type Glob = (text: string) => boolean

/** Prepares a pattern that is asked often. */
export function compileGlob(pattern: string): Glob {
  return pattern.includes('*') ? (text) => globMatches(pattern, text) : (text) => text === pattern
}

/**
 * Whether `text` matches `pattern`; every character but `*` stands for itself.
 *
 * No backtracking: taking each piece at its first place after the one before it finds a match if there is one, so
 * that a pattern of many stars costs no more than one pass (THREATS B24).
 */
export function globMatches(pattern: string, text: string): boolean {
  if (pattern === '*') return true
  const firstStar = pattern.indexOf('*')
  if (firstStar === -1) return text === pattern
  const lastStar = pattern.lastIndexOf('*')
  const end = text.length - (pattern.length - lastStar - 1)
  if (end < firstStar || !text.startsWith(pattern.slice(0, firstStar))) return false
  if (!text.endsWith(pattern.slice(lastStar + 1))) return false
  let at = firstStar
  for (let star = firstStar; star < lastStar;) {
    const next = pattern.indexOf('*', star + 1)
    const found = text.indexOf(pattern.slice(star + 1, next), at)
    if (found === -1) return false
    at = found + next - star - 1
    star = next
  }
  return at <= end
}
