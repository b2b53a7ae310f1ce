import { CapFenceError } from '../errors.ts'
import { scanStrict, wanted } from '../json/scan.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { limits } from '../limits.ts'
import { definitionOfText, definitionOfValue } from './definition.ts'
import type { Definition } from './definition.ts'

/** How a server is started or reached, as far as a person accepts it: never the values of variables. */
export type Launch =
  | {
      readonly kind: 'stdio'
      readonly command: string
      readonly args: readonly string[]
      /** Null for the folder of the gate. */
      readonly cwd: string | null
      /** Names of the variables that the configuration gives to it, in order. */
      readonly env: readonly string[]
    }
  | {
      readonly kind: 'http'
      readonly url: string
      /** Names of the headers that the configuration sends, in order. */
      readonly headers: readonly string[]
    }

/** Everything of one server that somebody has accepted. */
export interface LockedServer {
  readonly name: string
  readonly launch: Launch
  /** Undefined where it gave none. */
  readonly instructions: Definition | undefined
  readonly tools: readonly Definition[]
  readonly prompts: readonly Definition[]
  readonly resourceTemplates: readonly Definition[]
}

/** `capfence.lock`: what servers may be and say until somebody accepts something else (THREATS B11). */
export interface Lock {
  /** By name, in order. */
  readonly servers: readonly LockedServer[]
}

/** The kinds of definitions of which a server lists any number, by their member of the file. */
export const lockedLists = ['tools', 'prompts', 'resourceTemplates'] as const

/** A kind of definition of which a server lists any number. */
export type LockedList = (typeof lockedLists)[number]

/** The member of a definition that names it. */
export const nameMember: Readonly<Record<LockedList, string>> = {
  tools: 'name',
  prompts: 'name',
  resourceTemplates: 'uriTemplate',
}

const formatVersion = 1

/** The file as one line of JSON; see `docs/lock.md`. */
export function lockText({ servers }: Lock): string {
  return `{"capfenceLock":${formatVersion},"servers":[${servers.map(serverText).join(',')}]}`
}

function serverText(server: LockedServer): string {
  const { name, launch, instructions } = server
  const lists = lockedLists.map(
    (list) => `,"${list}":[${server[list].map((one) => entryText(one, true)).join(',')}]`,
  )
  const said = instructions === undefined ? 'null' : entryText(instructions, false)
  return `{"name":${JSON.stringify(name)},"launch":${JSON.stringify(launch)},"instructions":${said}${lists.join('')}}`
}

function entryText({ name, sha256, value, text }: Definition, isNamed: boolean): string {
  const named = isNamed ? `"name":${JSON.stringify(name)},` : ''
  const kept = value === undefined ? `"text":${JSON.stringify(text)}` : `"definition":${text}`
  return `{${named}"sha256":"${sha256}",${kept}}`
}

/** JSON of one line, written over several as a person reads it; nothing inside strings is changed. */
export function indented(json: string): string {
  let depth = 0
  const line = (): string => `\n${'  '.repeat(depth)}`
  const text = json.replaceAll(
    /"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[[{]|[\]}]|[:,]/g,
    (token): string => {
      if (token === ':') return ': '
      if (token === ',') return `,${line()}`
      if (token === '{' || token === '[') {
        depth += 1
        return token + line()
      }
      if (token === '}' || token === ']') {
        depth -= 1
        return line() + token
      }
      return token
    },
  )
  return `${text}\n`
}

/**
 * Reads the file, exactly or not at all: an entry that was changed by hand has another digest than it says.
 *
 * @param path for messages
 * @throws CapFenceError `LOCK_INVALID`
 */
export function parseLock(bytes: Uint8Array, path: string): Lock {
  if (bytes.length > limits.maxLockBytes) {
    throw invalid(path, `it has more than ${limits.maxLockBytes} bytes`)
  }
  let value
  try {
    ;({ value } = scanStrict(bytes, wanted({})))
  } catch (cause) {
    throw invalid(path, cause instanceof Error ? cause.message : String(cause), cause)
  }
  return new LockReader(path).lock(value)
}

/** Reads the parts of a lock, and says where what is wrong stands. */
class LockReader {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  lock(value: JsonValue): Lock {
    if (!isJsonObject(value) || value['capfenceLock'] === undefined) {
      throw invalid(this.#path, 'it is no lock: `capfenceLock` is missing')
    }
    const version = value['capfenceLock']
    if (!isNumber(version, formatVersion)) {
      throw invalid(
        this.#path,
        `it is of another version than ${formatVersion}, the one that this program reads`,
      )
    }
    const { servers } = this.#members(value, 'the file', ['capfenceLock', 'servers'])
    const read = this.#list(servers, 'servers').map((one, at) => this.#server(one, at))
    this.#inOrder(read, 'servers')
    return { servers: read }
  }

  #server(value: JsonValue, index: number): LockedServer {
    const at = `servers[${index}]`
    const members = ['name', 'launch', 'instructions', ...lockedLists]
    const server = this.#members(value, at, members)
    const said = server['instructions']
    return {
      name: this.#text(server['name'], `${at}.name`),
      launch: this.#launch(server['launch'], `${at}.launch`),
      instructions: said === null ? undefined : this.#entry(said, `${at}.instructions`, undefined),
      tools: this.#definitions(server['tools'], `${at}.tools`, 'tools'),
      prompts: this.#definitions(server['prompts'], `${at}.prompts`, 'prompts'),
      resourceTemplates: this.#definitions(
        server['resourceTemplates'],
        `${at}.resourceTemplates`,
        'resourceTemplates',
      ),
    }
  }

  #launch(value: JsonValue | undefined, at: string): Launch {
    const kind = isJsonObject(value) ? value['kind'] : undefined
    if (kind === 'stdio') {
      const launch = this.#members(value, at, ['kind', 'command', 'args', 'cwd', 'env'])
      const cwd = launch['cwd']
      return {
        kind,
        command: this.#text(launch['command'], `${at}.command`),
        args: this.#texts(launch['args'], `${at}.args`),
        cwd: cwd === null ? null : this.#text(cwd, `${at}.cwd`),
        env: this.#texts(launch['env'], `${at}.env`),
      }
    }
    if (kind !== 'http') throw invalid(this.#path, `\`${at}.kind\` is neither "stdio" nor "http"`)
    const launch = this.#members(value, at, ['kind', 'url', 'headers'])
    return {
      kind,
      url: this.#text(launch['url'], `${at}.url`),
      headers: this.#texts(launch['headers'], `${at}.headers`),
    }
  }

  #definitions(value: JsonValue | undefined, at: string, list: LockedList): readonly Definition[] {
    const read = this.#list(value, at).map((one, index) =>
      this.#entry(one, `${at}[${index}]`, nameMember[list]),
    )
    this.#inOrder(read, at)
    return read
  }

  /** @param naming the member of the definition that holds its name; undefined for what has none */
  #entry(value: JsonValue | undefined, at: string, naming: string | undefined): Definition {
    const isText = isJsonObject(value) && value['text'] !== undefined
    const named = naming === undefined ? [] : ['name']
    const entry = this.#members(value, at, [...named, 'sha256', isText ? 'text' : 'definition'])
    const name = naming === undefined ? '' : this.#text(entry['name'], `${at}.name`)
    const kept = entry['definition'] ?? null
    const definition = isText
      ? definitionOfText(name, this.#text(entry['text'], `${at}.text`))
      : definitionOfValue(name, kept)
    if (definition.sha256 !== entry['sha256']) {
      throw invalid(this.#path, `\`${at}\` has another digest than it says: it was changed by hand`)
    }
    if (!isText && naming !== undefined && (!isJsonObject(kept) || kept[naming] !== name)) {
      throw invalid(this.#path, `\`${at}.name\` is not the name in its definition`)
    }
    return definition
  }

  #inOrder(named: readonly { readonly name: string }[], at: string): void {
    for (const [index, { name }] of named.entries()) {
      const before = named[index - 1]?.name
      if (before === undefined || before < name) continue
      throw invalid(this.#path, `\`${at}[${index}]\` stands there twice, or out of order`)
    }
  }

  /** An object with exactly these members. */
  #members(value: JsonValue | undefined, at: string, names: readonly string[]): JsonObject {
    if (!isJsonObject(value)) throw invalid(this.#path, `\`${at}\` is no object`)
    const strange = Object.keys(value).find((name) => !names.includes(name))
    if (strange !== undefined) {
      throw invalid(this.#path, `\`${at}\` has \`${strange}\`, which is not known here`)
    }
    const missing = names.find((name) => value[name] === undefined)
    if (missing !== undefined) throw invalid(this.#path, `\`${at}.${missing}\` is missing`)
    return value
  }

  #list(value: JsonValue | undefined, at: string): readonly JsonValue[] {
    if (isJsonArray(value)) return value
    throw invalid(this.#path, `\`${at}\` is no array`)
  }

  #texts(value: JsonValue | undefined, at: string): readonly string[] {
    return this.#list(value, at).map((one, index) => this.#text(one, `${at}[${index}]`))
  }

  #text(value: JsonValue | undefined, at: string): string {
    if (typeof value === 'string') return value
    throw invalid(this.#path, `\`${at}\` is no text`)
  }
}

function isNumber(value: JsonValue | undefined, wantedNumber: number): boolean {
  const isDecimal = typeof value === 'object' && value !== null && 'canonical' in value
  return isDecimal && value.canonical === String(wantedNumber)
}

function invalid(path: string, what: string, cause?: unknown): CapFenceError {
  return new CapFenceError('LOCK_INVALID', `the lock \`${path}\` cannot be used: ${what}`, {
    hint: 'restore it, or look at the servers anew: remove it and run `capfence lock`',
    cause,
  })
}
