import type { ParsedScript } from 'unbash'
import { isJsonArray } from '../../json/value.ts'
import { limits } from '../../limits.ts'
import type { Argument } from '../argument.ts'
import type { MatcherKind, MatcherTest } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { mayRunBeside } from '../shell/beside.ts'
import { isListed, readListed } from '../shell/only.ts'
import { plainCommands, plainList } from '../shell/plain.ts'
import type { PlainCommand } from '../shell/plain.ts'
import { readCommandLine, readWords } from '../shell/reading.ts'
import type { ShellReading } from '../shell/reading.ts'
import { mayRun, wantedCommand } from '../shell/runs.ts'
import type { WantedCommand } from '../shell/runs.ts'
import { parseShell } from '../shell/script.ts'
import { programOf } from '../shell/word.ts'
import { truthOf } from '../truth.ts'
import { readShell } from './shell-read.ts'
import type { ShellData } from './shell-read.ts'

/**
 * `shell`: the argument is a command line, or a list of the words of one command, that runs a command, or runs nothing
 * but the commands of a list.
 *
 * It is read as Bash. `runs` is for guards and finds what may run: by any spelling of the name, among arguments of
 * others, in substitutions and here-documents, in texts that shells and the like are given, in programs of other
 * languages that name it. What cannot be told, such as the value of a variable as a name, is indeterminate. What a
 * command computes or reads from a file is not seen.
 *
 * Other arguments of the call may hold more words: `{command: rm, args: [-rf, /]}`. So a wanted command without any
 * words, or `sudo` or `bash -c` without a command, is indeterminate at the end of the text; and so is what other
 * arguments make of it when they are written behind it (`mayRunBeside`). `only` is for grants and takes nothing but
 * lines that every shell reads alike (`plainCommands`, `isListed`); what else the call may hold is for other conditions.
 */
export const shell: MatcherKind<ShellData> = {
  read: readShell,
  compile: ({ runs, flags, only }) => {
    return only.length > 0 ? onlyTest(only) : runsTest(runs, flags)
  },
  cost: costs.parse,
}

function runsTest(runs: readonly string[], flags: readonly string[]): MatcherTest {
  const wanted = runs.map((written) => wantedCommand(written, flags))
  return {
    may: (argument) => {
      const reading = readingOf(argument)
      if (reading === undefined) return 'indeterminate'
      const value = mayRun(reading, wanted)
      if (value !== 'false') return value
      const own = argument.text === undefined ? (wordsOf(argument) ?? []) : [argument.text]
      return mayRunBeside(argument, { own, reading }, wanted) ? 'indeterminate' : 'false'
    },
    must: (argument) => {
      const reading = readingOf(argument)
      const value = reading === undefined ? 'indeterminate' : mayRun(reading, wanted)
      if (value !== 'true') return value
      const [command, ...more] = plainOf(argument) ?? []
      const isIt = command !== undefined && wanted.some((one) => isExactly(command, one))
      // Behind another command it may never get its turn.
      return isIt && more.length === 0 ? 'true' : 'indeterminate'
    },
  }
}

function isExactly(
  { words }: PlainCommand,
  { isProgram, operands, flags }: WantedCommand,
): boolean {
  const [name = '', ...rest] = words
  return (
    isProgram(name) &&
    operands.every((operand, at) => rest[at] === operand) &&
    flags.every((test) => rest.some(test))
  )
}

function onlyTest(only: readonly string[]): MatcherTest {
  const listed = only.map(readListed).filter((one) => one !== undefined)
  const programs = new Set(listed.map(({ words: [name = ''] }) => programOf(name)))
  return {
    may: (argument) => {
      const commands = plainOf(argument)
      if (commands === undefined) return 'indeterminate'
      if (commands.every((command) => isListed(command, listed))) return 'true'
      // Under another path or in other letters it may be the listed one.
      const mayBe = commands.every(({ words: [name = ''] }) => programs.has(programOf(name)))
      return mayBe ? 'indeterminate' : 'false'
    },
    must: (argument) => {
      const commands = plainOf(argument)
      if (commands === undefined) return 'indeterminate'
      return truthOf(commands.every((command) => isListed(command, listed)))
    },
  }
}

const roots = new WeakMap<Argument, ParsedScript | undefined>()
const readings = new WeakMap<Argument, ShellReading | undefined>()

/** What a guard sees in an argument; undefined when it is no command line. */
function readingOf(argument: Argument): ShellReading | undefined {
  if (!readings.has(argument)) readings.set(argument, newReading(argument))
  return readings.get(argument)
}

function newReading(argument: Argument): ShellReading | undefined {
  const parsing = argument.call?.parsing
  if (argument.text !== undefined) return readCommandLine(argument.text, parsing)
  const words = wordsOf(argument)
  return words === undefined ? undefined : readWords(words, parsing)
}

/** What a grant sees in an argument; undefined when not every shell would read it alike. */
function plainOf(argument: Argument): readonly PlainCommand[] | undefined {
  const { text, call } = argument
  if (text !== undefined) {
    if (!roots.has(argument)) roots.set(argument, parseShell(text, call?.parsing))
    const root = roots.get(argument)
    return root === undefined ? undefined : plainCommands(text, root)
  }
  const command = plainList(wordsOf(argument) ?? [])
  return command === undefined ? undefined : [command]
}

/** The words of a command that is given as a list. */
function wordsOf({ value }: Argument): readonly string[] | undefined {
  if (!isJsonArray(value) || value.length > limits.maxShellBytes) return undefined
  const words = value.filter((word) => typeof word === 'string')
  return words.length === value.length && words.length > 0 ? words : undefined
}
