import type { Entry, EntryLaunch } from './entries.ts'
import type { Edit, TreeMember } from './tree.ts'

/** What starts a program. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
}

/** A piece of a file that was changed, with what stood there before. */
export interface Change {
  readonly part: 'command' | 'args'
  /** As it was written; empty where nothing was. */
  readonly before: string
  readonly after: string
}

/** How an entry becomes another, and how it becomes itself again. */
export interface Rewrite {
  readonly edits: readonly Edit[]
  readonly changes: readonly Change[]
}

/**
 * Puts another program in the place of a server's, and leaves every other byte of the file as it is.
 *
 * @returns undefined when the entry cannot be written anew in one place
 */
export function rewrite(text: string, entry: Entry, launch: Launch): Rewrite | undefined {
  const found = entry.launch
  const slot = found?.commandMember.slot
  if (found === undefined || slot === undefined) return undefined
  const { command, args } = launch
  if (found.isOneList) {
    const after = slot.print([command, ...args])
    return rewriteOf(text, [{ part: 'command', start: slot.start, end: slot.end, after }])
  }
  const first = {
    part: 'command',
    start: slot.start,
    end: slot.end,
    after: slot.print(command),
  } as const
  const argsSlot = found.argsMember?.slot
  if (found.argsMember !== undefined && argsSlot === undefined) return undefined
  const second =
    argsSlot === undefined
      ? { start: slot.end, end: slot.end, after: found.commandMember.behind('args', args) }
      : { start: argsSlot.start, end: argsSlot.end, after: argsSlot.print(args) }
  return rewriteOf(text, [first, { part: 'args', ...second }])
}

type Planned = Pick<Change, 'part' | 'after'> & Pick<Edit, 'start' | 'end'>

function rewriteOf(text: string, planned: readonly Planned[]): Rewrite {
  return {
    edits: planned.map(({ start, end, after }) => ({ start, end, text: after })),
    changes: planned.map(({ part, start, end, after }) => ({
      part,
      before: text.slice(start, end),
      after,
    })),
  }
}

/**
 * Puts back what stood there before.
 *
 * Where somebody has written the same values in another way meanwhile, the values are put back; everything else that was
 * changed stays.
 *
 * @returns undefined when the entry is not what it was changed to
 */
export function restore(
  text: string,
  entry: Entry,
  changes: readonly Change[],
  launches: { readonly before: Launch; readonly after: Launch },
): readonly Edit[] | undefined {
  const { launch } = entry
  if (launch === undefined) return undefined
  const exact = exactly(text, launch, changes)
  if (exact !== undefined) return exact
  return isLaunch(launch, launches.after) ? rewrite(text, entry, launches.before)?.edits : undefined
}

/** Every change is there as it was written. */
function exactly(
  text: string,
  launch: EntryLaunch,
  changes: readonly Change[],
): readonly Edit[] | undefined {
  const edits: Edit[] = []
  for (const change of changes) {
    const { part, before, after } = change
    const member = part === 'command' ? launch.commandMember : launch.argsMember
    const start = startOf(launch, member, change)
    if (start === undefined || text.slice(start, start + after.length) !== after) return undefined
    edits.push({ start, end: start + after.length, text: before })
  }
  return edits
}

function startOf(
  launch: EntryLaunch,
  member: TreeMember | undefined,
  { part, before }: Change,
): number | undefined {
  // What was put behind the command is still there.
  if (part === 'args' && before === '') return launch.commandMember.slot?.end
  return member?.slot?.start
}

/** Whether an entry starts exactly this. */
export function isLaunch({ command, args }: Launch, other: Launch): boolean {
  return (
    command === other.command &&
    args.length === other.args.length &&
    args.every((arg, index) => arg === other.args[index])
  )
}
