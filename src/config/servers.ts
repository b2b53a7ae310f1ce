import { resolve, sep } from 'node:path'
import type { ServerBinding } from '../event/binding.ts'
import { printable } from '../event/printable.ts'
import { bindingKeys, readBinding } from './bindings.ts'
import { checkClientKeys, clientKeys, isSwitchedOff, otherNames } from './client-keys.ts'
import type { Member, Node } from './jsonc.ts'
import type { Report } from './problems.ts'
import type { Place, Read } from './read.ts'
import { flag, listOf, mapOf, oneOf, readText, Section, shownText } from './read.ts'
import type { Template } from './variables.ts'
import { readLiteral, readTemplate } from './variables.ts'
import { bounds, patterns, transports } from './vocabulary.ts'

/** A server that the gate can stand before. */
export interface ServerConfig {
  /** Its key in the file; with a tool's name, what identifies a tool. */
  readonly name: string
  readonly upstream: Upstream
  /** Put before each of its names where several servers stand behind one endpoint. */
  readonly prefix: string
  readonly binding: ServerBinding
  /** Whether it opens paths on the disk of the gate, so that these can be looked up there. */
  readonly sharesDisk: boolean
}

/** How a server is reached. */
export type Upstream =
  | {
      readonly kind: 'stdio'
      readonly command: string
      readonly args: readonly string[]
      readonly env: ReadonlyMap<string, Template>
      /** Absolute; the gate's own folder when undefined. */
      readonly cwd: string | undefined
    }
  | {
      readonly kind: 'http'
      readonly url: string
      readonly headers: ReadonlyMap<string, Template>
      /** Of the older HTTP+SSE transport. */
      readonly isSse: boolean
    }

/** What `mcpServers` holds. */
export interface ReadServers {
  /** In the order of the file. */
  readonly servers: readonly ServerConfig[]
  /** Names of servers that the file switches off. */
  readonly disabled: readonly string[]
}

const stdioKeys = ['command', 'args', 'env', 'cwd'] as const
const httpKeys = ['url', 'headers'] as const
const serverKeys: readonly string[] = [
  ...stdioKeys,
  ...httpKeys,
  'type',
  'transport',
  'disabled',
  'enabled',
  'capfence',
]

/** Reads `mcpServers`, in the shape that every client writes; relative paths in it are relative to `folder`. */
export function readServers(folder: string): Read<ReadServers> {
  return (node, place) => {
    const disabled: string[] = []
    const read = mapOf((member, at) => {
      const section = readServerSection(member, at)
      if (section === undefined) return undefined
      if (isSwitchedOff(section)) disabled.push(member.name)
      return readServer(member, section, at, folder)
    })(node, place)
    if (read === undefined) return undefined
    const servers = [...read.values()].filter(({ name }) => !disabled.includes(name))
    checkPrefixes(servers, node, place.report)
    return { servers, disabled }
  }
}

function readServerSection({ name, nameStart, value }: Member, place: Place): Section | undefined {
  const named = shownText(bounds.maxServerName)(
    { kind: 'text', value: name, start: nameStart, end: nameStart },
    { report: place.report, path: 'mcpServers: a name' },
  )
  const section = Section.read(value, place, [...serverKeys, ...clientKeys.keys()], otherNames)
  return named === undefined ? undefined : section
}

function readServer(
  { name }: Member,
  section: Section,
  place: Place,
  folder: string,
): ServerConfig | undefined {
  checkClientKeys(section, place.report)
  for (const key of ['disabled', 'enabled']) section.optional(key, flag, false)
  const block = section.member('capfence')
  const capfence = block && Section.read(block.value, section.place('capfence'), bindingKeys)
  const binding = capfence === undefined ? {} : readBinding(capfence)
  // Its tools would look like the protocol's own methods to a rule (THREATS B8).
  if (name.toLowerCase() === 'mcp' && binding.resource === undefined) {
    place.report.problem(
      section.node.start,
      `\`${name}\` as a server's name stands for the protocol's own methods`,
      'give it another name, or a `resource` under `capfence`',
    )
  }
  const upstream = readUpstream(section, place, folder)
  const sharesDisk = capfence?.optional('sharesDisk', flag, false) ?? false
  if (sharesDisk && upstream?.kind === 'http') refuseDisk(capfence, place)
  return (
    upstream && {
      sharesDisk,
      name,
      upstream,
      prefix: capfence?.optional('prefix', readPrefix, undefined) ?? defaultPrefix(name),
      binding,
    }
  )
}

function refuseDisk(capfence: Section | undefined, place: Place): void {
  const key = capfence?.member('sharesDisk')
  place.report.problem(
    key?.nameStart ?? 0,
    `\`${place.path}\` has \`sharesDisk\` beside \`url\``,
    'only a server that is started here is known to open the paths of this disk',
  )
}

function readUpstream(section: Section, place: Place, folder: string): Upstream | undefined {
  const isStdio = section.has('command')
  const isHttp = section.has('url')
  if (isStdio === isHttp) {
    const message = isStdio ? 'has both `command` and `url`' : 'has neither `command` nor `url`'
    place.report.problem(
      section.node.start,
      `\`${place.path}\` ${message}`,
      'a server is started by `command` or reached at `url`',
    )
    return undefined
  }
  checkTransport(section, isStdio ? 'stdio' : 'http', place)
  for (const key of isStdio ? httpKeys : stdioKeys) {
    const stray = section.member(key)
    if (stray === undefined) continue
    place.report.problem(
      stray.nameStart,
      `\`${key}\` does not go with \`${isStdio ? 'command' : 'url'}\` in \`${place.path}\``,
    )
  }
  return isStdio ? readStdio(section, folder) : readHttp(section)
}

function checkTransport(section: Section, kind: 'stdio' | 'http', place: Place): void {
  for (const key of ['type', 'transport']) {
    const member = section.member(key)
    const named = section.optional(key, oneOf(transports), undefined)
    if (member === undefined || named === undefined || (named === 'stdio') === (kind === 'stdio')) {
      continue
    }
    const has = kind === 'stdio' ? 'command' : 'url'
    place.report.problem(
      member.value.start,
      `\`${section.place(key).path}\` is \`${named}\`, but the server has \`${has}\``,
    )
  }
}

function readStdio(section: Section, folder: string): Upstream | undefined {
  const command = section.required('command', processText)
  const cwd = section.optional('cwd', processText, undefined)
  if (command === undefined) return undefined
  return {
    kind: 'stdio',
    command: isPath(command) ? resolve(folder, command) : command,
    args: section.optional('args', listOf(argument), []),
    env: section.optional('env', templates(variableName), new Map()),
    cwd: cwd === undefined ? undefined : resolve(folder, cwd),
  }
}

function readHttp(section: Section): Upstream | undefined {
  const url = section.required('url', readUrl)
  if (url === undefined) return undefined
  return {
    kind: 'http',
    url,
    headers: section.optional('headers', templates(headerName), new Map()),
    isSse: ['type', 'transport'].some((key) => {
      const value = section.member(key)?.value
      return value?.kind === 'text' && value.value === 'sse'
    }),
  }
}

/** `./server` and `bin/server` are files beside the configuration; a bare name is looked up in PATH. */
function isPath(command: string): boolean {
  return command.includes('/') || command.includes(sep)
}

/** An argument of a process; the empty text is one. */
const argument: Read<string> = (node, place) => {
  const text = readText(node, place)
  if (text === undefined) return undefined
  // The operating system ends an argument at the first zero byte: the server would get another one than stands here.
  if (text.value.includes('\0')) {
    place.report.problem(node.start, `\`${place.path}\` holds a zero character`)
    return undefined
  }
  return readLiteral(text, place)
}

const processText: Read<string> = (node, place) => {
  const text = argument(node, place)
  if (text !== '') return text
  place.report.problem(node.start, `\`${place.path}\` is empty`)
  return undefined
}

const readUrl: Read<string> = (node, place) => {
  const text = readText(node, place)
  if (text === undefined) return undefined
  const url = readLiteral(text, place)
  if (patterns.url.test(url) && URL.canParse(url)) return url
  // The text may hold a password, so it is not repeated (THREATS B27).
  if (/^http:\/\/[^@]*$/.test(url) && URL.canParse(url)) {
    place.report.problem(
      node.start,
      `\`${place.path}\` is not encrypted, and not on this machine`,
      'use https; plain http is for `localhost`, `127.0.0.1` and `[::1]`',
    )
    return undefined
  }
  place.report.problem(
    node.start,
    `\`${place.path}\` must be an https address, or an http address of this machine, without a user name`,
    'a password or token belongs into `headers`: `"Authorization": "Bearer ${TOKEN}"`',
  )
  return undefined
}

interface NameRule {
  readonly pattern: RegExp
  readonly what: string
}

const variableName: NameRule = {
  pattern: patterns.variableName,
  what: "a variable's name that a server can be given",
}
const headerName: NameRule = {
  pattern: patterns.headerName,
  what: "a header's name, or is the gate's own",
}

/** Names and texts that may take in environment variables. */
function templates(rule: NameRule): Read<ReadonlyMap<string, Template>> {
  return mapOf(({ name, nameStart, value }, place) => {
    if (!rule.pattern.test(name)) {
      place.report.problem(nameStart, `\`${printable(name)}\` is not ${rule.what}`)
      return undefined
    }
    const text = readText(value, place)
    if (text === undefined) return undefined
    if (/[\0\r\n]/.test(rule === headerName ? text.value : text.value.replaceAll(/[\r\n]/g, ''))) {
      place.report.problem(
        value.start,
        `\`${place.path}\` holds a character that cannot stand there`,
      )
      return undefined
    }
    return readTemplate(text, place)
  })
}

const readPrefix: Read<string> = (node, place) => {
  const text = readText(node, place)
  if (text === undefined) return undefined
  if (patterns.prefix.test(text.value)) return text.value
  place.report.problem(
    node.start,
    `\`${place.path}\` must be 1 to 32 letters, digits, \`_\` or \`-\`, found \`${printable(text.value)}\``,
    'models refuse tool names with other characters',
  )
  return undefined
}

/** `files__` for `files`; what a model could not call becomes `_`. */
function defaultPrefix(server: string): string {
  return `${server.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 30)}__`
}

/**
 * Refuses two servers whose prefixed names could be the same (THREATS B10).
 *
 * No prefix may be the start of another, in any case: then the first letters of a name tell its server.
 */
function checkPrefixes(servers: readonly ServerConfig[], node: Node, report: Report): void {
  if (node.kind !== 'object') return
  for (const [index, server] of servers.entries()) {
    const other = servers
      .slice(0, index)
      .find(({ prefix }) => isStartOf(prefix, server.prefix) || isStartOf(server.prefix, prefix))
    const member = node.members.find(({ name }) => name === server.name)
    if (other === undefined || member === undefined) continue
    report.problem(
      member.nameStart,
      `the tools of \`${server.name}\` (\`${server.prefix}\`) could be taken for those of \`${other.name}\` (\`${other.prefix}\`)`,
      `give one of them another prefix: \`"capfence": {"prefix": "…"}\``,
    )
  }
}

function isStartOf(one: string, other: string): boolean {
  return other.toLowerCase().startsWith(one.toLowerCase())
}
