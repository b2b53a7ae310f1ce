import { withoutGated } from './behind-gate.ts'
import type { OffersByModule } from './code/read-code.ts'
import { filesUnder, type SourceFile } from './files.ts'
import type { Finding } from './finding.ts'
import { withoutGatedElsewhere } from './gated-elsewhere.ts'
import { fileOfModule } from './modules.ts'
import { isLookedAt, ownReader, type FileFacts, type FileReader } from './read-file.ts'
import { isTest } from './test-files.ts'

/** How many files lead from one to the next, until what they offer is not followed any more. */
const maxRounds = 3

/** What a scan looks at. */
export interface ScanOptions {
  /** A folder or a file. */
  readonly root: string
  /** Folders that are passed over, relative to it. */
  readonly except?: ReadonlySet<string>
  /** Only findings in these files, relative to it; in all when undefined. */
  readonly only?: ReadonlySet<string> | undefined
  /** Whether code that is only run by tests counts. */
  readonly includesTests?: boolean
  /** Whether files count that git leaves out. */
  readonly includesIgnored?: boolean
  /** Told after each file. */
  readonly onFile?: (done: number, total: number) => void
  /** Who reads the files; this process when undefined. */
  readonly reader?: FileReader
}

/** What a scan found. */
export interface ScanResult {
  readonly findings: readonly Finding[]
  /** Files that were read, count. */
  readonly files: number
}

/** Looks through a folder. Nothing that is found is ever started, imported or asked. */
export async function scan(options: ScanOptions): Promise<ScanResult> {
  const { root, only, includesTests = false, onFile, reader = ownReader } = options
  const under = filesUnder(root, options)
  const files = under.filter(({ name }) => isLookedAt(name) && (includesTests || !isTest(name)))
  const facts = new Map<string, FileFacts>()
  let done = 0
  await forEach(files, reader.width, async (file) => {
    facts.set(file.name, await reader.read({ ...file, project: { beside: {}, packages: [] } }))
    done += 1
    onFile?.(done, files.length)
  })
  // What is called like a method of a framework is one where other files import it.
  const packages = [...new Set([...facts.values()].flatMap((one) => one.packages))]
  const telling = files.filter(({ name }) => facts.get(name)?.isTelling === true)
  await forEach(packages.length === 0 ? [] : telling, reader.width, async (file) => {
    facts.set(file.name, await reader.read({ ...file, project: { beside: {}, packages } }))
  })
  await followOffers(files, { facts, packages, reader })
  const names = under.map(({ name }) => name)
  const found = withoutGatedElsewhere(facts)
  const counted = found.filter(({ file }) => only === undefined || only.has(file))
  const read = files.filter(({ name }) => only === undefined || only.has(name))
  return { findings: withoutGated(counted, facts, names), files: read.length }
}

/** Files whose modules offer something of a framework are read once more, knowing what that is. */
async function followOffers(
  files: readonly SourceFile[],
  {
    facts,
    packages,
    reader,
  }: {
    readonly facts: Map<string, FileFacts>
    readonly packages: readonly string[]
    readonly reader: FileReader
  },
): Promise<void> {
  const names = new Set(facts.keys())
  // Whoever takes a tool out of a file is looked at too, though nothing in it may name a framework.
  const leads = ({ offers, findings }: FileFacts): boolean =>
    hasAny(offers) || findings.some(({ exportedAs }) => exportedAs.length > 0)
  let news = new Set([...facts].filter(([, one]) => leads(one)).map(([name]) => name))
  for (let round = 0; round < maxRounds && news.size > 0; round += 1) {
    const next = new Set<string>()
    const concerned = files.flatMap((file) => {
      const imports = facts.get(file.name)?.imports ?? []
      const found = imports.flatMap((module) => {
        const name = fileOfModule(file.name, module, names)
        return name === undefined || name === file.name ? [] : [{ module, name }]
      })
      return found.some(({ name }) => news.has(name)) ? [{ file, found }] : []
    })
    const snapshot = new Map(facts)
    // oxlint-disable-next-line no-await-in-loop -- a round needs what the one before found
    await forEach(concerned, reader.width, async ({ file, found }) => {
      const beside: OffersByModule = Object.fromEntries(
        found.map(({ module, name }) => [module, snapshot.get(name)?.offers ?? {}]),
      )
      const read = await reader.read({ ...file, project: { beside, packages } })
      const before = facts.get(file.name)
      if (JSON.stringify(read.offers) !== JSON.stringify(before?.offers)) next.add(file.name)
      facts.set(file.name, read)
    })
    news = next
  }
}

function hasAny(record: object): boolean {
  return Object.keys(record).length > 0
}

/** Does a step for each item, some at once, and stops at the first that fails. */
async function forEach<T>(
  items: readonly T[],
  width: number,
  step: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const work = async (): Promise<void> => {
    // oxlint-disable-next-line no-await-in-loop -- each of the workers takes one at a time
    for (const item of queue) await step(item)
  }
  await Promise.all(Array.from({ length: Math.max(1, width) }, work))
}
