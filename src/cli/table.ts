import type { Output } from './io.ts'
import { cut, widthOf } from './shown.ts'
import type { Style } from './style.ts'
import { styled } from './style.ts'

/** A column of a table; the last one takes what room is left. */
export interface Column {
  readonly title: string
  readonly min: number
  readonly max: number
}

/** A cell: text that is safe to show, and how it may stand out. */
export interface Cell {
  readonly text: string
  readonly style?: Style | undefined
}

/**
 * A table that is printed while it is read, so that it may have a million rows.
 *
 * The first rows set the widths; a later cell that is wider pushes its line, and nothing is lost. On a terminal
 * the last column is cut at its edge, elsewhere lines are as long as they must be.
 */
export class Table {
  readonly #columns: readonly Column[]
  readonly #output: Output
  #widths: readonly number[] | undefined

  constructor(columns: readonly Column[], output: Output) {
    this.#columns = columns
    this.#output = output
  }

  /** Prints rows, and the titles before the first ones. */
  async print(rows: readonly (readonly Cell[])[]): Promise<void> {
    if (rows.length === 0) return
    let text = ''
    if (this.#widths === undefined) {
      this.#widths = this.#columns.map((column, index) => columnWidth(column, index, rows))
      text += this.#line(
        this.#columns.map(({ title }) => ({ text: title, style: 'dim' })),
        this.#widths,
      )
    }
    for (const row of rows) text += this.#line(row, this.#widths)
    await this.#output.write(text)
  }

  #line(cells: readonly Cell[], widths: readonly number[]): string {
    const last = cells.length - 1
    let used = 0
    const texts = cells.map(({ text, style }, index) => {
      const width = index === last ? this.#roomAfter(used) : widths[index]
      const fitting = index === last && width !== undefined ? cut(text, width) : text
      const filled = index === last ? 0 : Math.max(0, (width ?? 0) - widthOf(fitting))
      used += widthOf(fitting) + filled + 2
      const shape = style === undefined ? fitting : styled(this.#output, style, fitting)
      return shape + ' '.repeat(filled)
    })
    return `${texts.join('  ').trimEnd()}\n`
  }

  /** At least 20 columns, so that a narrow window does not hide what was asked. */
  #roomAfter(used: number): number | undefined {
    const { columns } = this.#output
    return columns === undefined ? undefined : Math.max(20, columns - used)
  }
}

function columnWidth(column: Column, index: number, rows: readonly (readonly Cell[])[]): number {
  const widest = Math.max(
    widthOf(column.title),
    ...rows.map((row) => widthOf(row[index]?.text ?? '')),
  )
  return Math.min(Math.max(widest, column.min), column.max)
}
