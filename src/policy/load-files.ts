import { printable } from '../event/printable.ts'
import { limits } from '../limits.ts'
import { noteHidden } from './hidden.ts'
import type { Problem } from './problem.ts'
import { nothing, readPolicy } from './read-policy.ts'
import type { PolicyPart } from './read-policy.ts'
import { Report } from './report.ts'
import { readYaml } from './yaml.ts'

/** A policy file, as it was read from wherever it lies. */
export interface PolicySource {
  /** As it shall stand in messages and answers; relative to the project where that can be. */
  readonly path: string
  readonly text: string
  /** What tells it from every other file, and what `extends` in it is relative to; its path when absent. */
  readonly location?: string
}

/**
 * Reads the file that `from` names under `extends`, or says in a few words why it cannot.
 *
 * The same file must always have the same location.
 */
export type ReadExtended = (
  name: string,
  from: PolicySource,
) => PolicySource | { readonly fault: string }

/** What a file says, and what is wrong with it. */
export interface LoadedFile {
  readonly part: PolicyPart
  readonly problems: readonly Problem[]
  readonly notes: readonly Problem[]
}

/** Reads files and all that they extend, each once; a file comes after the ones it extends. */
export function loadFiles(
  sources: readonly PolicySource[],
  readExtended: ReadExtended = noReader,
): readonly LoadedFile[] {
  const loader = new FileLoader(readExtended)
  for (const source of sources) loader.load(source, [])
  return loader.files
}

const noReader: ReadExtended = () => ({ fault: 'no other files are read here' })

class FileLoader {
  readonly files: LoadedFile[] = []
  readonly #readExtended: ReadExtended
  readonly #seen = new Set<string>()

  constructor(readExtended: ReadExtended) {
    this.#readExtended = readExtended
  }

  /** @param chain the files that led to this one by extending it, the first one first */
  load(source: PolicySource, chain: readonly PolicySource[]): void {
    if (this.#seen.has(locationOf(source))) return
    this.#seen.add(locationOf(source))
    const { part, report } = readFile(source)
    for (const { name, offset } of part.extended) {
      const message = this.#extend(name, source, [...chain, source])
      if (message !== undefined) report.add({ offset, code: 'policy-extends', message })
    }
    this.files.push({ part, problems: report.problems(), notes: report.notes() })
  }

  /** Loads the file that `from`, the last one of `chain`, extends; what is wrong when it cannot be. */
  #extend(name: string, from: PolicySource, chain: readonly PolicySource[]): string | undefined {
    const written = `\`extends: ${printable(name)}\``
    const read = this.#readExtended(name, from)
    if ('fault' in read) return `${written} ${read.fault}`
    const start = chain.findIndex((earlier) => locationOf(earlier) === locationOf(read))
    if (start !== -1) {
      const names = [...chain.slice(start), read].map(({ path }) => `\`${printable(path)}\``)
      return `${written} leads in a circle: ${names.join(' extends ')}`
    }
    if (this.#seen.size >= limits.maxPolicyFiles) {
      return `${written} is one file too many; at most ${limits.maxPolicyFiles} are read`
    }
    this.load(read, chain)
    return undefined
  }
}

function locationOf({ location, path }: PolicySource): string {
  return location ?? path
}

function readFile({ path, text }: PolicySource): {
  readonly part: PolicyPart
  readonly report: Report
} {
  const bytes = Buffer.byteLength(text)
  if (bytes > limits.maxPolicyBytes) {
    const report = new Report(path, () => ({ line: 1, column: 1 }))
    const message = `the file has ${bytes} bytes; at most ${limits.maxPolicyBytes} are read`
    report.add({ offset: 0, code: 'policy-limit', message })
    return { part: nothing, report }
  }
  const { root, faults, broken, lineAndColumn } = readYaml(text)
  const report = new Report(path, lineAndColumn)
  for (const fault of faults) report.add(fault)
  noteHidden(text, report)
  return { part: broken ? nothing : readPolicy({ text, report }, root), report }
}
