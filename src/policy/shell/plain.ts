import type { CommandNode, ParsedScript, Pipeline, Word } from 'unbash'

/** A command that says what it runs, and nothing else: no redirection, no setting, nothing to expand. */
export interface PlainCommand {
  /** Its name first. */
  readonly words: readonly string[]
  /** Whether its input is what another command of the line writes. */
  readonly isPiped: boolean
}

/** What every shell takes for one word that is what it says. */
const plainWord = /^(?![=@,])(?:[\w./:,+@=-]|(?<=[A-Za-z0-9])~)+$/
/** The same with spaces, in quotes. */
const quoted = /^(?:"(?<double>[\w./:,+@= -]+)"|'(?<single>[\w./:,+@= -]+)')$/
/** Everything that a plain line can be made of; nothing else, not even in quotes or behind a comment sign. */
const plainLine = /^[\w./:,+@=~ \t"'&|-]*$/
const plainName = /^[\w./+-]+$/

/** Whether every shell takes a text for the name of the same program. */
export function isPlainName(text: string): boolean {
  return plainName.test(text)
}

/** Whether every shell takes a text for one word that is what it says. */
export function isPlainWord(text: string): boolean {
  return plainWord.test(text)
}

/**
 * The commands of a line that every shell reads alike: plain words in ASCII, perhaps in quotes, and between commands
 * `&&`, `||` or `|`; to Windows `;` ends no command, so that what follows are more words of the first.
 *
 * @param root what the parser of Bash makes of the text
 * @returns undefined for every other line; Windows has other quotes, variables and separators, and so have some servers
 */
export function plainCommands(
  text: string,
  root: ParsedScript,
): readonly PlainCommand[] | undefined {
  if (!plainLine.test(text) || root.errors !== undefined) return undefined
  const commands: PlainCommand[] = []
  for (const { command, background } of root.commands) {
    if (background === true) return undefined
    const pipelines = command.type === 'AndOr' ? command.commands : [command]
    for (const node of pipelines) {
      const added = node.type === 'Pipeline' ? piped(node) : [plainCommand(node, false)]
      for (const one of added) {
        if (one === undefined) return undefined
        commands.push(one)
      }
    }
  }
  return commands.length === 0 ? undefined : commands
}

/** A list of words as a plain command; undefined when a server that joins them would have something else. */
export function plainList(words: readonly string[]): PlainCommand | undefined {
  const [name = ''] = words
  const isPlain = words.every((word) => plainWord.test(word) || quoted.test(`"${word}"`))
  return isPlain && plainName.test(name) ? { words, isPiped: false } : undefined
}

function piped({ prefixes, operators, commands }: Pipeline): readonly (PlainCommand | undefined)[] {
  if (prefixes.length > 0 || operators.includes('|&')) return [undefined]
  return commands.map((command, at) => plainCommand(command, at > 0))
}

function plainCommand(node: CommandNode, isPiped: boolean): PlainCommand | undefined {
  if (node.type !== 'Command') return undefined
  const { name, prefix, suffix } = node
  if (name === undefined || prefix.length > 0 || !plainName.test(name.text)) return undefined
  const words = [name.text]
  for (const one of suffix) {
    const text = one.type === 'Word' ? plainText(one) : undefined
    if (text === undefined) return undefined
    words.push(text)
  }
  return { words, isPiped }
}

function plainText({ text }: Word): string | undefined {
  if (plainWord.test(text)) return text
  const parts = quoted.exec(text)?.groups
  return parts?.['double'] ?? parts?.['single']
}
