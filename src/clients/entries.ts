import type { FileFormat } from './table.ts'
import { readJson } from './json-tree.ts'
import type { ObjectTree, Tree, TreeMember, Written } from './tree.ts'
import { memberOf, writtenIn } from './tree.ts'

/** A server as a client's file names it. */
export interface Entry {
  /** Its key, which permissions and habits hang on. */
  readonly name: string
  /** The names on the way to it. */
  readonly at: readonly string[]
  /** Undefined when it is not a program that is started with arguments. */
  readonly launch: EntryLaunch | undefined
  /** Why there is none, or why it cannot be changed, for people; undefined when nothing stands in the way. */
  readonly obstacle: string | undefined
  /** All that the file says of it. */
  readonly tree: ObjectTree
}

/** What starts a server. */
export interface EntryLaunch {
  /** Whether command and arguments stand in one list. */
  readonly isOneList: boolean
  readonly command: string
  readonly args: readonly string[]
  /** The member that holds the command, and in one list the arguments too. */
  readonly commandMember: TreeMember
  /** Undefined when it has no arguments, and in one list. */
  readonly argsMember: TreeMember | undefined
}

/** Reads a file of a format. Formats that not everybody has are loaded when they are met. */
export async function readTree(format: FileFormat, text: string): Promise<Tree> {
  if (format === 'json') return readJson(text)
  if (format === 'toml') return (await import('./toml-tree.ts')).readToml(text)
  return (await import('./yaml-tree.ts')).readYaml(text)
}

/** Where a file has its servers. */
export interface ServersPlace {
  readonly servers: readonly (readonly string[])[]
  readonly isList?: boolean | undefined
}

/** Every server that a file names, in its order. */
export function entriesOf(tree: Tree, { servers, isList = false }: ServersPlace): readonly Entry[] {
  return servers.flatMap((way) =>
    follow(tree, way, []).flatMap(([at, found]) => (isList ? listed(found, at) : named(found, at))),
  )
}

/** What stands at the end of a way; several with `*`. */
function follow(
  tree: Tree | undefined,
  way: readonly string[],
  at: readonly string[],
): readonly (readonly [readonly string[], Tree])[] {
  const [name, ...rest] = way
  if (tree === undefined) return []
  if (name === undefined) return [[at, tree]]
  if (name !== '*') return follow(memberOf(tree, name)?.value, rest, [...at, name])
  return tree.kind === 'object'
    ? tree.members.flatMap((member) => follow(member.value, rest, [...at, member.name]))
    : []
}

function named(tree: Tree, at: readonly string[]): readonly Entry[] {
  if (tree.kind !== 'object') return []
  return tree.members.flatMap(({ name, value }) =>
    value.kind === 'object' && looksLikeServer(value) ? [entryOf(name, value, [...at, name])] : [],
  )
}

function listed(tree: Tree, at: readonly string[]): readonly Entry[] {
  if (tree.kind !== 'list') return []
  return tree.items.flatMap((item) => {
    const name = writtenIn(memberOf(item, 'name')?.value)
    return item.kind === 'object' && typeof name === 'string' && looksLikeServer(item)
      ? [entryOf(name, item, [...at, name])]
      : []
  })
}

const launchNames = ['command', 'cmd', 'transport', 'url', 'serverUrl', 'httpUrl', 'uri'] as const

function looksLikeServer(tree: ObjectTree): boolean {
  return launchNames.some((name) => memberOf(tree, name) !== undefined)
}

function entryOf(name: string, tree: ObjectTree, at: readonly string[]): Entry {
  const launch = launchOf(tree)
  return {
    name,
    at,
    launch,
    obstacle: launch === undefined ? withoutLaunch(tree) : variablesIn(launch),
    tree,
  }
}

function launchOf(tree: ObjectTree): EntryLaunch | undefined {
  const command = memberOf(tree, 'command')
  const inner = memberOf(tree, 'transport')?.value
  return (
    fromList(command) ??
    fromPair(command, tree) ??
    fromPair(memberOf(tree, 'cmd'), tree) ??
    fromPair(memberOf(inner, 'command'), inner) ??
    fromPair(memberOf(command?.value, 'path'), command?.value)
  )
}

function fromList(member: TreeMember | undefined): EntryLaunch | undefined {
  const argv = writtenIn(member?.value)
  if (member === undefined || argv === undefined || typeof argv === 'string') return undefined
  const [command, ...args] = argv
  return command === undefined
    ? undefined
    : { isOneList: true, command, args, commandMember: member, argsMember: undefined }
}

/** A command, and the `args` beside it. */
function fromPair(
  commandMember: TreeMember | undefined,
  tree: Tree | undefined,
): EntryLaunch | undefined {
  const command = writtenIn(commandMember?.value)
  if (commandMember === undefined || typeof command !== 'string' || command === '') return undefined
  const argsMember = memberOf(tree, 'args')
  const args: Written | undefined = argsMember === undefined ? [] : writtenIn(argsMember.value)
  if (args === undefined || typeof args === 'string') return undefined
  return { isOneList: false, command, args, commandMember, argsMember }
}

function withoutLaunch(tree: ObjectTree): string {
  const isRemote = ['url', 'serverUrl', 'httpUrl', 'uri'].some(
    (name) => memberOf(tree, name) !== undefined,
  )
  return isRemote
    ? 'it is reached by a URL, and this version stands before programs'
    : 'how it is started cannot be read without doubt'
}

/** What the client fills in before it starts a program, CapFence would not. */
function variablesIn({ command, args }: EntryLaunch): string | undefined {
  const found = [command, ...args].find((text) => /\$\{|\$\w|%\w+%/.test(text))
  return found === undefined
    ? undefined
    : `the client fills in \`${found}\`: write the value itself there`
}
