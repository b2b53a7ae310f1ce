import { z } from 'zod'
import { lockSchema } from './lock-schema.ts'
import { riskLevels } from '../event/capability.ts'
import { limits } from '../limits.ts'
import { clientKeys } from './client-keys.ts'
import { serveSchema } from './serve-schema.ts'
import {
  bounds,
  disclosureModes,
  durabilities,
  modes,
  patterns,
  transports,
  unknownMethodChoices,
} from './vocabulary.ts'

const shown = (max: number): z.ZodString => z.string().min(1).max(max).regex(patterns.shown)

const dotted = z.string().regex(patterns.dottedName)

const pointer = z.string().regex(patterns.pointer)
const pointers = z.union([pointer, z.array(pointer).min(1)])

/** A text in which `${NAME}` stands for an environment variable. */
const template = z.string().regex(patterns.template)

const tool = z.strictObject({
  capability: dotted
    .regex(patterns.notReserved)
    .optional()
    .describe(
      'What a call of this tool needs, as `resource.action.scope`, such as `filesystem.delete.workspace`; without a scope the environment stands in, without an action the tool.',
    ),
  risk: z
    .enum(riskLevels)
    .optional()
    .describe('How risky a call is; `risk_levels` of a policy can tighten by it.'),
  arguments: z
    .strictObject({
      amount: pointers
        .optional()
        .describe('Where the arguments hold an amount, as a JSON Pointer such as `/total`.'),
      path: pointers
        .optional()
        .describe('Where the arguments hold a path, as a JSON Pointer such as `/path`.'),
    })
    .optional()
    .describe('What the arguments mean, where their names do not say it.'),
})

const binding = z
  .strictObject({
    resource: dotted
      .regex(patterns.notReserved)
      .optional()
      .describe(
        "What stands for the server's name in `<server>.<tool>.<environment>`; with a dot, as `filesystem.workspace`, the rest stands for the environment.",
      ),
    tools: z
      .record(z.string(), tool)
      .optional()
      .describe("What the server's tools mean to the policy, by the tool's own name."),
    prefix: z
      .string()
      .regex(patterns.prefix)
      .optional()
      .describe(
        'Put before each tool name where several servers stand behind one gate; `<server>__` when left out.',
      ),
    trustAnnotations: z
      .boolean()
      .optional()
      .describe(
        'Whether a tool that its server calls read-only counts as low risk where no risk is written here. Off when left out.',
      ),
    sharesDisk: z
      .boolean()
      .optional()
      .describe(
        'Whether the server opens paths on the disk of the gate, so that links are followed before rules compare paths. Off when left out.',
      ),
  })
  .meta({ id: 'capfence' })

/** What keys that would restrict a server may hold: nothing, in any spelling. */
const nothing = z.union([
  z.literal(false),
  z.null(),
  z.literal(''),
  z.array(z.literal('*')),
  z.strictObject({}),
])

const pasted = Object.fromEntries(
  [...clientKeys].map(([key, treatment]) => [
    key,
    (treatment.kind === 'refused' ? nothing : z.unknown())
      .optional()
      .describe(
        treatment.kind === 'ignored'
          ? "The client's; CapFence ignores it."
          : `The client's; ${treatment.message}: ${treatment.hint}.`,
      ),
  ]),
)

const common = {
  disabled: z.boolean().optional().describe('`true` leaves the server out.'),
  enabled: z.boolean().optional().describe('`false` leaves the server out.'),
  capfence: binding.optional().describe("What the server's tools mean to the policy."),
  ...pasted,
}

const stdio = z.strictObject({
  command: z
    .string()
    .min(1)
    .regex(patterns.literal)
    .describe('The program that is the server; `./x` is relative to this file.'),
  args: z.array(z.string().regex(patterns.literal)).optional().describe('Its arguments.'),
  env: z
    .record(z.string().regex(patterns.variableName), template)
    .optional()
    .describe(
      "What is added to the server's environment; `${NAME}` takes in a variable of CapFence's own.",
    ),
  cwd: z
    .string()
    .min(1)
    .regex(patterns.literal)
    .optional()
    .describe('The folder it runs in, relative to this file.'),
  type: z.literal('stdio').optional().describe('How the server is reached.'),
  transport: z.literal('stdio').optional().describe('How the server is reached.'),
  ...common,
})

const remote = z
  .enum(transports)
  .exclude(['stdio'])
  .optional()
  .describe('How the server is reached.')

const http = z.strictObject({
  url: z
    .string()
    .regex(patterns.url)
    .refine((url) => URL.canParse(url))
    .describe('The Streamable HTTP endpoint of the server: https, or http on this machine.'),
  headers: z
    .record(z.string().regex(patterns.headerName), template.regex(patterns.oneLine))
    .optional()
    .describe('Sent with every request; `${NAME}` takes in an environment variable.'),
  type: remote,
  transport: remote,
  ...common,
})

const anchorCommon = {
  name: shown(bounds.maxAnchorName)
    .optional()
    .describe(
      'What records and messages call it; the program or the name of the key when left out.',
    ),
  everyMinutes: z
    .int()
    .min(1)
    .max(bounds.maxAnchorMinutes)
    .optional()
    .describe('How often a running gate does it, if there is something new; 60 when left out.'),
}

const anchor = z.union([
  z.strictObject({
    exec: z
      .array(z.string().regex(patterns.word))
      .min(1)
      .describe(
        'A program and its arguments, without a shell; it gets the signed checkpoint on its standard input.',
      ),
    ...anchorCommon,
  }),
  z.strictObject({
    witness: z
      .string()
      .regex(patterns.witnessUrl)
      .refine((url) => URL.canParse(url))
      .describe('The URL of a witness, as `capfence witness` prints it.'),
    vkey: z.string().regex(patterns.vkey).describe("The witness's key, as it prints it."),
    ...anchorCommon,
  }),
])

/**
 * The shape of capfence.mcp.json, from which its JSON Schema is made.
 *
 * The gate does not load it: importing zod takes longer than starting Node. `loadConfig` reads by hand, and a test holds
 * the two together.
 *
 * @internal exported for that test
 */
export const configSchema: z.ZodType = z
  .strictObject({
    $schema: z.string().optional().describe('Where this schema is, for editors.'),
    mcpServers: z
      .record(shown(bounds.maxServerName), z.union([stdio, http]))
      .describe('The servers behind the gate, in the shape that every MCP client writes.'),
    policies: z
      .array(shown(bounds.maxPathCharacters))
      .min(1)
      .describe('The policy files, relative to this one; the stricter of them wins.'),
    environment: dotted
      .max(limits.maxSegmentCharacters)
      .describe(
        'Where the servers act, such as `development` or `production`; rules can ask for it. There is no default.',
      ),
    actor: shown(bounds.maxActor)
      .optional()
      .describe('Who asks, as rules and the log name it; `agent` when left out.'),
    mode: z
      .enum(modes)
      .optional()
      .describe(
        '`enforce` blocks what the policy does not allow; `observe` only records it. `enforce` when left out.',
      ),
    storage: z
      .string()
      .regex(patterns.storage)
      .optional()
      .describe(
        'Where the log is: `sqlite:` and a path relative to this file; `sqlite:.capfence/capfence.db` when left out; or `postgres://USER@HOST/DATABASE`, without the password (docs/scaling.md).',
      ),
    approvals: z
      .strictObject({
        timeoutSeconds: z
          .int()
          .min(1)
          .max(bounds.maxApprovalSeconds)
          .optional()
          .describe(
            'How long a request waits for a person unless its rule says otherwise; 900 when left out.',
          ),
        approvers: shown(bounds.maxPathCharacters)
          .optional()
          .describe(
            'The list of approvers that `capfence keys approver add` makes, relative to this file. With one, rules that do not say otherwise ask for an approval that is signed with a key.',
          ),
        approversSha256: z
          .string()
          .regex(patterns.sha256)
          .optional()
          .describe(
            'The fingerprint that the list must have, as `capfence keys approver list` prints it; with another one nobody is an approver.',
          ),
      })
      .refine(
        ({ approvers, approversSha256 }) =>
          approversSha256 === undefined || approvers !== undefined,
      )
      .meta({ dependencies: { approversSha256: ['approvers'] } })
      .optional()
      .describe('How calls that need a person are treated.'),
    audit: z
      .strictObject({
        durability: z
          .enum(durabilities)
          .optional()
          .describe(
            'What a decision survives before its call is forwarded: a `power` cut, or the end of the `process`. `power` when left out.',
          ),
        mode: z
          .enum(disclosureModes)
          .optional()
          .describe('What of arguments and results the log can disclose; `args` when left out.'),
        keys: shown(bounds.maxPathCharacters)
          .optional()
          .describe(
            "The folder of the log's private keys, relative to this file; beside the log, with `.keys` after its name, when left out.",
          ),
        highWater: shown(bounds.maxPathCharacters)
          .optional()
          .describe(
            'The file that remembers the newest head of the log, relative to this file, best on another disk; beside the log, with `.highwater` after its name, when left out.',
          ),
        rotateHours: z
          .int()
          .min(0)
          .max(bounds.maxRotateHours)
          .optional()
          .describe(
            "After how many hours the log's signing key is replaced and erased; 0 for never by itself. 24 when left out.",
          ),
        verifyEveryMinutes: z
          .int()
          .min(0)
          .max(bounds.maxVerifyMinutes)
          .optional()
          .describe(
            'How often a running gate verifies the whole log in the background, beside once soon after its start; 0 for never. 60 when left out.',
          ),
        receipts: z
          .boolean()
          .optional()
          .describe(
            'Whether the result of a call holds a receipt, in its `_meta`: where the decision stands in the log, and the signed checkpoint that covers it. Decisions then survive a power cut, whatever `durability` says. Off when left out.',
          ),
        anchors: z
          .array(anchor)
          .max(limits.maxAnchors)
          .optional()
          .describe(
            'Where signed checkpoints of the log are left: commands and witnesses. What is behind the last one can be changed by whoever has the log and its keys.',
          ),
      })
      .optional()
      .describe('How the log is written.'),
    serve: serveSchema.optional().describe('How `capfence serve` serves MCP over HTTP.'),
    limits: z
      .strictObject({
        maxClientMessageBytes: limit('maxClientMessageBytes', bounds.minMessageBytes).describe(
          'The largest message from a client, bytes.',
        ),
        maxUpstreamMessageBytes: limit('maxUpstreamMessageBytes', bounds.minMessageBytes).describe(
          'The largest message from a server, bytes.',
        ),
        maxRequestsInFlight: limit('maxRequestsInFlight', 1).describe(
          'How many requests of a client may wait at the same time.',
        ),
      })
      .optional()
      .describe('Bounds that are tighter than the built-in ones.'),
    unknownMethods: z
      .enum(unknownMethodChoices)
      .optional()
      .describe('What happens to methods that CapFence does not know; `deny` when left out.'),
    lock: lockSchema
      .optional()
      .describe('Which definitions of servers somebody has accepted: `capfence lock`.'),
  })
  .describe('What CapFence stands in front of, and by which rules.')

function limit(key: keyof typeof limits, min: number): z.ZodOptional<z.ZodInt> {
  return z.int().min(min).max(limits[key]).optional()
}

/** The JSON Schema for editors, as the text of its file. */
export function configJsonSchema(): string {
  // Draft 7 is what editors support throughout.
  const schema = z.toJSONSchema(configSchema, { target: 'draft-7', io: 'input' })
  return `${JSON.stringify({ ...schema, title: 'capfence.mcp.json' }, null, 2)}\n`
}
