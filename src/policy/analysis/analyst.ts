import type { Matcher } from '../matchers/table.ts'
import { valueDomain } from './attribute.ts'
import { Budget } from './budget.ts'
import { elementLiteral } from './element.ts'
import type { Sureness } from './element.ts'
import { LanguageAtoms } from './language-atoms.ts'
import { search } from './search.ts'
import type { Answer, Question } from './search.ts'
import { ElementSolver } from './solve-element.ts'
import type { Cause } from './subject.ts'

/** How much work one question is worth, in steps; beyond it the answer is that it is not proven. */
const maxSteps = 60_000

/** Asks questions about policies, and keeps what may help with the next one. */
export class Analyst {
  readonly #budget = new Budget(maxSteps)
  readonly #solver = new ElementSolver({ atoms: new LanguageAtoms(), budget: this.#budget })

  ask(question: Question<Cause>): Answer<Cause> {
    this.#budget.refill(maxSteps)
    return search(question, this.#solver, this.#budget)
  }

  /** Whether one value, or that there is none, can meet all matchers; also true where that could not be found out. */
  canBe(matchers: readonly Matcher[], role: Sureness): boolean {
    this.#budget.refill(maxSteps)
    const literal = elementLiteral({ asks: matchers, role }, true)
    return this.#solver.solve(valueDomain, [literal]) !== 'none'
  }
}
