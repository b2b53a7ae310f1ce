import type { Output } from './io.ts'

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
} as const

/** How a text may stand out; never the only way in which something is said. */
export type Style = keyof typeof codes

/** Text in a style, where the output has colours. */
export function styled(output: Output, style: Style, text: string): string {
  if (!output.hasColour || text === '') return text
  const [on, off] = codes[style]
  return `\u001B[${on}m${text}\u001B[${off}m`
}
