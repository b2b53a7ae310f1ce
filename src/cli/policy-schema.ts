import { z } from 'zod'
import { riskLevels } from '../event/capability.ts'
import { limits } from '../limits.ts'
import { forbidden } from '../policy/invariant.ts'
import { presences } from '../policy/rule.ts'
import { conditions, files, pattern, words } from './policy-schema-conditions.ts'
import { budget, label, limit } from './policy-schema-state.ts'
import { testFileSchema, tests } from './policy-schema-tests.ts'

/** Takes anything that JSON can say; what a file may say is narrower, and the loader has the last word. */
type Schema = z.ZodType

const seconds = z.int().min(1).max(2_678_400)

const approval = z
  .strictObject({
    timeout_seconds: seconds.optional().describe('How long the question waits for its answer.'),
    uses: z.int().min(1).max(1000).optional().describe('How many calls one approval covers.'),
    presence: z
      .enum(presences)
      .optional()
      .describe('How sure it must be that a person approves: anyone, a signing key, a passkey.'),
    quorum: z
      .int()
      .min(1)
      .max(16)
      .optional()
      .describe('How many different approvers it takes; more than one sign with a key each.'),
  })
  .refine((terms) => Object.keys(terms).length > 0)
  .meta({ minProperties: 1 })

const ruleNames = {
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .optional()
    .describe('A name for the rule, which no other rule of the policy has.'),
  message: words.optional().describe('What the person or model hears that meets the rule.'),
  description: words.optional().describe('What the rule is for; nobody but its readers sees it.'),
}
const ruleHead = { ...ruleNames, limit }

const rule = z.strictObject({ capability: pattern, ...ruleHead, ...conditions })
const held = z.strictObject({
  capability: pattern,
  ...ruleHead,
  approval: approval.optional().describe('What the approval must be like.'),
  ...conditions,
})
const legacyRule = z.strictObject({
  action: z
    .enum(['deny', 'block', 'require_approval', 'allow', 'warn'])
    .describe('What the rule does; `block` is `deny`, `warn` is `allow`.'),
  capability: pattern.optional().describe('Without one the rule is about every call.'),
  ...ruleHead,
  threshold: z.unknown().optional().describe('Not read; a rule that allows must not have one.'),
  approval: approval.optional().describe('What the approval must be like.'),
  ...conditions,
})

const invariant = z.strictObject({
  never: z
    .enum(forbidden)
    .describe('What must become of none of these calls; `allow` forbids approval as well.'),
  capability: pattern,
  ...ruleNames,
  ...conditions,
})

const riskAction = z.strictObject({
  action: z
    .enum(['deny', 'block', 'require_approval', 'warn', 'allow'])
    .describe('What happens to a call of this risk that a rule allows; it can only get stricter.'),
})
const risks = z
  .strictObject(
    Object.fromEntries(
      riskLevels.map((level) => [level, riskAction.optional().describe(`Calls of ${level} risk.`)]),
    ),
  )
  .refine((levels) => Object.keys(levels).length > 0)
  .meta({ minProperties: 1 })

const list = (of: Schema): z.ZodOptional => z.array(of).max(limits.maxRules).optional()

/** Of these a policy has one at least. */
const telling = [
  ...['deny', 'require_approval', 'allow', 'risk_levels', 'rules', 'extends', 'budgets', 'labels'],
]

/**
 * A policy file, as far as a schema can say what is right.
 *
 * @internal Exported for tests only.
 */
export const policySchema: Schema = z
  .strictObject({
    version: z.literal(1).optional().describe('The version of the language.'),
    description: words.optional().describe('What the policy is for.'),
    extends: files
      .optional()
      .describe('Policies that this one adds to, relative to this file; of two the stricter wins.'),
    deny: list(z.union([pattern, rule])).describe('What is never allowed, whatever else says so.'),
    require_approval: list(z.union([pattern, held])).describe('What a person has to approve.'),
    allow: list(z.union([pattern, rule])).describe('What is allowed; anything else is denied.'),
    risk_levels: risks.optional().describe('What the risk of a call adds to the rules.'),
    budgets: list(budget).describe('Pots that several capabilities share.'),
    labels: list(label).describe('What calls make of their session, for later rules to ask.'),
    invariants: list(invariant).describe(
      'What has to hold whatever the rules are: proven before the policy governs, or it is refused.',
    ),
    rules: list(legacyRule).describe('Rules as the original CapFence had them.'),
    approval_timeout_seconds: seconds
      .optional()
      .describe('How long questions wait that a rule of this file asks and that say nothing else.'),
    tests: tests.optional().describe('What the policy is expected to say: `capfence policy test`.'),
    policy_name: words.optional().describe('A name from the original CapFence; a description.'),
    enforcement_mode: z
      .enum(['enforce', 'block', 'observe', 'monitor', 'audit', 'warn', 'shadow', 'dry_run'])
      .optional()
      .describe('From the original CapFence; the configuration says whether a policy is enforced.'),
  })
  .refine((policy) => telling.some((key) => key in policy))
  .meta({ anyOf: telling.map((key) => ({ required: [key] })) })

/** The JSON Schema of a policy file, draft 2020-12, for editors. */
export function policyJsonSchema(): string {
  return jsonSchema(policySchema, 'CapFence policy')
}

/** The same of a file of tests. */
export function testFileJsonSchema(): string {
  return jsonSchema(testFileSchema, 'CapFence policy tests')
}

function jsonSchema(of: Schema, title: string): string {
  const schema = z.toJSONSchema(of, {
    target: 'draft-2020-12',
    io: 'input',
    override: ({ zodSchema, jsonSchema: made }) => {
      // Beside a reference the package leaves the words out, and editors show them there too.
      const described = z.globalRegistry.get(zodSchema)?.description
      if (described !== undefined) made.description = described
    },
  })
  return `${JSON.stringify({ ...schema, title }, null, 2)}\n`
}
