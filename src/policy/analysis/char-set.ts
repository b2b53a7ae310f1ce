/** A set of code points, as the edges of an automaton need it. */
export interface CharSet {
  /** The same for equal sets, as far as that can be told cheaply. */
  readonly key: string
  readonly has: (codePoint: number) => boolean
  /** Code points at which membership may change; between two of them it is the same for all. */
  readonly borders: readonly number[]
}

/** Every character. */
export const anyChar: CharSet = { key: '*', has: () => true, borders: [] }

/** The line breaks that a grant does not look beyond. */
const lineBreaks: ReadonlySet<number> = new Set([0x0a, 0x0b, 0x0c, 0x0d, 0x85, 0x2028, 0x2029])

/** Every character but line breaks. */
export const inLine: CharSet = {
  key: '-n',
  has: (codePoint) => !lineBreaks.has(codePoint),
  borders: [...lineBreaks].flatMap((one) => [one, one + 1]),
}

/** One character. */
export function only(codePoint: number): CharSet {
  return {
    key: `=${codePoint}`,
    has: (other) => other === codePoint,
    borders: [codePoint, codePoint + 1],
  }
}

/** The code points of a text. */
export function pointsOf(text: string): readonly number[] {
  return Array.from(text, (one) => one.codePointAt(0) ?? 0)
}

/** The characters of a text. */
export function among(text: string): CharSet {
  const points = new Set(pointsOf(text))
  return {
    key: `[${text}`,
    has: (codePoint) => points.has(codePoint),
    borders: [...points].flatMap((one) => [one, one + 1]),
  }
}

/** Every character of a set that is in none of the others. */
export function except(base: CharSet, ...others: readonly CharSet[]): CharSet {
  return {
    key: `${base.key}\\${others.map(({ key }) => key).join('\\')}`,
    has: (codePoint) => base.has(codePoint) && !others.some((other) => other.has(codePoint)),
    borders: [base, ...others].flatMap(({ borders }) => borders),
  }
}
