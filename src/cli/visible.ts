import { lookalikeOf } from '../mcp/confusables.ts'
import { shown } from './shown.ts'

/**
 * Text of a server, with everything made visible that could deceive whoever reads it: what does not show, and in words
 * that could be read as ASCII every letter of another script, both as `\u{hex}` (THREATS B11, B30).
 */
export function visible(text: string): string {
  return shown(text).replaceAll(word, (letters) =>
    isDisguised(letters) ? escaped(letters) : letters,
  )
}

/** Whether a text holds something that `visible` makes visible. */
export function hidesSomething(text: string): boolean {
  // Line ends are no disguise.
  const plain = text.replaceAll(/[\r\n\t]/g, ' ')
  return visible(plain) !== plain
}

const word = /[\p{L}\p{N}\p{M}_-]+/gu

/** Whether every letter of a word is ASCII or taken for ASCII, and some are the latter. */
function isDisguised(letters: string): boolean {
  let isOther = false
  for (const letter of letters) {
    if (letter <= '~') continue
    if (lookalikeOf(letter) === undefined) return false
    isOther = true
  }
  return isOther
}

function escaped(letters: string): string {
  let text = ''
  for (const letter of letters) {
    text += letter <= '~' ? letter : `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`
  }
  return text
}
