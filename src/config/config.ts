import { dirname, resolve } from 'node:path'
import { limits } from '../limits.ts'
import type { AnchorConfig } from './anchors.ts'
import { readAnchors } from './anchors.ts'
import type { Node } from './jsonc.ts'
import { parseJsonc } from './jsonc.ts'
import { defaultLock, lockIn } from './lock.ts'
import type { LockConfig } from './lock.ts'
import { localName, parsePostgresAddress } from './postgres-address.ts'
import type { PostgresAddress } from './postgres-address.ts'
import type { Problem } from './problems.ts'
import { Report } from './problems.ts'
import type { Place, Read } from './read.ts'
import { flag, listOf, oneOf, readText, Section, shownText, wholeNumber } from './read.ts'
import type { ServeConfig } from './serve.ts'
import { defaultServe, readServe } from './serve.ts'
import type { ServerConfig } from './servers.ts'
import { readServers } from './servers.ts'
import type { AuditDurability, DisclosureMode, Mode, UnknownMethods } from './vocabulary.ts'
import {
  bounds,
  disclosureModes,
  durabilities,
  limitKeys,
  modes,
  patterns,
  unknownMethodChoices,
} from './vocabulary.ts'

/** capfence.mcp.json, exact: nothing is optional that is always there, and every path is absolute. */
export interface Config {
  /** The path as it was given, for messages. */
  readonly file: string
  /** The file itself; its hash stands in the log. */
  readonly text: string
  /** Absolute; what relative paths in the file are relative to. */
  readonly folder: string
  /** In the order of the file; switched-off ones are not here. */
  readonly servers: readonly ServerConfig[]
  /** Names of servers that the file switches off. */
  readonly disabledServers: readonly string[]
  readonly policies: readonly string[]
  /** Who asks, where nothing better is known. */
  readonly actor: string
  readonly environment: string
  readonly mode: Mode
  readonly storage: Storage
  readonly audit: AuditConfig
  readonly approvals: ApprovalsConfig
  readonly serve: ServeConfig
  readonly limits: LimitsConfig
  readonly unknownMethods: UnknownMethods
  readonly lock: LockConfig
  /** Worth saying, and no reason to stop. */
  readonly warnings: readonly Problem[]
}

/** Where the log and the approvals live. */
export interface Storage {
  /**
   * The database of SQLite; for a log in PostgreSQL, how the names begin of what this machine keeps for it: its keys, the
   * high-water file, the token. Absolute.
   */
  readonly path: string
  /** Undefined for SQLite. */
  readonly postgres: PostgresAddress | undefined
}

/** How the log is written. */
export interface AuditConfig {
  /** What a decision survives before the call is forwarded: a power cut, or only the end of the process. */
  readonly durability: AuditDurability
  /** What the log can disclose of arguments and results (AUDIT.md "Secrets"). */
  readonly mode: DisclosureMode
  /** The folder of the log's private keys, absolute; undefined for the one beside the log. */
  readonly keys: string | undefined
  /** The file that remembers the log's newest head, absolute; undefined for the one beside the log. */
  readonly highWater: string | undefined
  /** How long an epoch of keys lasts; 0 when only a person ends it. */
  readonly rotateHours: number
  /** How often a running gate verifies the whole log in the background; 0 for never. */
  readonly verifyEveryMinutes: number
  /** Whether results tell the client where the decision stands in the log; decisions are always synced then. */
  readonly receipts: boolean
  /** In the order of the file. */
  readonly anchors: readonly AnchorConfig[]
}

/** How calls that need a person are treated. */
export interface ApprovalsConfig {
  /** How long a request waits for a person, unless its rule says otherwise. */
  readonly timeoutSeconds: number
  /** The list of approvers, an absolute path; undefined where nobody has a key. */
  readonly approvers: string | undefined
  /** Hex SHA-256 that the list must have; undefined where it is not pinned. */
  readonly approversSha256: string | undefined
}

/** Bounds that a configuration may tighten; `limits.ts` has their units and what they may be at most. */
export interface LimitsConfig {
  readonly maxClientMessageBytes: number
  readonly maxUpstreamMessageBytes: number
  readonly maxRequestsInFlight: number
}

/** A configuration before it is read. */
export interface ConfigSource {
  /** Where the text came from, as the user gave it. */
  readonly path: string
  readonly text: string
}

const topKeys = [
  '$schema',
  'mcpServers',
  'policies',
  'actor',
  'environment',
  'mode',
  'storage',
  'approvals',
  'audit',
  'serve',
  'limits',
  'unknownMethods',
  'lock',
] as const
const topHints: ReadonlyMap<string, string> = new Map([
  ['servers', 'it is called `mcpServers` here'],
  ['context_servers', 'it is called `mcpServers` here'],
  [
    'inputs',
    'CapFence asks for nothing when it starts; write `${NAME}` in `env` and set the variable',
  ],
])

/**
 * Reads a configuration, exactly or not at all.
 *
 * It reads no file and no environment variable: `serversToStart` fills in variables, `readConfigFile` reads the file.
 *
 * @throws ConfigInvalid with every problem, each with its line and column
 */
export function loadConfig({ path, text }: ConfigSource): Config {
  const report = new Report(path, text)
  if (Buffer.byteLength(text) > limits.maxConfigBytes) {
    report.problem(0, `the file is larger than ${limits.maxConfigBytes} bytes`)
    report.throwIfAny()
  }
  const root = parseJsonc(text, (...complaint) => report.problem(...complaint))
  const config = root && readRoot(root, { report, path: '' }, path)
  report.throwIfAny()
  if (config === undefined)
    throw new Error('bug: a configuration that cannot be read has a problem')
  return { ...config, text, warnings: report.warnings() }
}

function readRoot(root: Node, place: Place, file: string): Omit<Config, 'text'> | undefined {
  if (root.kind !== 'object') {
    place.report.problem(
      root.start,
      'the file must hold one object',
      'start with `{"mcpServers": …}`',
    )
    return undefined
  }
  const section = Section.read(root, place, topKeys, topHints)
  if (section === undefined) return undefined
  const folder = resolve(dirname(file))
  const environment = section.required('environment', readEnvironment, environmentHint)
  const servers = section.required('mcpServers', readServers(folder), serversHint)
  const policies = section.required(
    'policies',
    listOf(shownText(bounds.maxPathCharacters), 1),
    policiesHint,
  )
  section.optional('$schema', readText, undefined)
  const rest = {
    actor: section.optional('actor', shownText(bounds.maxActor), 'agent'),
    mode: section.optional('mode', oneOf(modes), 'enforce'),
    storage: section.optional('storage', storageIn(folder), defaultStorage(folder)),
    approvals: section.optional('approvals', approvalsIn(folder), defaultApprovals),
    audit: section.optional('audit', auditIn(folder), defaultAudit),
    serve: section.optional('serve', readServe, defaultServe),
    limits: section.optional('limits', readLimits, defaultLimits),
    unknownMethods: section.optional('unknownMethods', oneOf(unknownMethodChoices), 'deny'),
    lock: section.optional('lock', lockIn(folder), defaultLock(folder)),
  } as const
  if (environment === undefined || servers === undefined || policies === undefined) return undefined
  return {
    file,
    folder,
    servers: servers.servers,
    disabledServers: servers.disabled,
    policies: policies.map((policy) => resolve(folder, policy)),
    environment,
    ...rest,
    warnings: [],
  }
}

const serversHint =
  'paste the block that your client has: `"mcpServers": {"files": {"command": …}}`'
const policiesHint = 'name at least one policy file: `"policies": ["policies/ops.yaml"]`'
const environmentHint =
  'say where these servers act, such as `"environment": "development"`; rules can ask for it'

/** The environment is also the scope of capabilities that name none. */
const readEnvironment: Read<string> = (node, place) => {
  const text = readText(node, place)
  if (text === undefined) return undefined
  if (patterns.dottedName.test(text.value) && text.value.length <= limits.maxSegmentCharacters) {
    return text.value
  }
  place.report.problem(
    node.start,
    `\`${place.path}\` must be a name of letters, digits, \`_\` and \`-\`, found \`${text.value}\``,
  )
  return undefined
}

const defaultStorage = (folder: string): Storage => ({
  path: resolve(folder, '.capfence/capfence.db'),
  postgres: undefined,
})

function storageIn(folder: string): Read<Storage> {
  return (node, place) => {
    const text = readText(node, place)
    if (text === undefined) return undefined
    const storage = parseStorage(text.value, folder)
    if (!('problem' in storage)) return storage
    place.report.problem(node.start, `\`${place.path}\` ${storage.problem}`, storage.hint)
    return undefined
  }
}

/**
 * Reads `sqlite:PATH` or `postgres://USER@HOST/DATABASE`; a relative path is relative to `folder`.
 *
 * @returns what is wrong with the text when it names no place that this version can store in
 */
export function parseStorage(
  text: string,
  folder: string,
): Storage | { readonly problem: string; readonly hint: string } {
  const hint =
    'write `sqlite:` and a path, such as `sqlite:.capfence/capfence.db`, or `postgres://USER@HOST/DATABASE`'
  // The text is never repeated: an address may hold a password (THREATS B27).
  if (/^postgres(?:ql)?:/.test(text)) {
    const postgres = parsePostgresAddress(text, folder)
    if ('problem' in postgres) return postgres
    return { path: resolve(folder, `.capfence/${localName(postgres)}`), postgres }
  }
  if (text === 'sqlite::memory:') return { problem: 'is in memory, where no record survives', hint }
  if (!patterns.storage.test(text)) {
    return {
      problem: 'must be `sqlite:` and a path, or the address of a PostgreSQL database',
      hint,
    }
  }
  return { path: resolve(folder, text.slice('sqlite:'.length)), postgres: undefined }
}

const defaultApprovals: ApprovalsConfig = {
  timeoutSeconds: 900,
  approvers: undefined,
  approversSha256: undefined,
}

function approvalsIn(folder: string): Read<ApprovalsConfig> {
  return (node, place) => {
    const section = Section.read(node, place, ['timeoutSeconds', 'approvers', 'approversSha256'])
    if (section === undefined) return undefined
    const seconds = wholeNumber({ min: 1, max: bounds.maxApprovalSeconds })
    const approvers = section.optional('approvers', shownText(bounds.maxPathCharacters), undefined)
    const approversSha256 = section.optional('approversSha256', readFingerprint, undefined)
    if (section.has('approversSha256') && !section.has('approvers')) {
      const path = section.place('approvers').path
      place.report.problem(
        node.start,
        `\`${path}\` is missing, so that there is nothing to pin`,
        'name the list: `"approvers": "approvers.json"`',
      )
    }
    return {
      timeoutSeconds: section.optional('timeoutSeconds', seconds, defaultApprovals.timeoutSeconds),
      approvers: approvers === undefined ? undefined : resolve(folder, approvers),
      approversSha256,
    }
  }
}

const readFingerprint: Read<string> = (node, place) => {
  const text = readText(node, place)
  if (text === undefined || patterns.sha256.test(text.value)) return text?.value
  place.report.problem(
    node.start,
    `\`${place.path}\` must be 64 lower-case hex digits`,
    '`capfence keys approver list` prints the fingerprint of the list',
  )
  return undefined
}

const defaultAudit: AuditConfig = {
  durability: 'power',
  mode: 'args',
  keys: undefined,
  highWater: undefined,
  rotateHours: 24,
  verifyEveryMinutes: 60,
  receipts: false,
  anchors: [],
}

const auditKeys = [
  'durability',
  'mode',
  'keys',
  'highWater',
  'rotateHours',
  'verifyEveryMinutes',
  'receipts',
  'anchors',
] as const

function auditIn(folder: string): Read<AuditConfig> {
  return (node, place) => {
    const section = Section.read(node, place, auditKeys)
    if (section === undefined) return undefined
    const path = shownText(bounds.maxPathCharacters)
    const keys = section.optional('keys', path, undefined)
    const highWater = section.optional('highWater', path, undefined)
    const hours = wholeNumber({ min: 0, max: bounds.maxRotateHours })
    const minutes = wholeNumber({ min: 0, max: bounds.maxVerifyMinutes })
    const { verifyEveryMinutes } = defaultAudit
    return {
      durability: section.optional('durability', oneOf(durabilities), defaultAudit.durability),
      mode: section.optional('mode', oneOf(disclosureModes), defaultAudit.mode),
      keys: keys === undefined ? undefined : resolve(folder, keys),
      highWater: highWater === undefined ? undefined : resolve(folder, highWater),
      rotateHours: section.optional('rotateHours', hours, defaultAudit.rotateHours),
      verifyEveryMinutes: section.optional('verifyEveryMinutes', minutes, verifyEveryMinutes),
      receipts: section.optional('receipts', flag, defaultAudit.receipts),
      anchors: section.optional('anchors', readAnchors, defaultAudit.anchors),
    }
  }
}

const defaultLimits: LimitsConfig = {
  maxClientMessageBytes: limits.maxClientMessageBytes,
  maxUpstreamMessageBytes: limits.maxUpstreamMessageBytes,
  maxRequestsInFlight: limits.maxRequestsInFlight,
}

const readLimits: Read<LimitsConfig> = (node, place) => {
  const section = Section.read(node, place, limitKeys)
  if (section === undefined) return undefined
  const bound = (key: keyof LimitsConfig, min: number): number =>
    section.optional(key, wholeNumber({ min, max: limits[key] }), limits[key])
  return {
    maxClientMessageBytes: bound('maxClientMessageBytes', bounds.minMessageBytes),
    maxUpstreamMessageBytes: bound('maxUpstreamMessageBytes', bounds.minMessageBytes),
    maxRequestsInFlight: bound('maxRequestsInFlight', 1),
  }
}
