import { foldText } from '../fold.ts'

/** Whether a call in which a guard finds one text is one in which it finds the other, wherever the texts are cut. */
export function findingImplies(found: string, other: string): boolean {
  const [long, short] = [foldText(found), foldText(other)]
  if (long === undefined || short === undefined || short.trim() === '') return found === other
  if (found === other || (long === short && isAscii(found) && isAscii(other))) return true
  if (!found.includes(other) && !(isAscii(found) && isAscii(other))) return false
  if (!long.includes(short)) return false
  // Where values touch, the text may be put together of several. A part of it is then found if it begins and ends
  // inside of values, and has so many letters that the values need nothing between them.
  // One letter alone is never put together.
  if (/^[\p{L}\p{N}]$/u.test(short)) return true
  return /^[\p{L}\p{N}].*[\p{L}\p{N}]$/su.test(short) && letters(short) >= minGlued
}

/** As `SeamFinder` has it: with fewer letters a text is not looked for where values touch. */
const minGlued = 4

function letters(text: string): number {
  return (text.match(/[\p{L}\p{N}]/gu) ?? []).length
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text)
}

/** Values that make a text when they are put together in another order than they stand in. */
export function scatterings(needle: string): readonly (readonly string[])[] {
  const cuts = Array.from({ length: Math.max(0, needle.length - 1) }, (_, at) => at + 1)
  const pairs = cuts.map((at) => [needle.slice(at).trim(), needle.slice(0, at).trim()])
  return pairs.filter((pair) => pair.every((piece) => piece !== ''))
}
