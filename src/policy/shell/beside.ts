import { limits } from '../../limits.ts'
import type { Argument, ArgumentCall } from '../argument.ts'
import type { Parsing } from '../parsing.ts'
import { addendaIn } from './addenda.ts'
import type { Addenda } from './addenda.ts'
import { readCommandLine, unreadable } from './reading.ts'
import type { ShellReading } from './reading.ts'
import { AddedWords, isRunWith, mayRun, mayRunWithMore } from './runs.ts'
import type { WantedCommand } from './runs.ts'

/**
 * Whether a command line that does not run a command by itself may run it together with other arguments of the call:
 * `{command: "rm -r", args: ["-f"]}`, `{command: "ls", args: ["; rm -rf /"]}`, `{program: rm, args: "-rf /"}`.
 *
 * Which arguments a tool puts together, and in which order, is not known here; so this only ever makes a guard unsure.
 *
 * @param own the words of the argument, one text if it is a line
 */
export function mayRunBeside(
  argument: Argument,
  { own, reading }: { readonly own: readonly string[]; readonly reading: ShellReading },
  wanted: readonly WantedCommand[],
): boolean {
  const { call } = argument
  if (call === undefined) return false
  const all = allOf(call)
  const made = wanted.filter((one) => all.mayMake(one, reading))
  if (made.length === 0 && !all.isSeparating) return false
  // From here on the cost is that of the whole call, for each argument that comes so far.
  if (!call.parsing.takeCommand(all.size)) return true
  const beside = known.get(argument) ?? new Beside(own, all, call.parsing)
  known.set(argument, beside)
  return beside.mayMake(reading, made) || (all.isSeparating && beside.mayJoin(wanted))
}

const known = new WeakMap<Argument, Beside>()
const calls = new WeakMap<ArgumentCall, AllOfCall>()

function allOf(call: ArgumentCall): AllOfCall {
  const all = calls.get(call) ?? new AllOfCall(addendaIn(call.arguments))
  calls.set(call, all)
  return all
}

/** All that stands in a call, each argument among it: what is not made of all of that is not made of less. */
class AllOfCall {
  readonly addenda: Addenda
  /** Whether something begins or holds another command. */
  readonly isSeparating: boolean
  readonly size: number
  readonly #words: readonly string[]
  readonly #added = new WeakMap<WantedCommand, AddedWords>()
  readonly #named = new WeakMap<WantedCommand, boolean>()

  constructor(addenda: Addenda) {
    this.addenda = addenda
    this.isSeparating = addenda.lists.some(isSeparating)
    this.#words = wordsIn(addenda.texts)
    this.size = this.#words.length
  }

  mayMake(wanted: WantedCommand, reading: ShellReading): boolean {
    const added = this.#added.get(wanted) ?? new AddedWords(wanted, this.#words)
    this.#added.set(wanted, added)
    if (mayRunWithMore(reading, wanted, added)) return true
    const isNamed =
      this.#named.get(wanted) ??
      this.addenda.programs.some((program) => isRunWith(program, wanted, added))
    this.#named.set(wanted, isNamed)
    return isNamed
  }
}

/** What stands beside one argument. */
class Beside {
  readonly #own: readonly string[]
  readonly #parsing: Parsing
  readonly #lists: Addenda['lists']
  readonly #programs: Addenda['programs']
  #joined: readonly ShellReading[] | 'too much' | undefined

  constructor(
    own: readonly string[],
    { addenda: { lists, programs } }: AllOfCall,
    parsing: Parsing,
  ) {
    // The argument itself stands among them too.
    const written = own.join('\0')
    this.#own = own
    this.#parsing = parsing
    this.#lists = lists.filter((list) => list.join('\0') !== written)
    this.#programs = programs.filter((program) => program !== written)
  }

  /** Whether words of other arguments make one of the commands of this one, or this one of a program among them. */
  mayMake(reading: ShellReading, wanted: readonly WantedCommand[]): boolean {
    if (wanted.length === 0) return false
    const words = wordsIn(this.#lists.flat())
    const all = [...wordsIn(this.#own), ...words]
    return wanted.some(
      (one) =>
        mayRunWithMore(reading, one, new AddedWords(one, words)) ||
        this.#programs.some((name) => isRunWith(name, one, new AddedWords(one, all))),
    )
  }

  /** Whether a shell finds one of the commands where lists with signs of its own are written to this argument. */
  mayJoin(wanted: readonly WantedCommand[]): boolean {
    this.#joined ??= readJoined(this.#own, this.#lists, this.#parsing)
    if (this.#joined === 'too much') return true
    return this.#joined.some((one) => runsWhatIsRead(one, wanted))
  }
}

function wordsIn(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => text.split(/\s+/)).filter((word) => word !== '')
}

/** What begins another command, or holds one. */
const separating = /[;|&`\n\r(]/

function isSeparating(list: readonly string[]): boolean {
  return list.some((word) => separating.test(word))
}

/** More lists of words with such signs than a tool has. */
const maxSeparating = 8

/** What a shell reads where lists with signs of its own are written to the command. */
function readJoined(
  own: readonly string[],
  lists: Addenda['lists'],
  parsing: Parsing,
): readonly ShellReading[] | 'too much' {
  const separate = lists.filter(isSeparating)
  if (separate.length === 0) return []
  if (separate.length > maxSeparating) return 'too much'
  const orders = [
    [own, ...lists],
    [own, ...lists.toReversed()],
    ...separate.flatMap((list) => [
      [own, list],
      [list, own],
    ]),
  ]
  const lines = [...new Set(orders.map((order) => order.flat().join(' ')))]
  if (lines.some((line) => line.length > limits.maxShellBytes)) return 'too much'
  return lines.map((line) => readCommandLine(line, parsing))
}

/** What cannot be read here, such as the apostrophe of a name, counts for nothing. */
function runsWhatIsRead(reading: ShellReading, wanted: readonly WantedCommand[]): boolean {
  if (reading === unreadable) return true
  return mayRun({ ...reading, isSound: true }, wanted) !== 'false'
}
