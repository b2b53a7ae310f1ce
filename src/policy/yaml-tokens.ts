import { Lexer, Parser } from 'yaml'
import type { CST, LineCounter } from 'yaml'
import { limits } from '../limits.ts'

/** A file's tokens, or why no more of them were read. */
export interface YamlTokens {
  readonly tokens: readonly CST.Token[]
  /** Set when the file is over a bound; then it must not be composed. */
  readonly refused: { readonly offset: number; readonly message: string } | undefined
}

/**
 * Splits a policy file into tokens, and stops where it nests too deeply.
 *
 * The bound stands here, before any node is made, because making nodes recurses: a few thousand brackets end its stack,
 * and where a regular expression happens to be compiled there, they end the process and not only the call (THREATS B32).
 */
export function tokenise(text: string, lines: LineCounter): YamlTokens {
  const tokens: CST.Token[] = []
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  let count = 0
  for (const lexeme of new Lexer().lex(text)) {
    tokens.push(...parser.next(lexeme))
    count += 1
    const message = overBound(parser.stack.length - notLevels, count)
    if (message !== undefined) return { tokens, refused: { offset: parser.offset, message } }
  }
  tokens.push(...parser.end())
  return { tokens, refused: undefined }
}

/** On the parser's stack stand, besides the levels, the document and the value that is being read. */
const notLevels = 2

function overBound(levels: number, lexemes: number): string | undefined {
  if (levels > limits.maxPolicyDepth) return `more than ${limits.maxPolicyDepth} levels deep`
  if (lexemes > limits.maxPolicyLexemes) return `more than ${limits.maxPolicyLexemes} YAML tokens`
  return undefined
}
