import { readFileSync, statSync } from 'node:fs'
import { configShape } from './config-files.ts'
import { configSpots } from './config-scan.ts'
import { filesUnder, type SourceFile } from './files.ts'
import { findingsOf, type Finding, type Spot } from './finding.ts'
import { ignoresIn, remarksInLines, withIgnores, type Remark } from './ignores.ts'

/** The largest file that is looked at, bytes; a larger one is a finding when it may name servers. */
const maxFileBytes = 4_194_304

/** What a scan looks at. */
export interface ScanOptions {
  /** A folder or a file. */
  readonly root: string
  /** Folders that are passed over, relative to it. */
  readonly except?: ReadonlySet<string>
  /** Only these files, relative to it; all when undefined. */
  readonly only?: ReadonlySet<string> | undefined
  /** Told after each file. */
  readonly onFile?: (done: number, total: number) => void
}

/** What a scan found. */
export interface ScanResult {
  readonly findings: readonly Finding[]
  /** Files that were read, count. */
  readonly files: number
}

/** What was found in one file, and its comments. */
export interface FileSpots {
  readonly spots: readonly Spot[]
  readonly remarks: readonly Remark[]
}

/** Looks through a folder. Nothing that is found is ever started, imported or asked. */
export async function scan({ root, except, only, onFile }: ScanOptions): Promise<ScanResult> {
  const all = filesUnder(root, except).filter(({ name }) => isLookedAt(name))
  const files = all.filter(({ name }) => only === undefined || only.has(name))
  const findings: Finding[] = []
  for (const [index, file] of files.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one file in memory at a time
    findings.push(...(await fileFindings(file)))
    onFile?.(index + 1, files.length)
  }
  return { findings, files: files.length }
}

function isLookedAt(name: string): boolean {
  return configShape(name) !== undefined
}

async function fileFindings(file: SourceFile): Promise<readonly Finding[]> {
  const read = readSource(file.path)
  if (typeof read !== 'string') return findingsOf(file.name, '', [read])
  const { spots, remarks } = await spotsIn(file, read)
  const { ignores, spots: wrong } = ignoresIn(read, remarks)
  const { findings, idle } = withIgnores(findingsOf(file.name, read, [...spots, ...wrong]), ignores)
  return [...findings, ...findingsOf(file.name, read, idle)].toSorted(
    (one, other) => one.line - other.line || one.column - other.column,
  )
}

async function spotsIn({ name }: SourceFile, text: string): Promise<FileSpots> {
  const shape = configShape(name)
  if (shape === undefined) return { spots: [], remarks: [] }
  return { spots: await configSpots(text, shape), remarks: remarksInLines(text) }
}

/** The text of a file, or why there is none. */
function readSource(path: string): string | Spot {
  try {
    const { size } = statSync(path)
    if (size > maxFileBytes) return unread(`it has ${String(size)} bytes`)
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path))
  } catch (error) {
    return unread(error instanceof TypeError ? 'it is not UTF-8' : 'it cannot be opened')
  }
}

function unread(why: string): Spot {
  return { rule: 'CF006', at: 0, end: 0, message: `this file was not read: ${why}`, subject: '' }
}
