/** Line and column, from 1, of an offset. */
export type LineAndColumn = (offset: number) => { readonly line: number; readonly column: number }

/** Finds the lines of a text; they are looked for when the first one is asked for. */
export function linesOf(text: string): LineAndColumn {
  let starts: readonly number[] | undefined
  let last = 0
  return (offset) => {
    starts ??= startsOf(text)
    // Mostly the next one that is asked for is in the next line.
    let low = 0
    let high = starts.length
    if ((starts[last] ?? 0) <= offset) {
      low = last
      if (offset < (starts[last + 2] ?? 0)) high = last + 2
    }
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    last = low
    return { line: low + 1, column: Math.max(offset - (starts[low] ?? 0), 0) + 1 }
  }
}

function startsOf(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
