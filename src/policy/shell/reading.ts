import { limits } from '../../limits.ts'
import { foldText } from '../fold.ts'
import type { Parsing } from '../parsing.ts'
import { harmlessStart, isHarmlessWith } from './harmless.ts'
import { gatherers, isInterpreter, isReader, isShell, schedulers } from './runners.ts'
import { commandsIn } from './script.ts'
import type { ShellCommand } from './script.ts'
import { startsIn } from './starts.ts'
import { plainWord } from './word.ts'
import type { ShellWord } from './word.ts'

/** Everything that a text may make a shell run, as a guard has to see it. */
export interface ShellReading {
  /** Also those in texts that other commands are told to run. */
  readonly commands: readonly ShellCommand[]
  /** Texts in other languages that interpreters are told to run, folded. */
  readonly programs: readonly string[]
  /** Whether nothing runs that is not here, as far as the text decides it. */
  readonly isSound: boolean
}

/** Of a text that no parser could read, alone or with all others of the call. */
export const unreadable: ShellReading = { commands: [], programs: [], isSound: false }

/** Reads a command line. */
export function readCommandLine(text: string, parsing: Parsing | undefined): ShellReading {
  const script = commandsIn(text, parsing)
  if (script === undefined) return unreadable
  const reader = new Reader(script.isSound, parsing)
  reader.all(script.commands)
  return reader
}

/** Reads a command that is given as a list of its words. */
export function readWords(words: readonly string[], parsing: Parsing | undefined): ShellReading {
  if (charactersOf(words) > limits.maxShellBytes) return unreadable
  if (parsing?.takeCommand(words.length) === false) return unreadable
  const reader = new Reader(true, parsing)
  if (words.length > 0) {
    const all = words.map(plainWord)
    reader.all([{ words: all, settings: [], inputs: [], isLast: true, starts: startsIn(all) }])
  }
  // A server may join the words and give them to a shell, which finds more in them, or a quote that is never closed.
  const joined = commandsIn(words.join(' '), parsing)
  if (joined?.isSound === true) reader.all(joined.commands)
  return reader
}

function charactersOf(words: readonly string[]): number {
  return words.reduce((sum, word) => sum + word.length + 1, 0)
}

/** What the text of a command line has and a plain word has not. */
const scriptLike = /[\s;&|<>()$`'"\\{}]/
/** All texts inside of texts together, characters for each one of the longest text. */
const maxNested = 4
/** What a text costs however short it is, characters. */
const textCost = 32
/** Texts inside of texts, levels. */
const maxDepth = 8
/** `-c` of shells alone or with others, `/c` of Windows, `-Command` of PowerShell. */
const commandOption = /^(?:-[a-z]*c|[/-][ckr]\b|--?com)/i
/** `-s` of shells. */
const inputOption = /^-[a-z]*s/i
/** Options, settings and words behind which many programs take a command: `-c`, `--exec`, `core.pager`, `foreach`. */
const runningOption =
  /^(?:-[a-z]*[cx]|foreach|(?:-|[\w-]+\.)\S*(?:exec|command|cmd|shell|pager|editor|filter|hook|program|pre|preview|askpass|rsh|action|proxy))$/i
const encodedOption = /^[/-]e(?:c|nc\w*)?$/i

class Reader implements ShellReading {
  readonly commands: ShellCommand[] = []
  readonly programs: string[] = []
  isSound: boolean
  readonly #parsing: Parsing | undefined
  #nestedCharacters = 0
  #depth = 0

  constructor(isSound: boolean, parsing: Parsing | undefined) {
    this.isSound = isSound
    this.#parsing = parsing
  }

  all(commands: readonly ShellCommand[]): void {
    for (const command of commands) this.#command(command)
  }

  #command(command: ShellCommand): void {
    const { words, settings, isLast } = command
    this.commands.push(command)
    const { isOpen } = command.starts
    // What is to be run may stand in another argument.
    if (isOpen && isLast) this.#known(false)
    // A variable may hold a command for later, or words that are none.
    const isAlias = words[0]?.program === 'alias'
    for (const text of settings) {
      if (text === undefined) continue
      if (isAlias) this.#nested(text, 'quiet')
      else this.#text(text, 'quiet')
    }
    this.#options(words)
    this.#behind(words, isReader, (rest) => this.#reader(command, rest, isOpen))
    this.#behind(words, isShell, (rest) => this.#shell(command, rest))
    this.#behind(words, isEvaluator, (rest) => this.#known(rest.every(hasText)))
    this.#behind(words, isInterpreter, (rest) => this.#interpreter(command, rest))
    const [first, ...rest] = words
    const isSourced = first?.program === '.' || first?.program === 'source'
    if (isSourced && rest.some(({ head }) => head.startsWith('/dev/'))) this.#shell(command, rest)
  }

  /** Looks at what stands behind options whose value many programs run, and behind `!`. */
  #options(words: readonly ShellWord[]): void {
    const start = harmlessStart(words.slice(0, 2).map(({ text }) => text ?? ''))
    words.forEach(({ text }, at) => {
      if (text === undefined || (start !== undefined && isHarmlessWith(start, text))) return
      const [name = ''] = text.split('=', 1)
      if (/^(?:[\w.-]*=|[+:])?!/.test(text) || (name !== text && runningOption.test(name))) {
        this.#text(text, 'quiet')
      }
      const next = words[at + 1]?.text
      if (next !== undefined && runningOption.test(text)) this.#text(next, 'quiet')
    })
  }

  /** Looks at the words behind the first one that is such a program. */
  #behind(
    words: readonly ShellWord[],
    isOne: (program: string) => boolean,
    look: (rest: readonly ShellWord[]) => void,
  ): void {
    const at = words.findIndex(({ program }) => program !== undefined && isOne(program))
    if (at !== -1) look(words.slice(at + 1))
  }

  #reader({ words, inputs }: ShellCommand, rest: readonly ShellWord[], isOpen: boolean): void {
    this.#texts(rest)
    const programs = words.map(({ program }) => program ?? '')
    if (!programs.some(isShell)) {
      for (const input of inputs) if (input !== undefined) this.#text(input, 'quiet')
    }
    const isRun = isOpen && !programs.some((program) => gatherers.has(program))
    if (isRun || programs.some((program) => schedulers.has(program))) {
      this.#known(inputs.every((input) => input !== undefined))
    }
  }

  #texts(rest: readonly ShellWord[]): void {
    for (const { text, written } of rest) {
      if (text === undefined) this.#known(!/\s/.test(written))
      else this.#text(text)
    }
    const isScript = rest.some(({ text }) => text !== undefined && scriptLike.test(text))
    if (isScript && rest.length > 1) {
      this.#text(rest.map(({ text, written }) => text ?? written).join(' '), 'quiet')
    }
  }

  #shell({ inputs }: ShellCommand, rest: readonly ShellWord[]): void {
    if (rest.some(({ written }) => encodedOption.test(written))) this.#known(false)
    if (rest.some(({ written }) => commandOption.test(written))) {
      this.#known(rest.every(hasText))
      return
    }
    this.#known(rest.every(({ program, head }) => program !== undefined || head !== ''))
    if (!readsInput(rest) && !rest.some(({ written }) => inputOption.test(written))) return
    for (const input of inputs) {
      if (input === undefined) this.#known(false)
      else this.#text(input)
    }
  }

  #interpreter({ inputs }: ShellCommand, rest: readonly ShellWord[]): void {
    for (const { text, written } of rest) {
      if (/[\s()]/.test(text ?? written)) this.#program(text ?? written)
    }
    if (!readsInput(rest)) return
    for (const input of inputs) {
      if (input === undefined) this.#known(false)
      else this.#program(input)
    }
  }

  #program(text: string): void {
    const folded = foldText(text)
    if (folded === undefined) this.#known(false)
    else this.programs.push(folded)
  }

  /** Reads a text that may be run; of a quiet one what cannot be read counts for nothing. */
  #text(text: string, kind: 'run' | 'quiet' = 'run'): void {
    if (!scriptLike.test(text)) return
    this.#nested(text, kind)
    // `--checkpoint-action=exec=rm`, `alias x='rm'`, `-o ProxyCommand=rm`, `-c alias.x=!rm`.
    const value = text.replace(/^[^\s'"]*[=!]/, '')
    if (value !== text && scriptLike.test(value)) this.#nested(value, 'quiet')
  }

  #nested(text: string, kind: 'run' | 'quiet'): void {
    this.#nestedCharacters += text.length + textCost
    const isTooMuch =
      this.#nestedCharacters > maxNested * limits.maxShellBytes || this.#depth >= maxDepth
    if (isTooMuch) {
      this.#known(false)
      return
    }
    const script = commandsIn(text, this.#parsing)
    if (kind === 'run') this.#known(script?.isSound === true)
    this.#depth += 1
    this.all(script?.commands ?? [])
    this.#depth -= 1
  }

  #known(isKnown: boolean): void {
    if (!isKnown) this.isSound = false
  }
}

function hasText({ text }: ShellWord): boolean {
  return text !== undefined
}

function isEvaluator(program: string): boolean {
  return program === 'eval' || program === 'iex' || program === 'invoke-expression'
}

/** Whether a shell or an interpreter with such arguments takes its program from its input. */
function readsInput(rest: readonly ShellWord[]): boolean {
  return rest.every(({ head }) => head.startsWith('-') || head.startsWith('/dev/'))
}
