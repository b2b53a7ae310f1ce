// Prints how long a policy of as many rules takes from its text to the policy, milliseconds, in this fresh process.
import process from 'node:process'

import { loadPolicy } from '../../dist/policy/load.js'
import { policyText } from './policy-text.mjs'
import { rulesOf } from './workload.mjs'

const text = policyText(rulesOf(Number(process.argv[2])))
const start = performance.now()
loadPolicy([{ path: 'bench.yaml', text }])
process.stdout.write(`${String(performance.now() - start)}\n`)
