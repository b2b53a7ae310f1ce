import type { Truth } from '../answer.ts'
import { foldText, isPlain } from '../fold.ts'
import { compileGlob } from '../glob.ts'
import { anyOf } from '../truth.ts'
import { flagTest } from './flags.ts'
import type { FlagTest } from './flags.ts'
import type { ShellReading } from './reading.ts'
import { gatherers } from './runners.ts'
import type { ShellCommand } from './script.ts'
import { plainWord } from './word.ts'
import type { ShellWord } from './word.ts'

/** A command that a guard looks for. */
export interface WantedCommand {
  /** Whether a program may be it; its name may hold `*`. */
  readonly isProgram: (program: string) => boolean
  /** Folded, as it stands in a program text of another language; empty when it holds `*`. */
  readonly name: string
  /** What has to stand among its arguments, in this order. */
  readonly operands: readonly string[]
  readonly flags: readonly FlagTest[]
}

/** Prepares the search for `git push` with `force`. */
export function wantedCommand(written: string, flags: readonly string[]): WantedCommand {
  const [first = '', ...operands] = written.split(/\s+/).map((word) => foldText(word) ?? word)
  return {
    isProgram: compileGlob(first),
    name: first.replaceAll('*', ''),
    operands,
    flags: flags.map(flagTest),
  }
}

/** Whether a text may run one of the commands: false only if nothing in it can. */
export function mayRun(reading: ShellReading, wanted: readonly WantedCommand[]): Truth {
  const { commands, programs, isSound } = reading
  let truth: Truth = isSound ? 'false' : 'indeterminate'
  for (const one of wanted) {
    const values = commands.map((command) => commandTruth(command, one))
    const found = anyOf(values)
    if (found === 'true') return 'true'
    const isNamed = programs.some((text) => mentions(text, one.name))
    if (found === 'indeterminate' || isNamed) truth = 'indeterminate'
  }
  return truth
}

/**
 * Whether a command, or any that it may start with the words behind its own, is the wanted one.
 *
 * One that is run with no words at all at the end of a text may be: they may stand in another argument of the call.
 * Goes through the words once from the right and keeps what stands among those that it has seen.
 */
function commandTruth({ words, isLast, starts }: ShellCommand, wanted: WantedCommand): Truth {
  const gatherer = words.findIndex(({ program }) => program !== undefined && gatherers.has(program))
  const seen = new SeenWords(wanted)
  let truth: Truth = 'false'
  for (let at = words.length - 1; at >= 0; at -= 1) {
    const word = words[at]
    if (word === undefined) continue
    const { program, text = '' } = word
    // A text behind a shell is no name; what it holds is read for itself.
    const isText = at > 0 && /[ \t\n]/.test(text)
    if (program === undefined ? starts.at.has(at) && !isText : wanted.isProgram(program)) {
      const value = program === undefined ? 'indeterminate' : seen.value
      if (value === 'true') return 'true'
      const mayGather = gatherer !== -1 && gatherer < at
      const mayGoOn = isLast && at === words.length - 1 && starts.at.has(at)
      if (value === 'indeterminate' || mayGather || mayGoOn) truth = 'indeterminate'
    }
    seen.add(word)
  }
  return truth
}

/**
 * Whether the last command of a text is the wanted one once words of other arguments are written to it, in any order.
 */
export function mayRunWithMore(
  { commands }: ShellReading,
  wanted: WantedCommand,
  added: AddedWords,
): boolean {
  return commands.some(({ words, isLast }) => isLast && isMetWith(words, wanted, added))
}

/** Whether a program, named by itself, is the wanted one when it is given these words, in any order. */
export function isRunWith(program: string, wanted: WantedCommand, added: AddedWords): boolean {
  return isMetWith(program.trim().split(/\s+/).map(plainWord), wanted, added)
}

function isMetWith(words: readonly ShellWord[], wanted: WantedCommand, added: AddedWords): boolean {
  const seen = new SeenWords(wanted)
  return words.toReversed().some((word) => {
    const isIt = word.program !== undefined && wanted.isProgram(word.program)
    if (isIt && seen.isMetWith(added)) return true
    seen.add(word)
    return false
  })
}

/** Words for a command of which it is not known where they will stand. */
export class AddedWords {
  readonly #seen: SeenWords
  readonly #folded: ReadonlySet<string>

  constructor(wanted: WantedCommand, texts: readonly string[]) {
    this.#seen = new SeenWords(wanted)
    for (const text of texts) this.#seen.add({ text, head: text })
    this.#folded = new Set(texts.map((text) => foldText(text) ?? text))
  }

  /** Whether one of them sets a flag of the command, by its index. */
  setsFlag(index: number): boolean {
    return this.#seen.hasFlag(index)
  }

  /** Whether an operand of the command is among them. */
  has(operand: string): boolean {
    return this.#folded.has(operand)
  }
}

class SeenWords {
  readonly #wanted: WantedCommand
  readonly #flags: boolean[]
  #operands: number
  #hasUnknown = false

  constructor(wanted: WantedCommand) {
    this.#wanted = wanted
    this.#flags = wanted.flags.map(() => false)
    this.#operands = wanted.operands.length
  }

  /** Whether everything that is asked of the arguments stands among the words. */
  get value(): Truth {
    if (this.#operands === 0 && !this.#flags.includes(false)) return 'true'
    return this.#hasUnknown ? 'indeterminate' : 'false'
  }

  hasFlag(index: number): boolean {
    return this.#flags[index] === true
  }

  /** Whether it stands there once other words stand among these. */
  isMetWith(added: AddedWords): boolean {
    const missing = this.#wanted.operands.slice(0, this.#operands)
    return (
      missing.every((operand) => added.has(operand)) &&
      this.#flags.every((isSet, index) => isSet || added.setsFlag(index))
    )
  }

  add({ text, head }: Pick<ShellWord, 'text' | 'head'>): void {
    const { flags, operands } = this.#wanted
    if (text === undefined) {
      // A word that surely begins with a letter is no flag; only an operand could be meant.
      const isOperand = head !== '' && !/^[/-]/.test(head)
      if (!isOperand || this.#operands > 0) this.#hasUnknown = true
      return
    }
    const folded = foldText(text)
    flags.forEach((test, index) => {
      // The case of a flag counts, but for letters that only look like these.
      const isSet = test(text) || (!isPlain(text) && folded !== undefined && test(folded))
      if (isSet) this.#flags[index] = true
    })
    const next = operands[this.#operands - 1]
    if (next !== undefined && folded === next) this.#operands -= 1
  }
}

/** Whether a program text holds a name as a word of its own. */
function mentions(text: string, name: string): boolean {
  if (name === '') return true
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    if (!isWordUnit(text[at - 1]) && !isWordUnit(text[at + name.length])) return true
  }
  return false
}

function isWordUnit(unit: string | undefined): boolean {
  return unit !== undefined && /[\p{L}\p{N}_]/u.test(unit)
}
