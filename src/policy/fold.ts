// NUL stays: it separates pieces. Of the controls, those that are white space are folded, the others hide.
const hidden = /[\p{Cf}\p{Default_Ignorable_Code_Point}]|(?![\0\s\u0085])\p{Cc}/gu
const whiteSpace = /[\s\u0085]+/g
const plainAscii = /^[\0\x20-\x7e]*$/
// The search begins at the first mark of each run only; from every mark it would take time square to the run itself.
const markFlood = /(?<!\p{M})\p{M}{65}/u

/**
 * Text as guards compare it (POLICY.md 4): NFKC, case folded, white space folded, format characters removed.
 *
 * @returns undefined for text that cannot be folded in linear time
 */
export function foldText(text: string): string | undefined {
  if (isPlain(text)) return foldPlain(text)
  const visible = text.replace(hidden, '')
  if (hasMarkFlood(visible)) return undefined
  const folded = foldCase(visible.normalize('NFKC')).normalize('NFKC')
  return folded.replace(hidden, '').replace(whiteSpace, ' ')
}

/** Whether so many combining marks follow each other that normalising takes time square to the run; no script needs them. */
export function hasMarkFlood(text: string): boolean {
  return markFlood.test(text)
}

/** Whether a text is printable ASCII, so that folding loses nothing but case and runs of spaces. */
export function isPlain(text: string): boolean {
  return plainAscii.test(text)
}

/** `foldText` for text that is plain. */
export function foldPlain(text: string): string {
  return foldSpaces(text).toLowerCase()
}

/** Runs of spaces as one. */
function foldSpaces(text: string): string {
  return text.includes('  ') ? text.replace(/ {2,}/g, ' ') : text
}

/** Text without regard to case, in full: one letter may become two, and a final sigma is a sigma. */
function foldCase(text: string): string {
  // Lower, upper, lower: any one of them alone keeps the capital sharp s, the long s or the dotless i apart.
  const folded = text.toLowerCase().toUpperCase().toLowerCase()
  return folded.replaceAll('\u03c2', '\u03c3').replaceAll('i\u0307', 'i')
}
