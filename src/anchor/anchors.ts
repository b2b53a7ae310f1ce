import type { AnchorFacts } from '../audit/log-drafts.ts'
import { Growth } from '../audit/growth.ts'
import { appendLeaf, emptyTree, type TreeHead } from '../audit/tree.ts'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { CosignerKey } from '../audit/cosignature.ts'
import { execAnchor, type Command, type SignedCheckpoint } from './exec.ts'
import type { NoteFolder } from './note-folder.ts'
import { askWitness } from './witness-client.ts'

/** Where a checkpoint of the log is left, out of reach of whoever can change the log. */
export type Anchor =
  | { readonly kind: 'exec'; readonly name: string; readonly command: Command }
  | {
      readonly kind: 'witness'
      readonly name: string
      /** Without a slash at its end. */
      readonly url: string
      readonly key: CosignerKey
    }

/** The log, as far as anchors need it. */
export interface AnchoredLog {
  /**
   * The newest signed head.
   *
   * A power cut must not take it back: what is outside already cannot be (AUDIT.md, "Order and durability", rule 4).
   */
  head(): Promise<SignedCheckpoint>
  /** Leaves from an index on, hex, at least one and at most `count`. */
  leaves(from: number, count: number): Promise<readonly string[]>
  /** Notes what became of an anchor. */
  record(facts: AnchorFacts): Promise<void>
}

/** What anchoring needs of its process. */
export interface AnchorPlace {
  /** Where commands run, absolute. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where cosigned notes are kept. */
  readonly notes: NoteFolder
  readonly nowMs: () => number
  /** Ends what is under way. */
  readonly stopped: AbortSignal
}

/** What became of an anchor; `size` and `root` are null when the log itself could not be read. */
export interface AnchorResult {
  readonly kind: Anchor['kind']
  readonly name: string
  readonly size: number | null
  readonly root: string | null
  /** Why it failed, safe to print; null when it did not. */
  readonly error: string | null
  readonly hint: string | undefined
}

/** Leaves that are read at a time. */
const pageLeaves = 1000
/** Trees of earlier sizes that are remembered, count: one for each witness is enough. */
const maxTrees = limits.maxAnchors

/** Hands checkpoints of one log to its anchors, and leaves a record of each. */
export class Anchors {
  readonly #log: AnchoredLog
  readonly #place: AnchorPlace
  /** By size: what the next proof can go on from. */
  readonly #trees = new Map<number, TreeHead>([[0, emptyTree]])

  constructor(log: AnchoredLog, place: AnchorPlace) {
    this.#log = log
    this.#place = place
  }

  /** Anchors the newest checkpoint; never throws, because a failure is a result: said, and recorded if that is possible. */
  async run(anchor: Anchor): Promise<AnchorResult> {
    let head: SignedCheckpoint | undefined
    try {
      head = await this.#log.head()
      const reached = await this.#reach(anchor, head)
      return await this.#noted(anchor, reached, undefined)
    } catch (error) {
      return this.#noted(anchor, head, error)
    }
  }

  /** @returns the checkpoint that was anchored, which may be a newer one */
  async #reach(anchor: Anchor, head: SignedCheckpoint): Promise<SignedCheckpoint> {
    const { folder, environment, notes, nowMs, stopped } = this.#place
    if (anchor.kind === 'exec') {
      const timeoutMs = limits.maxAnchorMs
      await execAnchor(anchor.command, head, { folder, environment, timeoutMs, stopped })
      return head
    }
    let newest = head
    const { note } = await askWitness(anchor, {
      head: async () => {
        newest = await this.#log.head()
        const { size } = newest
        return { ...newest, proveFrom: (fromSize) => this.#prove(fromSize, size) }
      },
      knownSize: notes.sizeOf(anchor.key),
      nowMs,
      timeoutMs: limits.maxWitnessMs,
      stopped,
    })
    notes.keep(anchor.key, note)
    return newest
  }

  async #prove(fromSize: number, toSize: number): Promise<readonly string[]> {
    const growth = new Growth(await this.#treeAt(fromSize), toSize)
    await this.#eachLeaf(fromSize, toSize, (leaf) => growth.push(leaf))
    this.#remember(growth.tree)
    return growth.proof()
  }

  async #treeAt(size: number): Promise<TreeHead> {
    const sizes = Array.from(this.#trees.keys()).filter((known) => known <= size)
    let tree = this.#trees.get(Math.max(...sizes)) ?? emptyTree
    await this.#eachLeaf(tree.size, size, (leaf) => (tree = appendLeaf(tree, leaf)))
    return tree
  }

  async #eachLeaf(from: number, to: number, take: (leaf: string) => void): Promise<void> {
    for (let at = from; at < to;) {
      // oxlint-disable-next-line no-await-in-loop -- a page at a time, so that a long log fits into memory
      const leaves = await this.#log.leaves(at, Math.min(pageLeaves, to - at))
      if (leaves.length === 0) {
        throw new CapFenceError('AUDIT_CORRUPT', `the log has no record ${at}, though it is longer`)
      }
      leaves.forEach(take)
      at += leaves.length
    }
  }

  #remember(tree: TreeHead): void {
    this.#trees.set(tree.size, tree)
    const [, oldest] = this.#trees.keys()
    if (this.#trees.size > maxTrees && oldest !== undefined) this.#trees.delete(oldest)
  }

  async #noted(
    { kind, name }: Anchor,
    head: SignedCheckpoint | undefined,
    error: unknown,
  ): Promise<AnchorResult> {
    const result = { kind, name, size: head?.size ?? null, root: head?.root ?? null }
    const failure = error === undefined ? { error: null, hint: undefined } : failureOf(error)
    if (head === undefined) return { ...result, ...failure }
    const { size, root } = head
    try {
      await this.#log.record({ kind, name, size, root, error: failure.error })
      return { ...result, ...failure }
    } catch (notRecorded) {
      const { error: why, hint } = failureOf(notRecorded)
      const what = failure.error === null ? 'it was anchored' : failure.error
      return { ...result, error: bounded(`${what}; no record of that: ${why}`), hint }
    }
  }
}

function failureOf(error: unknown): { readonly error: string; readonly hint: string | undefined } {
  if (!(error instanceof CapFenceError)) throw error
  return { error: bounded(error.message), hint: error.hint }
}

/** Commands and witnesses say what they like: the record holds a little of it, and nothing that moves a cursor. */
function bounded(text: string): string {
  const shown = text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
  })
  const characters = Array.from(shown)
  if (characters.length <= limits.maxAnchorErrorCharacters) return shown
  return `${characters.slice(0, limits.maxAnchorErrorCharacters - 1).join('')}…`
}
