import { limits } from '../limits.ts'
import type { Position } from './answer.ts'
import type { Problem, ProblemCode } from './problem.ts'

/** What is wrong, and where. */
export interface Fault {
  /** In the text of the file, UTF-16 units. */
  readonly offset: number
  readonly code: ProblemCode
  readonly message: string
  readonly hint?: string | undefined
}

/** Gathers what is wrong with one file; offsets become lines and columns here. */
export class Report {
  readonly #file: string
  readonly #lineAndColumn: (offset: number) => { readonly line: number; readonly column: number }
  readonly #faults: Fault[] = []
  readonly #notes: Fault[] = []

  constructor(
    file: string,
    lineAndColumn: (offset: number) => { readonly line: number; readonly column: number },
  ) {
    this.#file = file
    this.#lineAndColumn = lineAndColumn
  }

  add(fault: Fault): void {
    this.#faults.push(fault)
  }

  /** Something that an author should know, and that is no reason to refuse the file. */
  note(fault: Fault): void {
    this.#notes.push(fault)
  }

  /** Counts from 1; columns are UTF-16 units, as editors count them. */
  position(offset: number): Position {
    const { line, column } = this.#lineAndColumn(offset)
    return { file: this.#file, line, column }
  }

  /** In the order of the file, at most `limits.maxPolicyProblems`; the last one then says how many more there are. */
  problems(): readonly Problem[] {
    return this.#inOrder(this.#faults)
  }

  /** The same for what is only to be known. */
  notes(): readonly Problem[] {
    return this.#inOrder(this.#notes)
  }

  #inOrder(faults: readonly Fault[]): readonly Problem[] {
    const sorted = faults.toSorted((one, other) => one.offset - other.offset)
    const shown = sorted.slice(0, limits.maxPolicyProblems).map((fault) => this.#problem(fault))
    const next = sorted[limits.maxPolicyProblems]
    if (next === undefined) return shown
    const message = `${sorted.length - limits.maxPolicyProblems} more ${faults === this.#notes ? 'notes' : 'problems'} from here on`
    return [...shown, this.#problem({ offset: next.offset, code: 'policy-limit', message })]
  }

  #problem({ offset, code, message, hint }: Fault): Problem {
    const position = this.position(offset)
    return hint === undefined ? { position, code, message } : { position, code, message, hint }
  }
}
