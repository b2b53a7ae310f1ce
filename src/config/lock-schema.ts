import { z } from 'zod'
import { bounds, heldChoices, patterns } from './vocabulary.ts'

/** `lock` of capfence.mcp.json, for editors. */
export const lockSchema: z.ZodType = z.strictObject({
  file: z
    .string()
    .min(1)
    .max(bounds.maxPathCharacters)
    .regex(patterns.shown)
    .optional()
    .describe('The file, relative to this one; `capfence.lock` beside it when left out.'),
  required: z
    .boolean()
    .optional()
    .describe(
      'Whether the gate starts only with the file. Off when left out: without it nothing is pinned.',
    ),
  inObserve: z
    .enum(heldChoices)
    .optional()
    .describe(
      'What becomes of a definition that nobody has accepted where `mode` is `observe`: `hold`, or `report`, which only records it. `hold` when left out.',
    ),
  relistMinutes: z
    .int()
    .min(1)
    .max(bounds.maxRelistMinutes)
    .optional()
    .describe('How often the tools of running servers are listed again; 5 when left out.'),
})
