import { canonicalizeExact } from '../json/canonical.ts'
import { isJsonArray, isJsonObject } from '../json/value.ts'
import type { JsonValue } from '../json/value.ts'
import type { Definition } from './definition.ts'
import { lockedLists } from './lock-file.ts'
import type { Launch, LockedList, LockedServer } from './lock-file.ts'
import type { PinnedKind } from './pins.ts'
import { isSameLaunch } from './pins.ts'

/** One field that is another than the accepted one. */
export interface FieldChange {
  /** A JSON Pointer into the definition; empty for all of it. */
  readonly path: string
  /** What was accepted, as JSON; undefined when there was nothing. */
  readonly before: string | undefined
  /** What is there now, as JSON; undefined when there is nothing. */
  readonly after: string | undefined
}

/** Something of a server that is not as it was accepted. */
export interface LockChange {
  readonly server: string
  readonly kind: PinnedKind | 'launch'
  /** Empty for what a server has once. */
  readonly name: string
  readonly change: 'added' | 'changed' | 'removed'
  /** Hex SHA-256 of the accepted definition; undefined for none, and for a launch. */
  readonly before: string | undefined
  readonly after: string | undefined
  readonly fields: readonly FieldChange[]
}

const kindOfList: Readonly<Record<LockedList, PinnedKind>> = {
  tools: 'tool',
  prompts: 'prompt',
  resourceTemplates: 'resource template',
}

const prefixOfKind: Readonly<Record<LockChange['kind'], string>> = {
  tool: '',
  prompt: 'prompt:',
  'resource template': 'template:',
  instructions: 'instructions:',
  launch: 'launch:',
}

/** What somebody types to accept it, behind the server's name and a slash. */
export function labelOf({ kind, name }: Pick<LockChange, 'kind' | 'name'>): string {
  return prefixOfKind[kind] + name
}

/** What of a server is not as it was accepted; everything, where nothing was. */
export function serverChanges(
  before: LockedServer | undefined,
  after: LockedServer,
): readonly LockChange[] {
  const server = after.name
  const said = (one: LockedServer | undefined): readonly Definition[] =>
    one?.instructions === undefined ? [] : [one.instructions]
  return [
    ...launchChange(server, before?.launch, after.launch),
    ...definitionChanges(server, 'instructions', said(before), said(after)),
    ...lockedLists.flatMap((list) =>
      definitionChanges(server, kindOfList[list], before?.[list] ?? [], after[list]),
    ),
  ]
}

/** Whether a server is started or reached in another way than was accepted. */
export function launchChange(
  server: string,
  before: Launch | undefined,
  after: Launch | undefined,
): readonly LockChange[] {
  if (before !== undefined && after !== undefined && isSameLaunch(before, after)) return []
  const change = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed'
  const fields = fieldChanges(plain(before), plain(after), '')
  return [{ server, kind: 'launch', name: '', change, before: undefined, after: undefined, fields }]
}

function definitionChanges(
  server: string,
  kind: PinnedKind,
  before: readonly Definition[],
  after: readonly Definition[],
): readonly LockChange[] {
  const accepted = new Map(before.map((one) => [one.name, one]))
  const now = new Map(after.map((one) => [one.name, one]))
  const names = [...new Set([...accepted.keys(), ...now.keys()])].toSorted()
  return names.flatMap((name): readonly LockChange[] => {
    const [old, fresh] = [accepted.get(name), now.get(name)]
    if (old?.sha256 === fresh?.sha256) return []
    const change = old === undefined ? 'added' : fresh === undefined ? 'removed' : 'changed'
    const digests = { before: old?.sha256, after: fresh?.sha256 }
    return [{ server, kind, name, change, ...digests, fields: fieldsOf(old, fresh) }]
  })
}

/** A definition that can be read in two ways is compared as a text. */
function fieldsOf(
  old: Definition | undefined,
  fresh: Definition | undefined,
): readonly FieldChange[] {
  const isText = [old, fresh].some((one) => one !== undefined && one.value === undefined)
  if (!isText) return fieldChanges(old?.value, fresh?.value, '')
  const text = (one: Definition | undefined): string | undefined => one && JSON.stringify(one.text)
  return [{ path: '', before: text(old), after: text(fresh) }]
}

function fieldChanges(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  path: string,
): readonly FieldChange[] {
  const [old, fresh] = [membersOf(before), membersOf(after)]
  const isOpen =
    (old !== undefined || before === undefined) && (fresh !== undefined || after === undefined)
  if (isOpen && (old !== undefined || fresh !== undefined)) {
    const names = [...new Set([...(old?.keys() ?? []), ...(fresh?.keys() ?? [])])]
    return names.flatMap((name) =>
      fieldChanges(old?.get(name), fresh?.get(name), `${path}/${pointerName(name)}`),
    )
  }
  const [oldText, freshText] = [textOf(before), textOf(after)]
  return oldText === freshText ? [] : [{ path, before: oldText, after: freshText }]
}

/** The parts that are compared one by one; undefined for what is compared as a whole. */
function membersOf(value: JsonValue | undefined): ReadonlyMap<string, JsonValue> | undefined {
  if (isJsonObject(value)) {
    const members = Object.entries(value)
    return members.length === 0 ? undefined : new Map(members)
  }
  if (!isJsonArray(value)) return undefined
  const isPlain = value.every((item) => !isJsonObject(item) && !isJsonArray(item))
  return isPlain ? undefined : new Map(value.map((item, index) => [String(index), item]))
}

function textOf(value: JsonValue | undefined): string | undefined {
  return value === undefined ? undefined : canonicalizeExact(value)
}

function pointerName(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** A launch holds texts only, so it is a JSON value as it stands. */
function plain(launch: Launch | undefined): JsonValue | undefined {
  return launch && { ...launch }
}
