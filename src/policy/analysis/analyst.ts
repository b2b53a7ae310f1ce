import { Budget } from './budget.ts'
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
}
