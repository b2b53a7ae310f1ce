import { didYouMean } from '../config/problems.ts'
import { CapFenceError } from '../errors.ts'
import { Bindings } from '../event/binding.ts'
import type { TraceReading } from '../replay/trace-reader.ts'
import type { Io } from './io.ts'
import { readConfig } from './places.ts'
import { shown } from './shown.ts'

/** What a log of MCP messages does not say, as it was typed. */
export interface ReadingFlags {
  readonly server?: string | undefined
  readonly actor?: string | undefined
  readonly environment?: string | undefined
  readonly config?: string | undefined
  readonly fromStart?: boolean | undefined
}

/**
 * What a trace is read with: whose calls a log of MCP messages holds, and what they mean.
 *
 * @throws CapFenceError `USAGE` when it is said in part only
 */
export async function traceReading(flags: ReadingFlags, io: Io): Promise<TraceReading> {
  const { server, actor, environment, config: file, fromStart: isComplete = false } = flags
  if (file === undefined && server === undefined) {
    const stray = actor ?? environment
    if (stray === undefined && !isComplete) return {}
    throw new CapFenceError(
      'USAGE',
      '`--actor`, `--environment` and `--from-start` are about a log of MCP messages',
      { hint: 'name its server with `--server`, or a configuration with `--config`' },
    )
  }
  if (file === undefined) {
    if (server !== undefined && environment !== undefined) {
      const bindings = new Bindings()
      return { mcp: { server, actor: actor ?? 'agent', environment, bindings, isComplete } }
    }
    throw new CapFenceError('USAGE', '`--environment` is missing: where do the calls act', {
      hint: 'write `--environment production`, or name a configuration with `--config`',
    })
  }
  const config = await readConfig(file, io)
  const known = [...config.servers.map(({ name }) => name), ...config.disabledServers]
  const [only, ...others] = known
  const named = server ?? (others.length === 0 ? only : undefined)
  if (named === undefined || !known.includes(named)) {
    const what = server === undefined ? 'several servers' : `no server \`${shown(server)}\``
    throw new CapFenceError('USAGE', `${file} has ${what}`, {
      hint: didYouMean(server ?? '', known) ?? `name one with \`--server\`: ${known.join(', ')}`,
    })
  }
  return {
    mcp: {
      server: named,
      actor: actor ?? config.actor,
      environment: environment ?? config.environment,
      bindings: new Bindings(config.servers.map((one) => [one.name, one.binding])),
      isComplete,
    },
  }
}
