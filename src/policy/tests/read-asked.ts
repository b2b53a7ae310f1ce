import { capabilityPrefix } from '../../event/binding.ts'
import { riskLevels } from '../../event/capability.ts'
import type { RiskLevel } from '../../event/capability.ts'
import { otherFieldNames } from '../../event/create.ts'
import { printable } from '../../event/printable.ts'
import type { JsonObject } from '../../json/value.ts'
import { readName, readText, unknownKey, wrongType } from '../read-value.ts'
import type { Source } from '../read-value.ts'
import type { YamlEntry } from '../yaml.ts'
import { readCallArguments } from './read-arguments.ts'
import type { Asked, AskedContext, AskedEvent } from './test-case.ts'

/**
 * What `defaults` of a test file holds.
 *
 * @internal Exported for tests only.
 */
export const defaultKeys = ['actor', 'environment', 'role', 'tenant', 'session', 'client'] as const
/**
 * What `call` of a case holds.
 *
 * @internal Exported for tests only.
 */
export const callKeys: readonly string[] = ['server', 'tool', 'arguments', ...defaultKeys]
/**
 * What `event` of a case holds.
 *
 * @internal Exported for tests only.
 */
export const eventKeys: readonly string[] = ['capability', 'risk', ...callKeys]

/** Reads `defaults`: who asks and where, when a case does not say it. */
export function readDefaults(source: Source, entry: YamlEntry): AskedContext {
  if (entry.value.kind === 'map' && entry.value.entries.length > 0) {
    const reader = new AskedReader(source, entry, defaultKeys)
    reader.readAll(entry.value.entries)
    return reader.texts
  }
  source.report.add(wrongType(entry, 'a mapping such as `{environment: production}`'))
  return {}
}

/** Reads `event` of a case; undefined after saying everything that is wrong with it. */
export function readEvent(
  source: Source,
  entry: YamlEntry,
  defaults: AskedContext,
): Asked | undefined {
  const example = 'a mapping such as `{capability: filesystem.read.workspace}`'
  const reader = readAsked(source, entry, { keys: eventKeys, needed: ['capability'], example })
  const capability = reader?.texts.capability
  if (reader === undefined || capability === undefined) return undefined
  if (!reader.isSound) return undefined
  const { capability: _, ...context } = { ...defaults, ...reader.texts }
  const asked: AskedEvent = { kind: 'event', capability, context, arguments: reader.arguments }
  return reader.risk === undefined ? asked : { ...asked, risk: reader.risk }
}

/** Reads `call` of a case; undefined after saying everything that is wrong with it. */
export function readCall(
  source: Source,
  entry: YamlEntry,
  defaults: AskedContext,
): Asked | undefined {
  const example = 'a mapping such as `{server: files, tool: read_file}`'
  const needed = ['server', 'tool'] as const
  const reader = readAsked(source, entry, { keys: callKeys, needed, example })
  if (reader === undefined || !reader.isSound) return undefined
  const { server, tool, ...context } = { ...defaults, ...reader.texts }
  if (server === undefined || tool === undefined) return undefined
  return { kind: 'call', server, tool, context, arguments: reader.arguments }
}

interface Form {
  readonly keys: readonly string[]
  readonly needed: readonly string[]
  readonly example: string
}

function readAsked(
  source: Source,
  entry: YamlEntry,
  { keys, needed, example }: Form,
): AskedReader | undefined {
  const { value } = entry
  if (value.kind !== 'map' || value.entries.length === 0) {
    source.report.add(wrongType(entry, example))
    return undefined
  }
  const reader = new AskedReader(source, entry, keys)
  reader.readAll(value.entries)
  for (const name of needed) {
    if (value.entries.some(({ key }) => key === name)) continue
    source.report.add({
      offset: value.start,
      code: 'policy-empty',
      message: `\`${entry.key}\` has no \`${name}\``,
      hint: `write ${example}`,
    })
    reader.isSound = false
  }
  return reader
}

type TextKey = (typeof textKeys)[number]
const textKeys = [...defaultKeys, 'server', 'tool', 'capability'] as const

/** Reads the entries of an event, of a call, or of the defaults for both. */
class AskedReader {
  readonly #source: Source
  readonly #keys: readonly string[]
  readonly #where: string
  readonly texts: Partial<Record<TextKey, string>> = {}
  risk: RiskLevel | undefined
  arguments: JsonObject = Object.freeze({ __proto__: null })
  isSound = true

  constructor(source: Source, { key }: YamlEntry, keys: readonly string[]) {
    this.#source = source
    this.#where = `\`${key}\``
    this.#keys = keys
  }

  readAll(entries: readonly YamlEntry[]): void {
    for (const entry of entries) if (!this.#read(entry)) this.isSound = false
  }

  #read(entry: YamlEntry): boolean {
    const { key } = entry
    if (!this.#keys.includes(key)) {
      const fault = unknownKey(entry, this.#where, this.#keys)
      const meant = otherNames.get(key)
      const isKnown = meant !== undefined && this.#keys.includes(meant)
      this.#source.report.add(isKnown ? { ...fault, hint: `did you mean \`${meant}\`?` } : fault)
      return false
    }
    if (key === 'arguments') return this.#readArguments(entry)
    if (key === 'risk') {
      this.risk = readName(this.#source, entry, riskLevels)
      return this.risk !== undefined
    }
    const name = textKeys.find((known) => known === key)
    const text = readText(this.#source, entry, 'a text')
    if (name === undefined || text === undefined) return false
    this.texts[name] = text
    return name !== 'capability' || this.#checkCapability(entry, text)
  }

  #readArguments(entry: YamlEntry): boolean {
    const read = readCallArguments(this.#source, entry)
    if (read !== undefined) this.arguments = read
    return read !== undefined
  }

  /** A case asks about one capability: a wildcard would be a question about many. */
  #checkCapability(entry: YamlEntry, text: string): boolean {
    const prefix = capabilityPrefix(text)
    if (prefix?.action !== undefined) return true
    this.#source.report.add({
      offset: entry.value.start,
      code: 'policy-capability',
      message: `\`${printable(text)}\` is not the capability of one call`,
      hint: 'write `resource.action.scope` without wildcards; without a scope the environment stands in',
    })
    return false
  }
}

/** What others call these keys. */
const otherNames: ReadonlyMap<string, string> = new Map<string, string>([
  ...otherFieldNames,
  ['user_role', 'role'],
  ['tool_name', 'tool'],
  ['name', 'tool'],
  ['resource', 'capability'],
  ['action', 'capability'],
])
