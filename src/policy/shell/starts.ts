import { isWrapper, needsWords, takers } from './runners.ts'
import type { ShellWord } from './word.ts'

/** Where in a command the names of programs may stand. */
export interface Starts {
  /** The first word, and the words behind programs that run others, by their index. */
  readonly at: ReadonlySet<number>
  /** Whether the command ends where a program, or the text of one, has still to come: `sudo -u root`, `bash -c`. */
  readonly isOpen: boolean
}

/** Options behind which a command stands, as `find` has them. */
const execOption = /^--?(?:exec|ok)(?:dir|-batch)?$/
/** Options behind which the program of an interpreter stands. */
const programOption = /^-[a-z]*[cer]$/i
const question = /^--(?:version|help)$/

/** Finds where programs may stand in a command. */
export function startsIn(words: readonly ShellWord[]): Starts {
  const at = new Set<number>()
  let mayStart = true
  let isBehindOption = false
  let isBehindWrapper = false
  let taken = 0
  for (const [index, { program, written, head }] of words.entries()) {
    const isHere = mayStart && !/^[\w.-]+=/.test(written)
    if (isHere) at.add(index)
    const isExec = execOption.test(head)
    const isOption = head.startsWith('-') || written.includes('=')
    if (isExec || (program !== undefined && isWrapper(program))) {
      mayStart = true
      isBehindWrapper ||= isHere || isExec
      taken = takers.has(program ?? '') ? 1 : 0
    } else if (mayStart && !isOption && !isBehindOption) {
      // Behind an option its value may stand, and the program only then.
      mayStart = taken > 0
      taken = 0
    }
    isBehindOption = isOption
  }
  const isAsked = words.some(({ written }) => question.test(written))
  return { at, isOpen: !isAsked && ((mayStart && isBehindWrapper) || endsOpen(words)) }
}

/** Whether an interpreter or the like has no words at all, or none behind the option that asks for a program. */
function endsOpen([first, ...rest]: readonly ShellWord[]): boolean {
  if (first?.program === undefined || !needsWords(first.program)) return false
  const last = rest.at(-1)
  return last === undefined || (programOption.test(last.written) && rest.length === 1)
}
