import type { Member, Node } from './jsonc.ts'
import type { Section } from './read.ts'
import type { Report } from './problems.ts'

/**
 * Keys that clients write beside `command` and `url`, so that a block of theirs can be pasted (CLIENTS.md, 1a).
 *
 * `ignored` only concerns the client. `warned` is worth a word when it is on. `refused` restricts the server when it is
 * on: CapFence does not do what it asks, and must not look as if it did (THREATS B25).
 */
type Treatment =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'warned' | 'refused'; readonly message: string; readonly hint: string }

const ignored: Treatment = { kind: 'ignored' }
const bypass: Treatment = {
  kind: 'warned',
  message: 'does not let calls past CapFence',
  hint: 'what may run without asking is for the policy to say',
}
const otherEnvironment: Treatment = {
  kind: 'warned',
  message: 'is not read, the server gets no variables from it',
  hint: 'list them under `env`, as `"NAME": "${NAME}"`',
}
const narrowsTools: Treatment = {
  kind: 'refused',
  message: 'is not applied, every tool of the server would be offered',
  hint: 'write `deny` rules for these tools in a policy and remove the key',
}
const sandbox: Treatment = {
  kind: 'refused',
  message: 'is not applied, the server would run without a sandbox',
  hint: 'remove the key, or put the sandbox into `command`',
}
const signIn: Treatment = {
  kind: 'warned',
  message: 'is not used, CapFence does not sign in to servers',
  hint: 'a fixed token can stand in `headers`',
}

/** Every key of another client that is known, and what CapFence makes of it. */
export const clientKeys: ReadonlyMap<string, Treatment> = new Map<string, Treatment>([
  ...[
    'description',
    'name',
    'title',
    'icon',
    'gallery',
    'version',
    'source',
    'required',
    'dev',
  ].map((key) => [key, ignored] as const),
  ...['timeout', 'initTimeout', 'connectionTimeout', 'startup_timeout_sec', 'tool_timeout_sec'].map(
    (key) => [key, ignored] as const,
  ),
  ...['autoApprove', 'alwaysAllow', 'trust', 'default_tools_approval_mode'].map(
    (key) => [key, bypass] as const,
  ),
  ...['envFile', 'env_file', 'env_vars', 'env_keys'].map((key) => [key, otherEnvironment] as const),
  ...[
    'tools',
    'includeTools',
    'excludeTools',
    'disabledTools',
    'enabledTools',
    'enabled_tools',
    'disabled_tools',
  ].map((key) => [key, narrowsTools] as const),
  ...['sandbox', 'sandboxEnabled'].map((key) => [key, sandbox] as const),
  ...['auth', 'oauth', 'headersHelper', 'bearer_token_env_var', 'env_http_headers'].map(
    (key) => [key, signIn] as const,
  ),
])

/** What other clients call what is called otherwise here. */
export const otherNames: ReadonlyMap<string, string> = new Map([
  ['serverUrl', 'it is called `url` here'],
  ['httpUrl', 'it is called `url` here'],
  ['uri', 'it is called `url` here'],
  ['cmd', 'it is called `command` here'],
  ['envs', 'it is called `env` here'],
  [
    'environment',
    'it is called `env` here; the environment that rules see stands at the top of the file',
  ],
  ['http_headers', 'it is called `headers` here'],
])

/** Warns of or refuses what a pasted block asks for and CapFence does not do. */
export function checkClientKeys(server: Section, report: Report): void {
  for (const [key, treatment] of clientKeys) {
    const member = server.member(key)
    if (member === undefined || treatment.kind === 'ignored' || isOff(member.value)) continue
    const message = `\`${key}\` ${treatment.message}`
    if (treatment.kind === 'warned') report.warning(member.nameStart, message, treatment.hint)
    else report.problem(member.nameStart, message, treatment.hint)
  }
}

/** Empty lists, `false`, `null` and the list of all tools ask for nothing. */
function isOff(value: Node): boolean {
  switch (value.kind) {
    case 'literal':
      return value.value !== true
    case 'list':
      return value.items.every((item) => item.kind === 'text' && item.value === '*')
    case 'object':
      return value.members.length === 0
    case 'text':
      return value.value === ''
    case 'number':
      return false
    default:
      return value satisfies never
  }
}

/** Whether a pasted block says that its server is switched off. */
export function isSwitchedOff(server: Section): boolean {
  return says(server.member('disabled'), true) || says(server.member('enabled'), false)
}

function says(member: Member | undefined, value: boolean): boolean {
  return member?.value.kind === 'literal' && member.value.value === value
}
