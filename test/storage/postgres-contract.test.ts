import { storeContract } from './contract.ts'
import { postgres, usePostgres } from './postgres-subject.ts'

storeContract(postgres(usePostgres()))
