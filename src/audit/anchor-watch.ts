import { CapFenceError } from '../errors.ts'
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts'
import { isSignedBy, parseNote, type Note, type VerifierKey } from './note.ts'
import { rootOf, type TreeHead } from './tree.ts'

/** A checkpoint of an earlier time, from a place that whoever can write the log cannot. */
export interface LogAnchor {
  /** Where it comes from, for people. */
  readonly name: string
  /** The signed note, with whatever witnesses have added. */
  readonly note: string
}

/** What a log says to an anchor. */
export interface AnchorResult {
  readonly name: string
  /** Records that the log had then; null when the note cannot be read. */
  readonly size: number | null
  /**
   * `holds`: the log still has what it had then; `rolled_back`: it is shorter; `forked`: it is long enough but held
   * something else; `unreadable`: the note is not a signed checkpoint of this log; `unreached`: a record
   * before is bad, or the verification went on from a later size.
   */
  readonly state: 'holds' | 'rolled_back' | 'forked' | 'unreadable' | 'unreached'
}

interface OpenAnchor extends Checkpoint {
  readonly name: string
  readonly parsed: Note
}

/** Compares anchors with a log while it is read. */
export class AnchorWatch {
  readonly #waiting: OpenAnchor[] = []
  readonly #passed: { readonly anchor: OpenAnchor; readonly same: boolean }[] = []
  readonly #earlier: OpenAnchor[] = []
  readonly #unreadable: string[] = []

  constructor(anchors: readonly LogAnchor[]) {
    for (const { name, note } of anchors) {
      const anchor = openAnchor(name, note)
      if (anchor === undefined) this.#unreadable.push(name)
      else this.#waiting.push(anchor)
    }
    this.#waiting.sort((left, right) => left.size - right.size)
  }

  /** Goes on from a tree that was verified before; anchors of smaller ones can no longer be compared. */
  startedAt(tree: TreeHead): void {
    const earlier = this.#waiting.filter(({ size }) => size < tree.size)
    this.#earlier.push(...this.#waiting.splice(0, earlier.length))
    this.reached(tree)
  }

  /** Looks at a tree that has been read so far; to be called for each size, from the smallest. */
  reached(tree: TreeHead): void {
    for (;;) {
      const [anchor] = this.#waiting
      if (anchor === undefined || anchor.size > tree.size) return
      this.#waiting.shift()
      const same = anchor.size === tree.size && rootOf(tree) === anchor.root
      this.#passed.push({ anchor, same })
    }
  }

  /**
   * What became of each anchor, at the end of the log.
   *
   * @param stable the log's key, which must have signed each; undefined when it is not known
   * @param isWhole whether all records were read
   */
  results(stable: VerifierKey | undefined, isWhole: boolean): readonly AnchorResult[] {
    const late = isWhole ? 'rolled_back' : 'unreached'
    return [
      ...this.#unreadable.map((name) => ({ name, size: null, state: 'unreadable' as const })),
      ...this.#passed.map(({ anchor, same }) => result(anchor, stable, same ? 'holds' : 'forked')),
      ...this.#earlier.map((anchor) => result(anchor, stable, 'unreached')),
      ...this.#waiting.map((anchor) => result(anchor, stable, late)),
    ]
  }
}

function result(
  { name, size, origin, parsed }: OpenAnchor,
  stable: VerifierKey | undefined,
  state: AnchorResult['state'],
): AnchorResult {
  const isOurs = stable !== undefined && origin === stable.name && isSignedBy(parsed, stable)
  return { name, size, state: isOurs ? state : 'unreadable' }
}

function openAnchor(name: string, note: string): OpenAnchor | undefined {
  try {
    const parsed = parseNote(note)
    return { name, parsed, ...parseCheckpoint(parsed.text) }
  } catch (error) {
    if (error instanceof CapFenceError) return undefined
    throw error
  }
}
