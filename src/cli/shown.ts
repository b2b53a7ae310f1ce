/**
 * Characters that could move a cursor, change a colour, hide, or make text look like other text (THREATS B30).
 *
 * Controls (so every terminal escape), format characters (bidi, zero width, tags), unassigned and private ones, halves
 * of pairs, line separators, every space but the plain one, whatever is invisible by design (variation selectors,
 * fillers), and the blank braille cell.
 */
const unshown = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu

/**
 * Text from a server, a model, a log or a file, safe to show on a terminal: one line, nothing hidden.
 *
 * A character that does not show stands as `\u{hex}`.
 */
export function shown(text: string): string {
  return text.replaceAll(unshown, (character) => `\\u{${hexOf(character)}}`)
}

/** JSON text that says the same and is safe to show: what does not show is escaped as JSON escapes it. */
export function shownJson(json: string): string {
  return json.replaceAll(unshown, (character) =>
    character.length === 1
      ? `\\u${hexOf(character).padStart(4, '0')}`
      : Array.from({ length: character.length }, (_, index) => {
          const unit = character.charCodeAt(index)
          return `\\u${unit.toString(16).padStart(4, '0')}`
        }).join(''),
  )
}

/** One line of JSON Lines. */
export function jsonLine(value: unknown): string {
  return `${shownJson(JSON.stringify(value))}\n`
}

/** `1 rule`, `2 rules`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Text cut to a number of columns, the last of which then is `…`. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let kept = ''
  let width = 0
  for (const character of text) {
    width += characterWidth(character)
    if (width > columns - 1) break
    kept += character
  }
  return `${kept}…`
}

/** How many columns a terminal needs for a text. */
export function widthOf(text: string): number {
  // Nearly every text is plain ASCII, which needs no counting.
  if (/^[ -~]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

const combining = /^\p{M}$/u
/** East Asian wide and full-width characters, and emoji (Unicode Standard Annex 11, in ranges). */
const wide =
  /^(?:[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{17000}-\u{18CFF}\u{1B000}-\u{1B2FF}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation})$/u

function characterWidth(character: string): number {
  if (character <= '~') return 1
  if (combining.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16)
}
