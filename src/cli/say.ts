import { printable } from '../event/printable.ts'

/** Says something to people: standard output is the protocol's, so it goes to standard error, as one line. */
export function say(text: string): void {
  process.stderr.write(`capfence: ${printable(text, 2000)}\n`)
}
