import { z } from 'zod'
import { limits } from '../limits.ts'
import { bounds, patterns } from './vocabulary.ts'

/** The shape of `serve` in capfence.mcp.json. */
export const serveSchema: z.ZodType = z.strictObject({
  host: z
    .string()
    .regex(patterns.listenHost)
    .optional()
    .describe(
      'The address that it listens on; `127.0.0.1`, which only this machine reaches, when left out.',
    ),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('The port; 8931 when left out, 0 for any that is free.'),
  hosts: z
    .array(z.string().regex(patterns.hostName))
    .optional()
    .describe(
      'Names under which clients reach it besides `localhost` and its address, with the port where it is not the usual one.',
    ),
  origins: z
    .array(z.string().regex(patterns.origin))
    .optional()
    .describe(
      'Origins of pages in a browser that may ask it, such as `http://localhost:6274`; none when left out.',
    ),
  tokens: z
    .array(
      z.strictObject({
        sha256: z
          .string()
          .regex(patterns.sha256)
          .describe('The digest of the token, as `capfence serve token` prints it.'),
        actor: z
          .string()
          .min(1)
          .max(bounds.maxActor)
          .regex(patterns.shown)
          .optional()
          .describe(
            "Who brings it, as rules and the log name them; the configuration's `actor` when left out.",
          ),
      }),
    )
    .max(limits.maxTokens)
    .optional()
    .describe(
      'The tokens that clients may bring. When left out, one is made and kept in a file beside the log.',
    ),
  maxSessions: z
    .int()
    .min(1)
    .max(limits.maxHttpSessions)
    .optional()
    .describe('How many sessions there may be at the same time; 1000 when left out.'),
  maxProcesses: z
    .int()
    .min(1)
    .max(limits.maxHttpProcesses)
    .optional()
    .describe(
      'How many servers may run as processes for all sessions together; 100 when left out.',
    ),
  idleMinutes: z
    .int()
    .min(1)
    .max(bounds.maxIdleMinutes)
    .optional()
    .describe('After how long without a use a session ends; 30 when left out.'),
})
