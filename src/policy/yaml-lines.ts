/** Line and column, from 1, of an offset. */
export type LineAndColumn = (offset: number) => { readonly line: number; readonly column: number }

/** Finds the lines of a text; they are looked for when the first one is asked for. */
export function linesOf(text: string): LineAndColumn {
  let starts: readonly number[] | undefined
  return (offset) => {
    starts ??= startsOf(text)
    let low = 0
    let high = starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: Math.max(offset - (starts[low] ?? 0), 0) + 1 }
  }
}

function startsOf(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
