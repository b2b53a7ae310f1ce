import { closeSync, openSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { CapFenceError } from '../errors.ts'
import { limits } from '../limits.ts'

/** Where passphrases are read from; never from arguments or the environment, which other processes can read. */
export interface SecretInput {
  /** Asks on the terminal, wherever standard input leads, and shows nothing of what is typed. */
  fromTerminal(question: string): Promise<string>
  /** The next line of standard input. */
  fromInput(): Promise<string>
}

/** The terminal and the standard input of this process. */
export function processSecrets(): SecretInput {
  const lines = new InputLines()
  return { fromTerminal: readFromTerminal, fromInput: () => lines.next() }
}

const terminalPath = process.platform === 'win32' ? '\\\\.\\CONIN$' : '/dev/tty'

async function readFromTerminal(question: string): Promise<string> {
  const terminal = openTerminal()
  process.stderr.write(question)
  try {
    return await typedLine(terminal)
  } finally {
    terminal.setRawMode(false)
    terminal.destroy()
    process.stderr.write('\n')
  }
}

function openTerminal(): ReadStream {
  let descriptor: number | undefined
  try {
    descriptor = openSync(terminalPath, 'r+')
    const terminal = new ReadStream(descriptor)
    // Before the question is asked, so that what is typed ahead is not shown either.
    terminal.setRawMode(true)
    return terminal
  } catch (cause) {
    if (descriptor !== undefined) closeSync(descriptor)
    throw new CapFenceError('USAGE', 'there is no terminal to read the passphrase from', {
      hint: 'run it in a terminal, or give the passphrase on standard input with `--passphrase-stdin`',
      cause,
    })
  }
}

const backspaces = new Set(['\u0008', '\u007f'])

function typedLine(terminal: ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed: string[] = []
    terminal.setEncoding('utf8')
    terminal.on('error', reject)
    terminal.on('end', () => reject(stopped()))
    terminal.on('data', (chunk: string) => {
      for (const character of chunk) {
        if (character === '\r' || character === '\n') resolve(checkedLength(typed.join('')))
        else if (character === '\u0003' || character === '\u0004') reject(stopped())
        else if (character === '\u0015') typed = []
        else if (backspaces.has(character)) typed.pop()
        else if (typed.length <= limits.maxPassphraseCharacters) typed.push(character)
      }
    })
  })
}

function stopped(): CapFenceError {
  return new CapFenceError('USAGE', 'no passphrase was given')
}

/** The lines of standard input, as far as they are asked for. */
class InputLines {
  #chunks: AsyncIterator<string, undefined> | undefined
  #rest = ''

  async next(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf('\n')
      if (end >= 0) return this.#take(end)
      checkedLength(this.#rest)
      // oxlint-disable-next-line no-await-in-loop -- a line may come in pieces
      const piece = await this.#piece()
      if (piece === undefined) return this.#last()
      this.#rest += piece
    }
  }

  #take(end: number): string {
    const line = this.#rest.slice(0, end).replace(/\r$/, '')
    this.#rest = this.#rest.slice(end + 1)
    return checkedLength(line)
  }

  #last(): string {
    if (this.#rest === '') throw stopped()
    return this.#take(this.#rest.length)
  }

  async #piece(): Promise<string | undefined> {
    process.stdin.setEncoding('utf8')
    this.#chunks ??= process.stdin[Symbol.asyncIterator]() as AsyncIterator<string, undefined>
    const next: IteratorResult<string, undefined> = await this.#chunks.next()
    return next.value
  }
}

function checkedLength(passphrase: string): string {
  if (passphrase.length <= limits.maxPassphraseCharacters) return passphrase
  throw new CapFenceError(
    'USAGE',
    `a passphrase has at most ${limits.maxPassphraseCharacters} characters`,
  )
}
