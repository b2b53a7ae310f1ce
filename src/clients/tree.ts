/** A client's file as objects, lists and texts, whatever format it is written in; offsets are those of its text. */
export type Tree = ObjectTree | ListTree | TextTree | OtherTree

/** Names and values. */
export interface ObjectTree {
  readonly kind: 'object'
  /** In the file's order. */
  readonly members: readonly TreeMember[]
}

/** A list of values. */
export interface ListTree {
  readonly kind: 'list'
  readonly items: readonly Tree[]
}

/** A text, its escapes resolved. */
export interface TextTree {
  readonly kind: 'text'
  readonly value: string
}

/** Anything else: `value` where it is a plain one, undefined where it cannot be told apart from what it stands for. */
export interface OtherTree {
  readonly kind: 'other'
  readonly value: boolean | number | null | undefined
}

/** One name of an object, and how what stands behind it is written anew. */
export interface TreeMember {
  readonly name: string
  readonly value: Tree
  /** What is replaced when another value is put there; undefined where that is in more than one place. */
  readonly slot: Slot | undefined
  /** Puts another member right behind this one, as text for the place where the slot ends. */
  readonly behind: (name: string, value: Written) => string
}

/** A piece of a file's text. */
export interface Slot {
  readonly start: number
  readonly end: number
  /** The text that stands there when it holds this value. */
  readonly print: (value: Written) => string
}

/** The values that are written into clients' files. */
export type Written = string | readonly string[]

/** A place in a file whose text is replaced. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Why a client's file cannot be read; the message is for people. */
export class UnreadableFile extends Error {}

/** A member by its name; undefined when it is not there, or written more than once: programs take the one or the other. */
export function memberOf(tree: Tree | undefined, name: string): TreeMember | undefined {
  if (tree?.kind !== 'object') return undefined
  const found = tree.members.filter((member) => member.name === name)
  return found.length === 1 ? found[0] : undefined
}

/** A text, or the texts of a list; undefined when it is neither. */
export function writtenIn(tree: Tree | undefined): Written | undefined {
  if (tree?.kind === 'text') return tree.value
  if (tree?.kind !== 'list') return undefined
  const texts = tree.items.flatMap((item) => (item.kind === 'text' ? [item.value] : []))
  return texts.length === tree.items.length ? texts : undefined
}

/** The text with the edits made; they must not touch each other. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let done = ''
  let at = 0
  for (const edit of edits.toSorted((one, other) => one.start - other.start)) {
    done += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return done + text.slice(at)
}

/** How lines end in a text: as most of them do. */
export function lineEnd(text: string): string {
  const all = text.split('\n').length - 1
  const windows = text.split('\r\n').length - 1
  return windows * 2 > all ? '\r\n' : '\n'
}
