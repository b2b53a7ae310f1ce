import { z } from 'zod'
import { riskLevels } from '../event/capability.ts'
import { limits } from '../limits.ts'
import { matcherNames } from '../policy/matchers/table.ts'
import { dayNames } from '../policy/read-time.ts'

/** Text with something in it. */
const text = z.string().regex(/\S/)

/** A file beside this one. */
const file = z.string().regex(/^(?!\s|[/\\]|[A-Za-z][A-Za-z0-9+.-]*:)[^\0]+(?<!\s)$/)

/** Files, relative to the one that names them. */
export const files: z.ZodType = z.union([file, z.array(file).min(1)])

/** Words for people. */
export const words: z.ZodType = text.max(limits.maxRuleMessageCharacters)

const needle = z
  .string()
  .regex(/^[^\0]*[^\s\0][^\0]*$/)
  .max(limits.maxNeedleCharacters)
const needles = z.union([needle, z.array(needle).min(1)])

const name = z.string().regex(/^(?!\s)[^?[\]{}\p{Cc}]+(?<!\s)$/u)
const names = z.union([name, z.array(name).min(1)])

/** A capability as rules name it. */
export const pattern: z.ZodString = z
  .string()
  .regex(/^[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_*-]+)*$/)
  .describe('`resource.action.scope`; `*` stands for any characters, missing names mean any.')

const place = z.string().regex(/^[A-Za-z0-9_*-]+(?:\.[A-Za-z0-9_*-]+)*$/)
const risk = z.enum(riskLevels)
/** Relative to where the server starts, or absolute; a home and what is above the start are nowhere. */
const path = z.string().regex(/^(?!\s|~|\.\.(?:\/|$))[^*?$\0]+(?<!\s)$/)

const scalar = z.union([z.string().max(limits.maxNeedleCharacters), z.number(), z.boolean()])
const scalars = z.union([scalar, z.array(scalar).min(1)])
const type = z.enum(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'])

/** What `shell` asks: what a text runs, or that it runs only these. */
const shell = z.union([
  z.strictObject({
    runs: needles.describe('Commands to look for, such as `rm` or `git push`.'),
    flags: needles.optional().describe('Flags that must all be there, such as `r` or `force`.'),
  }),
  z.strictObject({ only: needles.describe('Everything that may run: `ls`, `npm test`.') }),
])

const dialect = z
  .enum(['postgres', 'any'])
  .optional()
  .describe('Whose SQL it is; of any server when left out.')

/** What `sql` asks: what a text does, or that it does only this. */
const sql = z.union([
  z.strictObject({
    only: needles.describe('Every statement is one of these kinds, such as `select`.'),
    tables: needles.optional().describe('All tables there may be; `*` stands for any characters.'),
    functions: needles.optional().describe('Functions beside those that only compute.'),
    dialect,
  }),
  z
    .strictObject({
      statements: needles.optional().describe('Kinds of statements, such as `drop`.'),
      tables: needles.optional().describe('Tables; `*` stands for any characters.'),
      functions: needles.optional().describe('Functions; `*` stands for any characters.'),
      dialect,
    })
    .refine((asked) => Object.keys(asked).some((key) => key !== 'dialect'))
    .meta({
      minProperties: 1,
      anyOf: ['statements', 'tables', 'functions'].map((key) => ({ required: [key] })),
    }),
])

const matchers: Readonly<Record<string, z.ZodType>> = {
  eq: scalar.describe('The argument is this value.'),
  in: scalars.describe('The argument is one of these values.'),
  not_in: scalars.describe('The argument is none of these values.'),
  gt: z.number().describe('The argument is a greater number.'),
  gte: z.number().describe('The argument is this number or a greater one.'),
  lt: z.number().describe('The argument is a smaller number.'),
  lte: z.number().describe('The argument is this number or a smaller one.'),
  contains: needles.describe('The argument holds one of these texts.'),
  starts_with: needles.describe('The argument begins with one of these texts.'),
  ends_with: needles.describe('The argument ends with one of these texts.'),
  shell: shell.describe('The argument is a command line that runs one of these, or only these.'),
  sql: sql.describe('The argument is SQL that does one of these things, or only these.'),
  type: z.union([type, z.array(type).min(1)]).describe('The argument is of one of these types.'),
  exists: z.boolean().describe('Whether anything stands there.'),
  max_length: z
    .int()
    .min(0)
    .max(1_000_000_000)
    .describe('The argument has at most so many characters, or elements.'),
}

const matcher = z
  .strictObject(
    Object.fromEntries(
      matcherNames.map((key) => [key, (matchers[key] ?? z.unknown().describe(key)).optional()]),
    ),
  )
  .refine((asked) => Object.keys(asked).length > 0)
  .meta({ minProperties: 1 })

/** A JSON Pointer to something in the arguments. */
export const pointer: z.ZodString = z
  .string()
  .max(limits.maxPointerCharacters)
  .regex(/^(?:\/(?:[^~/]|~[01])*)+$/)

const args = z
  .record(pointer, z.union([scalar, z.array(scalar).min(1), matcher]))
  .refine((aims) => Object.keys(aims).length > 0)
  .meta({ minProperties: 1 })

/** `mon`, or `mon-fri`. */
const day = z
  .string()
  .regex(new RegExp(`^(?:${dayNames.join('|')})(?:-(?:${dayNames.join('|')}))?$`))
const minute = z.string().regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/)
const window = z
  .strictObject({
    zone: z
      .string()
      .regex(/^[A-Za-z]{2,}(?:[/_+-][A-Za-z0-9]+)*$/)
      .describe('A time zone by its name in the IANA database, such as `Europe/Berlin`.'),
    days: z
      .union([day, z.array(day).min(1)])
      .optional()
      .describe('The days on which the window opens, such as `mon-fri`.'),
    between: z
      .tuple([minute, minute])
      .optional()
      .describe('From the first time up to the second one, which is not inside any more.'),
  })
  .refine(({ days, between }) => days !== undefined || between !== undefined)
  .meta({ id: 'window', anyOf: [{ required: ['days'] }, { required: ['between'] }] })

const label = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
const labels = z.union([label, z.array(label).min(1).max(limits.maxLabels)]).optional()
const labelTest = z
  .strictObject({
    has: labels.describe('The labels that it has.'),
    not: labels.describe('The labels of which it has none.'),
    bind: pointer.optional().describe('The argument whose value the labels are about.'),
  })
  .refine(({ has, not }) => has !== undefined || not !== undefined)
  .meta({ id: 'session', anyOf: [{ required: ['has'] }, { required: ['not'] }] })

/** Conditions without a rule around them, as `not` and `any` hold them. */
const inner: z.ZodType = z.lazy(() =>
  z
    .strictObject(conditions)
    .refine((asked) => Object.keys(asked).length > 0)
    .meta({ minProperties: 1, id: 'conditions' }),
)

const amount = z.number().optional()
const context = (what: string): z.ZodType =>
  names.optional().describe(`${what}; \`*\` stands for any characters.`)

/** What a rule, an alternative of `any`, or `not` may ask of a call. */
export const conditions: Readonly<Record<string, z.ZodType>> = {
  contains: needles.optional().describe('One of these texts stands anywhere in the arguments.'),
  match_keywords: needles.optional().describe('The same as `contains`.'),
  match_regex: needles
    .optional()
    .describe('One of these patterns matches a text of the arguments.'),
  amount_gt: amount.describe('An amount of the call is greater.'),
  amount_gte: amount.describe('An amount of the call is this one or greater.'),
  amount_lt: amount.describe('An amount of the call is smaller.'),
  amount_lte: amount.describe('An amount of the call is this one or smaller.'),
  path_prefix: z
    .union([path, z.array(path).min(1)])
    .optional()
    .describe('A path of the call is one of these or below it.'),
  table: names.optional().describe('A table that the call names; `*` stands for any characters.'),
  actor: context('Who calls'),
  environment: z
    .union([place, z.array(place).min(1)])
    .optional()
    .describe('Where the call would act; `*` stands for any characters.'),
  role: context('The role of the actor'),
  user_role: context('The role of the actor'),
  tenant: context('The tenant of the actor'),
  server: context('The server, as the configuration names it'),
  tool: context('The tool, as its server names it'),
  tool_name: context('The tool, as its server names it'),
  session: z
    .union([names, labelTest])
    .optional()
    .describe('The session by its id, or what earlier calls have made of it.'),
  time: z
    .union([window, z.array(window).min(1)])
    .optional()
    .describe('The time of the call is inside one of these windows.'),
  risk_level: z
    .union([risk, z.array(risk).min(1)])
    .optional()
    .describe('How risky the call is.'),
  args: args
    .optional()
    .describe('What stands at JSON Pointers into the arguments: a value, a list, or matchers.'),
  only_args: z
    .array(pointer)
    .optional()
    .describe('The call has no arguments but those at these JSON Pointers, or below them.'),
  not: inner.optional().describe('Not all of these hold.'),
  any: z.array(inner).min(1).optional().describe('All of one of these alternatives hold.'),
}
