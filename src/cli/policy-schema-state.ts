import { z } from 'zod'
import { perKeys } from '../policy/read-limit.ts'
import { conditions, pattern, pointer, words } from './policy-schema-conditions.ts'

/** `30s`, `15m`, `1h` or `7d`, at most 31 days. */
const duration = z
  .string()
  .regex(/^(?:[1-9][0-9]{0,6}[sm]|[1-9][0-9]{0,2}h|(?:[1-9]|[12][0-9]|3[01])d)$/)
const positive = z.number().gt(0)
const per = z
  .union([z.enum(perKeys), z.array(z.enum(perKeys)).min(1)])
  .optional()
  .describe('Whoever differs in one of these has a limit of their own.')
const window = duration.describe('How far back it is counted, such as `1h`; at most `31d`.')

const countOfCalls = z.strictObject({
  max: z.int().min(1).max(1_000_000_000).describe('So many calls.'),
  window,
  per,
})
const sumOfAmounts = z.strictObject({
  max: positive.describe('So much in sum.'),
  window,
  per,
  sum: pointer.describe('The argument that is added up.'),
})
const oneLimit = z.union([countOfCalls, sumOfAmounts])

/** `limit` of a rule. */
export const limit: z.ZodType = z
  .union([oneLimit, z.array(oneLimit).min(1)])
  .optional()
  .describe('How many calls, or how much in sum: an `allow` applies up to it, a guard beyond it.')

const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
const capability = pattern.describe('Which calls it is about.')
const counting = z.strictObject({ capability, ...conditions })
const summing = z.strictObject({
  capability,
  sum: pointer.describe('The argument that is added up.'),
  ...conditions,
})

/** An item of `budgets`. */
export const budget: z.ZodType = z.strictObject({
  id: id.describe('The name under which the budget is kept and shown.'),
  limit: positive.describe('So much in sum, or so many calls.'),
  window,
  per,
  on_exceed: z
    .enum(['deny', 'require_approval'])
    .optional()
    .describe('What happens to a call that does not fit; it is denied when left out.'),
  from: z
    .union([z.array(summing).min(1), z.array(counting).min(1)])
    .describe('The calls that share it.'),
  message: words.optional().describe('What the person or model hears whose call does not fit.'),
  description: words.optional().describe('What it is for; nobody but its readers sees it.'),
})

const labels = z.union([id, z.array(id).min(1).max(64)])

/** An item of `labels`. */
export const label: z.ZodType = z.strictObject({
  capability,
  adds: labels.describe('What the session has from then on.'),
  bind: pointer.optional().describe('The argument whose value it is about.'),
  ttl: duration.optional().describe('How long it lasts, such as `30m`; for good when left out.'),
  ...conditions,
})
