import { resolve } from 'node:path'
import type { Read } from './read.ts'
import { flag, oneOf, Section, shownText, wholeNumber } from './read.ts'
import { bounds, heldChoices } from './vocabulary.ts'
import type { HeldChoice } from './vocabulary.ts'

/** What of the servers' definitions is pinned, and how. */
export interface LockConfig {
  /** The file, an absolute path; there may be none. */
  readonly file: string
  /** Whether the gate starts only with it. */
  readonly required: boolean
  /** What becomes of a definition that nobody has accepted, in `observe` mode; in `enforce` mode it is always held. */
  readonly inObserve: HeldChoice
  /** How often the tools of running servers are listed again. */
  readonly relistMinutes: number
}

/** Its name beside the configuration. */
const lockName = 'capfence.lock'

/** What holds where the configuration says nothing. */
export function defaultLock(folder: string): LockConfig {
  return { file: resolve(folder, lockName), required: false, inObserve: 'hold', relistMinutes: 5 }
}

/** Reads `lock`; a relative path in it is relative to `folder`. */
export function lockIn(folder: string): Read<LockConfig> {
  return (node, place) => {
    const section = Section.read(node, place, ['file', 'required', 'inObserve', 'relistMinutes'])
    if (section === undefined) return undefined
    const usual = defaultLock(folder)
    const file = section.optional('file', shownText(bounds.maxPathCharacters), undefined)
    const minutes = wholeNumber({ min: 1, max: bounds.maxRelistMinutes })
    return {
      file: file === undefined ? usual.file : resolve(folder, file),
      required: section.optional('required', flag, usual.required),
      inObserve: section.optional('inObserve', oneOf(heldChoices), usual.inObserve),
      relistMinutes: section.optional('relistMinutes', minutes, usual.relistMinutes),
    }
  }
}
