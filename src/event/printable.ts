// Controls, invisible format characters, bidi overrides, tag characters, lone surrogates, private use, unassigned,
// and every space but the plain one: whatever could move a cursor, hide, or look like something else (THREATS B30).
const unprintable = /^(?:[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs})$/u

/** Nearly all texts that are shown are of nothing else. */
const plain = /^[\x20-\x7e]*$/

/**
 * Text from outside, made safe to show to a person: one line, at most `maxCharacters`, cut with `…`.
 *
 * A character that does not print stands as `\u{hex}`; a long text costs no more than a short one.
 */
export function printable(text: string, maxCharacters = 64): string {
  if (text.length <= maxCharacters && plain.test(text)) return text
  let shown = ''
  let fits = ''
  for (const character of text) {
    shown += unprintable.test(character) ? escapeCharacter(character) : character
    if (shown.length > maxCharacters) return `${fits}…`
    if (shown.length < maxCharacters) fits = shown
  }
  return shown
}

function escapeCharacter(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
