import { storeContract } from './contract.ts'
import { sqlite } from './sqlite-subject.ts'

storeContract(sqlite)
