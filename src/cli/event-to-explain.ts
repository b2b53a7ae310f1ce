import { readFileSync } from 'node:fs'
import type { Config } from '../config/config.ts'
import { didYouMean } from '../config/problems.ts'
import { CapFenceError } from '../errors.ts'
import { ActionEvent } from '../event/action-event.ts'
import { Bindings } from '../event/binding.ts'
import type { EventFields } from '../event/create.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import type { JsonObject } from '../json/value.ts'
import { isJsonObject } from '../json/value.ts'

/** How a call can be described: a whole event in a file, or a tool and its arguments. */
export interface EventFlags {
  readonly event?: string | undefined
  readonly server?: string | undefined
  readonly tool?: string | undefined
  readonly arguments?: string | undefined
  readonly actor?: string | undefined
  /** When it is asked; now when absent. */
  readonly at?: string | undefined
}

/**
 * Makes the event that the flags describe, exactly as the gate would: with the bindings of the configuration, and
 * with numbers as they are written.
 *
 * @throws CapFenceError `USAGE`, `JSON_INVALID` or `EVENT_INVALID`
 */
export function eventToExplain(flags: EventFlags, config: Config | undefined): ActionEvent {
  const { event, server, tool } = flags
  if (event !== undefined) {
    refuseBeside(
      { ...flags, event: undefined, at: undefined },
      '--event',
      'the event in the file says all of it',
    )
    return eventFromFile(event)
  }
  if (config === undefined || server === undefined || tool === undefined) {
    throw new CapFenceError('USAGE', 'which call is to be explained', {
      hint: "write `--server NAME --tool NAME --arguments '{…}'`, `--event FILE`, or `--seq NUMBER`",
    })
  }
  const known = [...config.servers.map(({ name }) => name), ...config.disabledServers]
  if (!known.includes(server)) {
    throw new CapFenceError('USAGE', `there is no server \`${server}\` in ${config.file}`, {
      hint: didYouMean(server, known) ?? `it has: ${known.join(', ')}`,
    })
  }
  const bindings = new Bindings(config.servers.map(({ name, binding }) => [name, binding]))
  return bindings.bind({
    server,
    tool,
    arguments: argumentsOf(flags.arguments ?? '{}'),
    actor: flags.actor ?? config.actor,
    environment: config.environment,
  })
}

/**
 * Refuses to take a call from two places.
 *
 * @param flag the one that says all of it
 * @throws CapFenceError `USAGE` when another one says a part of it too
 */
export function refuseBeside(flags: EventFlags, flag: string, hint: string): void {
  const mixed = (['event', 'server', 'tool', 'arguments', 'actor', 'at'] as const).find(
    (name) => flags[name] !== undefined,
  )
  if (mixed === undefined) return
  throw new CapFenceError('USAGE', `\`${flag}\` and \`--${mixed}\` do not go together`, { hint })
}

function eventFromFile(path: string): ActionEvent {
  const fields = parseObject(readText(path, 'event'), path)
  if (!mayBeFields(fields)) throw new Error('bug: an object is an object')
  return ActionEvent.create(fields)
}

/** `create` looks at every field and at every name itself; what is wrong with them is for it to say. */
function mayBeFields(value: unknown): value is EventFields {
  return typeof value === 'object'
}

/** The arguments themselves, or `@` and the file that has them. */
function argumentsOf(text: string): JsonObject {
  if (!text.startsWith('@')) return parseObject(text, '--arguments')
  const path = text.slice(1)
  return parseObject(readText(path, 'arguments'), path)
}

/** `-` stands for standard input. */
function readText(path: string, what: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CapFenceError('USAGE', `cannot read the ${what} \`${path}\`: ${reason}`, { cause })
  }
}

function parseObject(text: string, where: string): JsonObject {
  try {
    const { value } = scanStrict(Buffer.from(text), wanted({}))
    if (isJsonObject(value)) return value
  } catch (cause) {
    if (!(cause instanceof CapFenceError)) throw cause
    throw new CapFenceError('JSON_INVALID', `\`${where}\`: ${cause.message}`, { cause })
  }
  throw new CapFenceError('JSON_INVALID', `\`${where}\` must be a JSON object`)
}
