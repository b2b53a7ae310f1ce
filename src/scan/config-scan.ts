import type { Entry, EntryLaunch } from '../clients/entries.ts'
import { entriesOf, readTree } from '../clients/entries.ts'
import type { ObjectTree, Tree, TreeMember } from '../clients/tree.ts'
import { memberOf, UnreadableFile, writtenIn } from '../clients/tree.ts'
import type { ConfigShape } from './config-files.ts'
import type { Spot } from './finding.ts'
import { startsGate } from '../clients/gate-words.ts'
import { unpinnedIn } from './pins.ts'
import type { RuleId } from './rules.ts'
import { hasSecretInUrl, isLiteralSecret, isPlainHttp, secretArguments } from './secrets.ts'
import { switchSpots } from './switches.ts'

/** What a configuration file was found to hold. */
export interface ConfigReport {
  readonly spots: readonly Spot[]
  /** How the servers are started that stand behind the gate, when it is CapFence's own configuration. */
  readonly gatedLaunches: readonly (readonly string[])[]
}

/** Reads a configuration file of clients, or CapFence's own. */
export async function readConfig(text: string, shape: ConfigShape): Promise<ConfigReport> {
  const gatedLaunches: (readonly string[])[] = []
  if (text.trim() === '') return { spots: [], gatedLaunches }
  let tree: Tree
  try {
    tree = await readTree(shape.format, text)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    const isServersFile = shape.isKnown || /"(?:mcpServers|command)"/.test(text)
    return { spots: isServersFile ? [wholeFile(error.message)] : [], gatedLaunches }
  }
  const isOwn = !shape.isKnown && isOwnConfig(tree)
  const entries = entriesOf(tree, shape).filter(({ tree: entry }) => isOn(entry))
  if (isOwn) {
    for (const { launch } of entries)
      if (launch !== undefined) gatedLaunches.push([launch.command, ...launch.args])
  }
  const spots = [
    ...entries.flatMap((entry) => entrySpots(entry, isOwn)),
    ...unclearServers(tree, shape),
    ...switchSpots(tree),
  ]
  return { spots, gatedLaunches }
}

function wholeFile(why: string): Spot {
  return {
    rule: 'CF006',
    at: 0,
    end: 0,
    message: `this file of servers cannot be read: ${why}`,
    subject: '',
  }
}

/** CapFence's own configuration: what it names is started by the gate. No client is known to read it. */
function isOwnConfig(tree: Tree): boolean {
  return memberOf(tree, 'mcpServers') !== undefined && memberOf(tree, 'policies') !== undefined
}

function isOn(entry: ObjectTree): boolean {
  return plain(entry, 'disabled') !== true && plain(entry, 'enabled') !== false
}

function plain(tree: Tree | undefined, name: string): boolean | number | null | undefined {
  const value = memberOf(tree, name)?.value
  return value?.kind === 'other' ? value.value : undefined
}

/** Places where servers are expected, and something stands that may be one but cannot be told. */
function unclearServers(tree: Tree, { servers, isKnown }: ConfigShape): readonly Spot[] {
  if (!isKnown) return []
  return servers.flatMap((way) => {
    const [last] = way.slice(-1)
    const before = way.slice(0, -1)
    const parent = before.reduce<Tree | undefined>((at, name) => memberOf(at, name)?.value, tree)
    const found = memberOf(parent, last ?? '')
    const inner =
      found?.value.kind === 'object' ? found.value.members : found === undefined ? [] : [found]
    return inner
      .filter(({ value }) => value.kind === 'other' && value.value === undefined)
      .map((member) =>
        spotOf('CF006', member, member.name, `\`${member.name}\` cannot be read without doubt`),
      )
  })
}

function entrySpots(entry: Entry, isOwn: boolean): readonly Spot[] {
  const { name, launch, tree } = entry
  const words = launch === undefined ? [] : [launch.command, ...launch.args]
  const isGated = launch !== undefined && startsGate(words)
  const place = placeOf(entry)
  const spots: Spot[] = []
  const say = (rule: RuleId, message: string, member?: TreeMember): void => {
    spots.push(
      spotOf(
        rule,
        member ?? place,
        `${name}${member === undefined ? '' : `.${member.name}`}`,
        message,
      ),
    )
  }
  const url = urlOf(tree)
  if (!isOwn && !isGated) {
    const what = url === undefined ? 'is started' : 'is reached'
    say('CF001', `server \`${name}\` ${what} without a gate`)
    for (const member of approvingMembers(tree))
      say(
        'CF005',
        `\`${member.name}\` lets calls of server \`${name}\` run without a question`,
        member,
      )
  }
  const loose = unpinnedIn(words)
  if (loose !== undefined)
    say('CF003', `server \`${name}\` runs \`${loose}\`, which is no exact version`)
  if (url !== undefined && isPlainHttp(url.value))
    say('CF004', `server \`${name}\` is reached by plain http`, url.member)
  for (const member of secretMembers(tree, launch))
    say('CF002', `\`${member.name}\` of server \`${name}\` holds a secret`, member)
  return spots
}

const urlNames = ['url', 'serverUrl', 'httpUrl', 'uri']

function urlOf(
  tree: ObjectTree,
): { readonly value: string; readonly member: TreeMember } | undefined {
  const inner = memberOf(tree, 'transport')?.value
  for (const at of [tree, inner]) {
    for (const name of urlNames) {
      const member = memberOf(at, name)
      if (member?.value.kind === 'text') return { value: member.value.value, member }
    }
  }
  return undefined
}

/** Where an entry stands: what starts it, or the first thing in it that has a place. */
function placeOf({ launch, tree }: Entry): TreeMember | undefined {
  return (
    launch?.commandMember ??
    urlOf(tree)?.member ??
    tree.members.find(({ slot }) => slot !== undefined)
  )
}

function spotOf(
  rule: RuleId,
  member: TreeMember | undefined,
  subject: string,
  message: string,
): Spot {
  const { start = 0, end = start } = member?.slot ?? {}
  return { rule, at: start, end, message, subject }
}

/** What lets calls run without a question, in the words of the clients that have it. */
function approvingMembers(tree: ObjectTree): readonly TreeMember[] {
  return tree.members.filter(({ name, value }) => {
    if (['autoApprove', 'alwaysAllow', 'auto_approve'].includes(name))
      return value.kind === 'list' ? value.items.length > 0 : !isOff(value)
    if (name === 'trust') return !isOff(value)
    if (name === 'default_tools_approval_mode') return writtenIn(value) === 'approve'
    if (name === 'tools' && value.kind === 'object')
      return value.members.some(
        ({ value: tool }) => writtenIn(memberOf(tool, 'approval_mode')?.value) === 'approve',
      )
    return false
  })
}

function isOff(value: Tree): boolean {
  return value.kind === 'other' && (value.value === false || value.value === null)
}

const namedValues = [
  'env',
  'envs',
  'environment',
  'headers',
  'http_headers',
  'requestInit',
  'auth',
  'oauth',
]

function secretMembers(tree: ObjectTree, launch: EntryLaunch | undefined): readonly TreeMember[] {
  const inner = memberOf(tree, 'transport')?.value
  const found = [tree, inner].flatMap((at) =>
    namedValues.flatMap((name) => secretsUnder(memberOf(at, name)?.value)),
  )
  const words =
    launch === undefined ? [] : launch.isOneList ? [launch.command, ...launch.args] : launch.args
  const holder = launch?.argsMember ?? launch?.commandMember
  if (holder !== undefined && secretArguments(words).length > 0) found.push(holder)
  const url = urlOf(tree)
  if (url !== undefined && hasSecretInUrl(url.value)) found.push(url.member)
  return found
}

function secretsUnder(tree: Tree | undefined): readonly TreeMember[] {
  if (tree?.kind !== 'object') return []
  return tree.members.flatMap((member) => {
    const { name, value } = member
    if (value.kind === 'object') return secretsUnder(value)
    return value.kind === 'text' && isLiteralSecret(name, value.value) ? [member] : []
  })
}
