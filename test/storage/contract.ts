import { afterEach, describe } from 'vitest'
import type { Store } from '../../src/runtime/store.ts'
import { commitContract } from './contract-commit.ts'
import type { ContractContext } from './contract-context.ts'
import { crashContract } from './contract-crash.ts'
import { lifeContract } from './contract-life.ts'
import { lockContract } from './contract-lock.ts'
import { queryContract } from './contract-queries.ts'
import { recordedContract } from './contract-recorded.ts'
import { refusalContract } from './contract-refusal.ts'
import { stateContract } from './contract-state.ts'
import type { Subject } from './subject.ts'

/** What every database engine must do; see `Store`. */
export function storeContract(subject: Subject): void {
  describe(`the store contract: ${subject.name}`, () => {
    const opened: Store[] = []
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()))
    })
    const context: ContractContext = {
      newPlace: () => subject.newPlace(),
      open: async (place, options) => {
        const store = await place.open(options)
        opened.push(store)
        return store
      },
    }
    commitContract(context)
    refusalContract(context)
    lockContract(context)
    lifeContract(context)
    queryContract(context)
    stateContract(context)
    recordedContract(context)
    crashContract(context)
  })
}
