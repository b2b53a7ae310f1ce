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

/** Whether a text stands in a piece, or spread over several pieces as a command and its arguments are. */
export function isFound(
  needle: string,
  values: readonly string[],
  names: readonly string[],
): boolean {
  const pieces = [...values, ...names]
  if (pieces.some((piece) => piece.replaceAll('\0', '').includes(needle))) return true
  const wanted = fold(needle)
  const words = wanted.trim().split(' ')
  if (words.join('') === '') return false
  const folded = pieces.map((piece) => fold(piece).trim())
  if (folded.some((piece) => piece.includes(wanted))) return true
  if (wanted === words[0]) return false
  const vector = ` ${values.map(fold).join(' ')} `.replace(/ +/g, ' ')
  return vector.includes(wanted) || (words.length > 1 && isSpread(words, folded))
}

/** One cut anywhere, or a cut at every space; in any order of the pieces. */
function isSpread(words: readonly string[], folded: readonly string[]): boolean {
  const ends = (part: string): boolean => folded.some((piece) => piece.endsWith(part))
  const begins = (part: string): boolean => folded.some((piece) => piece.startsWith(part))
  const cutOnce = words.some((_, at) => {
    return at > 0 && ends(words.slice(0, at).join(' ')) && begins(words.slice(at).join(' '))
  })
  const between = words.slice(1, -1)
  return (
    cutOnce ||
    (ends(words[0] ?? '') &&
      begins(words.at(-1) ?? '') &&
      between.every((word) => folded.includes(word)))
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
interface Exact {
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
  const number = exact(written)
  const rounded = exact(String(Number(written)))
  const readings = compare(number, rounded) === 0n ? [number] : [number, rounded]
  if (!cents) return readings
  // An amount in cents stands for itself and for its hundredth.
  if (/e/i.test(written)) return []
  return readings.flatMap((one) => [one, { ...one, scale: one.scale + 2 }])
}

export function passes(amount: Exact, key: Comparison, threshold: string): boolean {
  const order = compare(amount, exact(threshold))
  return {
    amount_gt: order > 0n,
    amount_gte: order >= 0n,
    amount_lt: order < 0n,
    amount_lte: order <= 0n,
  }[key]
}

function exact(text: string): Exact {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return { digits: BigInt(whole + fraction), scale: fraction.length - Number(exponent) }
}

function compare(one: Exact, other: Exact): bigint {
  const scale = Math.max(one.scale, other.scale, 0)
  const scaled = ({ digits, scale: own }: Exact): bigint => digits * 10n ** BigInt(scale - own)
  return scaled(one) - scaled(other)
}
