import { z } from 'zod'
import { answerReasons } from '../policy/answer.ts'
import { riskLevels } from '../event/capability.ts'
import { limits } from '../limits.ts'
import { effects } from '../policy/rule.ts'
import { files, words } from './policy-schema-conditions.ts'

const text = z.string().regex(/\S/)
const context = {
  actor: text.optional().describe('Who asks.'),
  environment: text.optional().describe('Where the call would act.'),
  role: text.optional().describe('The role of the actor.'),
  tenant: text.optional().describe('The tenant of the actor.'),
  session: text.optional().describe('The session.'),
  client: text.optional().describe("The client's own name."),
}
const args = z
  .record(z.string(), z.unknown())
  .optional()
  .describe('The arguments of the tool; none when left out.')

const event = z.strictObject({
  capability: z
    .string()
    .regex(/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/)
    .describe('`resource.action.scope`; without a scope the environment stands in.'),
  risk: z.enum(riskLevels).optional().describe('How risky the call is.'),
  server: text.optional().describe('The server, as the configuration names it.'),
  tool: text.optional().describe('The tool, as its server names it.'),
  arguments: args,
  ...context,
})
const call = z.strictObject({
  server: text.describe('The server, as the configuration names it.'),
  tool: text.describe('The tool, as its server names it.'),
  arguments: args,
  ...context,
})

const label = z.union([
  text,
  z.strictObject({
    name: text.describe('The label.'),
    bind: z.unknown().optional().describe('The value that it is about; any when left out.'),
    proven: z.boolean().optional().describe('Whether the call that added it went well.'),
  }),
])

const test = z
  .strictObject({
    name: words.describe('What has to hold, in a few words.'),
    event: event.optional().describe('The event that the policy is asked about.'),
    call: call.optional().describe('Or the call of a tool, which bindings make an event of.'),
    state: z
      .strictObject({
        now: z
          .string()
          .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/)
          .optional()
          .describe('What the clock shows, such as `2026-11-25T14:00:00Z`.'),
        labels: z
          .union([label, z.array(label)])
          .optional()
          .describe('The labels that the session has.'),
        used: z
          .record(z.string(), z.number().min(0))
          .refine((given) => Object.keys(given).length > 0)
          .meta({ minProperties: 1 })
          .optional()
          .describe('How much of limits is used up, by the ids of their rules or budgets.'),
      })
      .refine((given) => Object.keys(given).length > 0)
      .meta({ minProperties: 1 })
      .optional()
      .describe('What rules may ask besides the call; unknown when left out.'),
    expect: z.enum(effects).describe('What the policy has to say.'),
    reason: z
      .enum(answerReasons)
      .optional()
      .describe(
        'Why; `default` when nothing allows it, `risk` when a risk level decides, `limit` when one is spent.',
      ),
    rule: z
      .union([text, z.array(text).min(1)])
      .optional()
      .describe('Rules that have to be among those that decide, by their ids.'),
  })
  .refine((one) => (one.event === undefined) !== (one.call === undefined))
  .meta({ oneOf: [{ required: ['event'] }, { required: ['call'] }] })

/** What a policy is expected to say, in a policy or in a file of its own. */
export const tests: z.ZodType = z.array(test).min(1).max(limits.maxPolicyTests)

/** A file of tests, as far as a schema can say what is right. */
export const testFileSchema: z.ZodType = z.strictObject({
  version: z.literal(1).optional().describe('The version of the language.'),
  description: words.optional().describe('What is tested.'),
  policy: files
    .optional()
    .describe('The policies that are tested together, relative to this file; else the one beside.'),
  config: z
    .string()
    .optional()
    .describe('The configuration that says what tools mean, relative to this file.'),
  defaults: z
    .strictObject(context)
    .refine((given) => Object.keys(given).length > 0)
    .meta({ minProperties: 1 })
    .optional()
    .describe('Who asks and where, when a test does not say it.'),
  tests: tests.describe('What the policy is expected to say.'),
})
