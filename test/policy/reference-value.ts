// Texts and amounts of the reference evaluator; see reference.ts.

/** By the definition: the star is nothing, or one character and the star. */
export function star(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern.startsWith('*')) {
    return star(pattern.slice(1), text) || (text !== '' && star(pattern, text.slice(1)))
  }
  return text !== '' && pattern[0] === text[0] && star(pattern.slice(1), text.slice(1))
}

export function starFolded(pattern: string, text: string): boolean {
  return star(fold(pattern), fold(text).trim())
}

export function oneLine(text: string): boolean {
  return !/[\n\r\v\f\u0085\u2028\u2029]/.test(text)
}

/** Whether a text stands in a piece, or is made of several pieces as a tool may put them together. */
export function isFound(
  needle: string,
  values: readonly string[],
  names: readonly string[],
): boolean {
  if ([...values, ...names].some((piece) => piece.replaceAll('\0', '').includes(needle)))
    return true
  const wanted = fold(needle)
  if (wanted.trim() === '') return false
  const [foldedValues, foldedNames] = [values, names].map((pieces) => {
    return pieces.map((piece) => fold(piece).trim())
  })
  if (foldedValues === undefined || foldedNames === undefined) return false
  if ([...foldedValues, ...foldedNames].some((piece) => piece.includes(wanted))) return true
  if (fold(foldedValues.join('')).includes(wanted)) return true
  return isMade(wanted, foldedValues, foldedNames)
}

/** Tries every way to lay pieces out, from the left. */
function isMade(text: string, values: readonly string[], names: readonly string[]): boolean {
  const pieces = [...values, ...names].filter((piece) => piece !== '')
  const everywhere = Array.from({ length: Math.max(text.length - 1, 0) }, (_, at) => at + 1)
  const from = (start: number): boolean =>
    pieces.some((piece) => {
      const end = start + piece.length
      if (start > 0 && piece.startsWith(text.slice(start))) return true
      return end < text.length && text.startsWith(piece, start) && behind(end)
    }) || closes(text.slice(start), values, names)
  const behind = (end: number): boolean =>
    text.slice(end) === ' ' ||
    nextStarts(text, end).some((start) => start < text.length && from(start))
  return (
    closes(text, values, names) ||
    (text.startsWith(' ') && text.length > 1 && from(1)) ||
    everywhere.some((end) => {
      return pieces.some((piece) => piece.endsWith(text.slice(0, end))) && behind(end)
    })
  )
}

/** Nothing between two pieces where the text is long enough, a space, or punctuation between letters. */
function nextStarts(text: string, end: number): readonly number[] {
  const letters = text.replace(/[^\p{L}\p{N}]/gu, '').length
  const [punctuation] = /^[^\p{L}\p{N}]{1,4}(?=[\p{L}\p{N}])/u.exec(text.slice(end)) ?? []
  const isBehindLetter = /[\p{L}\p{N}]$/u.test(text.slice(0, end))
  return [
    ...(letters >= 4 ? [end] : []),
    ...(text[end] === ' ' ? [end + 1] : []),
    ...(punctuation !== undefined && isBehindLetter ? [end + punctuation.length] : []),
  ]
}

/** A drive or a folder and what is written behind it, or a name and its `=`. */
function closes(rest: string, values: readonly string[], names: readonly string[]): boolean {
  const stands = (piece: string, behind: RegExp): boolean =>
    piece !== '' && rest.startsWith(piece) && behind.test(rest.slice(piece.length))
  return (
    values.some((value) => stands(value, /^(?:[/\\]+|:)$/)) ||
    names.some((name) => stands(name, /^=$/))
  )
}

/** NFKC, without case, without hidden characters, white space as one space. */
export function fold(text: string): string {
  const plain = visible(text).normalize('NFKC').toLowerCase().toUpperCase().toLowerCase()
  const again = plain.replaceAll('ς', 'σ').replaceAll('i\u0307', 'i').normalize('NFKC')
  return visible(again).replace(/[\s\u0085]+/g, ' ')
}

function visible(text: string): string {
  return Array.from(text)
    .filter((character) => !isHidden(character))
    .join('')
}

function isHidden(character: string): boolean {
  if (/^[\p{Cf}\p{Default_Ignorable_Code_Point}]$/u.test(character)) return true
  return /^\p{Cc}$/u.test(character) && !/^[\s\u0085]$/.test(character)
}

export type Comparison = 'amount_gt' | 'amount_gte' | 'amount_lt' | 'amount_lte'

/** `digits` divided by ten to the `scale`. */
export interface Exact {
  readonly digits: bigint
  readonly scale: number
}

/** Everything that a reader may take an amount for; nothing when it is no plain number. */
export function amountReadings(
  written: string | undefined,
  { asText, cents }: { readonly asText: boolean; readonly cents: boolean },
): readonly Exact[] {
  if (written === undefined) return []
  if (asText && !/^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(written)) return []
  const number = exactOf(written)
  const rounded = exactOf(String(Number(written)))
  const readings = compare(number, rounded) === 0n ? [number] : [number, rounded]
  if (!cents) return readings
  // An amount in cents stands for itself and for its hundredth.
  if (/e/i.test(written)) return []
  return readings.flatMap((one) => [one, { ...one, scale: one.scale + 2 }])
}

export function passes(amount: Exact, key: Comparison, threshold: string): boolean {
  const order = compare(amount, exactOf(threshold))
  return {
    amount_gt: order > 0n,
    amount_gte: order >= 0n,
    amount_lt: order < 0n,
    amount_lte: order <= 0n,
  }[key]
}

export function exactOf(text: string): Exact {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), scale: fraction.length - Number(exponent) }
}

export function compare(one: Exact, other: Exact): bigint {
  return plus(one, { ...other, digits: -other.digits }).digits
}

export function plus(one: Exact, other: Exact): Exact {
  const scale = Math.max(one.scale, other.scale, 0)
  const scaled = ({ digits, scale: own }: Exact): bigint => digits * 10n ** BigInt(scale - own)
  return { digits: scaled(one) + scaled(other), scale }
}
