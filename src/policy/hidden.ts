import type { Report } from './report.ts'

// What turns the direction of text around, has no width, or writes in invisible letters. A byte order mark may begin a
// file, and joiners belong to some scripts and to emoji, so both stay out of it.
const hidden =
  /[\u061c\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u{e0000}-\u{e007f}]|(?!^)\ufeff/gu

/** Notes the lines of a file that may look other than they are (THREATS B30). */
export function noteHidden(text: string, report: Report): void {
  let line = 0
  for (const { index, 0: character } of text.matchAll(hidden)) {
    const { line: here } = report.position(index)
    if (here === line) continue
    line = here
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    report.note({
      offset: index,
      code: 'policy-hidden',
      message: `the invisible character U+${code}: what the line says may not be what it shows`,
      hint: 'remove it, or write it as an escape between double quotes: `"\\u200B"`',
    })
  }
}
