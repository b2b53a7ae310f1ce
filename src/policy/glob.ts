/** Whether a whole text matches a pattern in which `*` stands for any characters, also none. */
export type Glob = (text: string) => boolean

/**
 * Compiles a pattern; every other character stands for itself.
 *
 * No backtracking: taking each piece at its first place after the one before it finds a match if there is one, so
 * that a pattern of many stars costs no more than one pass (THREATS B24).
 */
export function compileGlob(pattern: string): Glob {
  const pieces = pattern.split('*')
  const first = pieces[0] ?? ''
  const last = pieces.at(-1) ?? ''
  if (pieces.length === 1) return (text) => text === first
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '')
  const shortest = first.length + last.length
  return (text) => {
    if (text.length < shortest || !text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let at = first.length
    for (const piece of middle) {
      const found = text.indexOf(piece, at)
      if (found === -1) return false
      at = found + piece.length
    }
    return at <= end
  }
}
