import { CapFenceError } from '../errors.ts'
import { nearestName } from '../event/nearest.ts'
import type { Position } from '../policy/answer.ts'

/** One thing that is wrong with a file, or only worth saying. */
export interface Problem {
  readonly position: Position
  readonly message: string
  readonly hint?: string
}

/** Every problem of a configuration at once, so that nobody mends a file one line per try. */
export class ConfigInvalid extends CapFenceError {
  /** In the order of the file; at least one. */
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const hint = problems.find((problem) => problem.hint !== undefined)?.hint
    super(
      'CONFIG_INVALID',
      problems.map(problemLine).join('\n'),
      hint === undefined ? {} : { hint },
    )
    this.problems = problems
  }
}

/** `file:line:column: what is wrong`, the form that editors and terminals make a link of. */
export function problemLine({ position, message }: Problem): string {
  return `${position.file}:${position.line}:${position.column}: ${message}`
}

/** The hint for a misspelt name: the known one that was most likely meant, if any is near. */
export function didYouMean(written: string, known: Iterable<string>): string | undefined {
  const name = nearestName(written, known)
  return name === undefined ? undefined : `did you mean \`${name}\`?`
}

/** Gathers what is wrong with one text; offsets become lines and columns here and nowhere else. */
export class Report {
  readonly #file: string
  readonly #text: string
  readonly #problems: Problem[] = []
  readonly #warnings: Problem[] = []

  constructor(file: string, text: string) {
    this.#file = file
    this.#text = text
  }

  problem(offset: number, message: string, hint?: string): void {
    this.#problems.push(this.#at(offset, message, hint))
  }

  warning(offset: number, message: string, hint?: string): void {
    this.#warnings.push(this.#at(offset, message, hint))
  }

  /** Columns count UTF-16 units from 1, as editors do. */
  position(offset: number): Position {
    const before = this.#text.slice(0, offset)
    const lineStart = before.lastIndexOf('\n') + 1
    return {
      file: this.#file,
      line: before.split('\n').length,
      column: offset - lineStart + 1,
    }
  }

  warnings(): readonly Problem[] {
    return this.#warnings.toSorted(byPosition)
  }

  /** @throws ConfigInvalid when there was any problem */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new ConfigInvalid(this.#problems.toSorted(byPosition))
  }

  #at(offset: number, message: string, hint: string | undefined): Problem {
    const position = this.position(offset)
    return hint === undefined ? { position, message } : { position, message, hint }
  }
}

function byPosition(one: Problem, other: Problem): number {
  return one.position.line - other.position.line || one.position.column - other.position.column
}
