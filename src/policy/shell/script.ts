import type { Command, ParsedScript, Redirection, SyntaxNode, Word } from 'unbash'
import { limits } from '../../limits.ts'
import { shellParser } from '../parsers.ts'
import type { Parsing } from '../parsing.ts'
import { startsIn } from './starts.ts'
import type { Starts } from './starts.ts'
import { shellWord } from './word.ts'
import type { ShellWord } from './word.ts'

/** A simple command of a text: what it is called with, and where its input comes from. */
export interface ShellCommand {
  /** Its name first; none where a command only sets variables. */
  readonly words: readonly ShellWord[]
  /** What it sets variables to; undefined where that is not known. */
  readonly settings: readonly (string | undefined)[]
  /** Texts that it can read from its input; undefined where they are not known. */
  readonly inputs: readonly (string | undefined)[]
  /** Whether the text ends with it, so that words from another argument of the call may follow. */
  readonly isLast: boolean
  /** Where names of programs may stand among its words. */
  readonly starts: Starts
}

/** What a text makes a shell do. */
export interface ShellScript {
  readonly commands: readonly ShellCommand[]
  /** Whether the parser understood all of it. */
  readonly isSound: boolean
}

/**
 * Parses a text as a command line of Bash.
 *
 * @returns undefined when it is too long, alone or with all others of the call, nests too deep for the parser, or when
 *   no parser is at hand
 */
export function parseShell(text: string, parsing: Parsing | undefined): ParsedScript | undefined {
  if (Buffer.byteLength(text) > limits.maxShellBytes) return undefined
  if (parsing?.takeText(text.length) === false) return undefined
  try {
    return shellParser()?.parse(text)
  } catch {
    // The parser overflows the stack on some texts; what it cannot read is not known.
    return undefined
  }
}

/** Finds every command in a text, wherever it stands; undefined when the text cannot be read at all. */
export function commandsIn(text: string, parsing: Parsing | undefined): ShellScript | undefined {
  const root = parseShell(text, parsing)
  const forEachChild = shellParser()?.forEachChild
  if (root === undefined || forEachChild === undefined) return undefined
  const walk = new ScriptWalk(forEachChild, text.trimEnd().length, parsing)
  try {
    walk.all(root)
  } catch {
    // Nested scripts are parsed when they are looked at, with the same risk.
    return undefined
  }
  return walk
}

/** A node that is still to be looked at. */
interface Waiting {
  readonly node: SyntaxNode
  /** What the input of everything inside holds, besides what a command itself says. */
  readonly inputs: readonly (string | undefined)[]
  /** How many texts it stands in that are parsed when somebody looks at them. */
  readonly depth: number
}

/** Expansions and scripts inside of each other, levels; each is parsed again for every level above it. */
const maxScriptDepth = 32

function isParsedLater({ type }: SyntaxNode): boolean {
  return type === 'Script' || type === 'ArithmeticExpansion' || type === 'ParameterExpansion'
}

class ScriptWalk implements ShellScript {
  readonly commands: ShellCommand[] = []
  isSound = true
  readonly #forEachChild: (node: SyntaxNode, visit: (child: SyntaxNode) => void) => void
  readonly #end: number
  readonly #parsing: Parsing | undefined
  readonly #waiting: Waiting[] = []

  constructor(
    forEachChild: (node: SyntaxNode, visit: (child: SyntaxNode) => void) => void,
    end: number,
    parsing: Parsing | undefined,
  ) {
    this.#forEachChild = forEachChild
    this.#end = end
    this.#parsing = parsing
  }

  all(root: ParsedScript): void {
    this.#waiting.push({ node: root, inputs: [], depth: 0 })
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      this.#node(next)
      if (this.#parsing?.isExceeded === true) {
        this.isSound = false
        return
      }
    }
  }

  #node({ node, inputs, depth }: Waiting): void {
    if (isUnread(node) || depth > maxScriptDepth) {
      this.isSound = false
      if (depth > maxScriptDepth) return
    }
    if (node.type === 'Command') this.#command(node, inputs)
    // To a shell without arithmetic it is a command in two pairs of brackets.
    if (node.type === 'ArithmeticCommand' && !/^\s*\$[\w{]/.test(node.body)) {
      this.#add([], [node.body], inputs, false)
    }
    const inner = [...inputs, ...innerInputs(node)]
    const first = node.type === 'Pipeline' ? node.commands[0] : undefined
    let isPiped = false
    this.#forEachChild(node, (child) => {
      this.#waiting.push({
        node: child,
        inputs: isPiped ? [...inner, undefined] : inner,
        depth: isParsedLater(child) ? depth + 1 : depth,
      })
      // What stands behind the first command of a pipeline reads what the one before it writes.
      isPiped ||= child === first
    })
  }

  #command({ name, args, prefix, redirects, end }: Command, outer: Waiting['inputs']): void {
    const settings = prefix.flatMap((one) =>
      one.type === 'Assignment' ? settingsOf(one.value) : [],
    )
    const words = name === undefined ? [] : [shellWord(name)]
    for (const arg of args) {
      if (arg.type === 'Word') words.push(shellWord(arg))
      else settings.push(...settingsOf(arg.value))
    }
    if (words.length === 0 && settings.length === 0) return
    if (this.#parsing?.takeCommand(words.length + settings.length) === false) return
    this.#add(words, settings, [...outer, ...inputsOf(redirects)], end >= this.#end)
  }

  #add(
    words: ShellCommand['words'],
    settings: ShellCommand['settings'],
    inputs: ShellCommand['inputs'],
    isLast: boolean,
  ): void {
    this.commands.push({ words, settings, inputs, isLast, starts: startsIn(words) })
  }
}

/** What everything inside a node reads, and what is around it does not. */
function innerInputs(node: SyntaxNode): readonly (string | undefined)[] {
  if (node.type === 'Redirected') return inputsOf(node.redirects)
  // What is in `>(…)` reads what somebody writes into it.
  return node.type === 'ProcessSubstitution' && node.operator === '>' ? [undefined] : []
}

/** Whether the parser met a fault in a script, or gave up on one inside of a node. */
function isUnread(node: SyntaxNode): boolean {
  if (node.type === 'Script') return (node.errors?.length ?? 0) > 0
  if (node.type === 'ArithmeticExpansion') return node.expression === undefined
  const holdsScript =
    node.type === 'CommandExpansion' ||
    node.type === 'ProcessSubstitution' ||
    node.type === 'ArithmeticCommandExpansion'
  return holdsScript && node.script === undefined
}

function settingsOf(
  value: Word | { readonly type: 'ArrayValue'; readonly elements: readonly Word[] },
): (string | undefined)[] {
  const words = value.type === 'Word' ? [value] : value.elements
  return words.map((word) => shellWord(word).text)
}

function inputsOf(redirects: readonly Redirection[]): (string | undefined)[] {
  return redirects.flatMap((redirect): (string | undefined)[] => {
    if (redirect.type === 'HereString') {
      return [redirect.target === undefined ? undefined : shellWord(redirect.target).text]
    }
    if (redirect.type === 'HereDoc') {
      const { text, parts } = redirect.body
      return [parts?.some(({ type }) => type !== 'Literal') === true ? undefined : text]
    }
    return redirect.operator.startsWith('<') ? [undefined] : []
  })
}
