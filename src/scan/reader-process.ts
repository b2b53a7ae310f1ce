import { readFile, type FileFacts, type ReadQuestion } from './read-file.ts'

/** What a process that reads files is told. */
export interface NumberedQuestion {
  readonly id: number
  readonly question: ReadQuestion
}

/** What it answers; `ready` before everything else, when its parsers could be loaded. */
export type ReaderReply = 'ready' | NumberedFacts

/** What it found. */
export interface NumberedFacts {
  readonly id: number
  readonly facts: FileFacts
}

// This file is the whole program of such a process: a file on which a parser dies ends it, and not the scan. One question
// is answered after the other, so that it is known which one it was.
let last = Promise.resolve()

async function answer({ id, question }: NumberedQuestion): Promise<void> {
  const facts = await readFile(question)
  const reply: ReaderReply = { id, facts }
  process.send?.(reply)
}

if (process.send !== undefined) {
  process.on('message', (question: NumberedQuestion) => {
    last = last.then(async () => answer(question))
  })
  process.send('ready' satisfies ReaderReply)
  process.on('disconnect', () => {
    process.exit()
  })
}
