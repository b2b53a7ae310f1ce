import { readFileSync, statSync } from 'node:fs'
import { mentionsFramework, modulesNamed, tellsByName } from './code/mentions.ts'
import { readCode, type NeighbourUse, type Offers, type ProjectFacts } from './code/read-code.ts'
import { configShape } from './config-files.ts'
import { readConfig } from './config-scan.ts'
import { findingsOf, type FileFinding, type Spot } from './finding.ts'
import { ignoresIn, ignoreWord, remarksInLines, withIgnores, type Remark } from './ignores.ts'

/** The largest file that is looked at, bytes; a larger one is a finding. */
const maxFileBytes = 4_194_304

/** A file that is to be read. */
export interface ReadQuestion {
  /** As the system finds it. */
  readonly path: string
  /** Relative to what is scanned, with `/`. */
  readonly name: string
  /** What is known of the others. */
  readonly project: ProjectFacts
}

/** What one file holds. Plain data: it comes from another process. */
export interface FileFacts {
  readonly findings: readonly FileFinding[]
  /** What it offers to the files that import it. */
  readonly offers: Offers
  /** Modules of the project that it names. */
  readonly imports: readonly string[]
  /** What it does with names of other files of the project. */
  readonly uses: readonly NeighbourUse[]
  /** Packages of frameworks that it imports. */
  readonly packages: readonly string[]
  /** Whether it calls what may be a method of a framework, though nothing in it says so. */
  readonly isTelling: boolean
  /** How the servers are started that stand behind the gate, when it is CapFence's own configuration. */
  readonly gatedLaunches: readonly (readonly string[])[]
}

/** Whoever reads files for a scan. */
export interface FileReader {
  read(question: ReadQuestion): Promise<FileFacts>
  /** How many files may be asked for at once, count. */
  readonly width: number
}

/** Reads files in this process, one after the other. */
export const ownReader: FileReader = { read: readFile, width: 1 }

interface Contents {
  readonly spots: readonly Spot[]
  readonly remarks: readonly Remark[]
  readonly offers: Offers
  readonly imports: readonly string[]
  readonly uses: readonly NeighbourUse[]
  readonly packages: readonly string[]
  readonly isTelling: boolean
  readonly gatedLaunches: readonly (readonly string[])[]
}

const empty = {
  spots: [],
  remarks: [],
  offers: {},
  imports: [],
  uses: [],
  packages: [],
  isTelling: false,
  gatedLaunches: [],
} as const

/** Whether a file is looked at, by its path alone. */
export function isLookedAt(name: string): boolean {
  return configShape(name) !== undefined || isCode(name)
}

/** Whether a file is code in a language that is read; what a tool has made small is not written by anybody here. */
function isCode(name: string): boolean {
  return /\.(?:[cm]?[jt]sx?|py)$/.test(name) && !/\.min\.[cm]?js$/.test(name)
}

/** Reads one file. */
export async function readFile({ path, name, project }: ReadQuestion): Promise<FileFacts> {
  const text = readText(path)
  if (typeof text !== 'string') return { ...empty, findings: findingsOf(name, '', [text]) }
  const contents = await contentsOf(name, text, project)
  const { ignores, spots: wrong } = ignoresIn(text, contents.remarks)
  const found = findingsOf(name, text, [...contents.spots, ...wrong])
  const { findings, idle } = withIgnores(found, ignores)
  const { offers, imports, uses, packages, isTelling, gatedLaunches } = contents
  const all = [...findings, ...findingsOf(name, text, idle)]
  return {
    findings: all.toSorted((one, other) => one.line - other.line || one.column - other.column),
    offers,
    imports,
    uses,
    packages,
    isTelling,
    gatedLaunches,
  }
}

async function contentsOf(name: string, text: string, project: ProjectFacts): Promise<Contents> {
  const shape = configShape(name)
  if (shape !== undefined)
    return { ...empty, ...(await readConfig(text, shape)), remarks: remarksInLines(text) }
  const imports = modulesNamed(name, text)
  const isTelling = tellsByName(name, text)
  // Most files have nothing to do with any framework: they are not worth a parser.
  const isWorthIt =
    mentionsFramework(name, text) ||
    text.includes(ignoreWord) ||
    Object.keys(project.beside).length > 0 ||
    (isTelling && project.packages.length > 0)
  if (!isWorthIt) return { ...empty, imports, isTelling }
  return { ...empty, ...(await readCode(name, text, project)), imports, isTelling }
}

/** The text of a file, or why there is none. */
function readText(path: string): string | Spot {
  try {
    const { size } = statSync(path)
    if (size > maxFileBytes) return unread(`it has ${String(size)} bytes`)
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      readFileSync(path),
    )
    // A mark at the start is no character of the first line; a blank in its place keeps every offset. Configurations know it.
    return isCode(path) && text.startsWith('\uFEFF') ? ` ${text.slice(1)}` : text
  } catch (error) {
    return unread(error instanceof TypeError ? 'it is not UTF-8' : 'it cannot be opened')
  }
}

/** What is said of a file that could not be read. */
export function unreadFacts(name: string, why: string): FileFacts {
  return { ...empty, findings: findingsOf(name, '', [unread(why)]) }
}

function unread(why: string): Spot {
  return { rule: 'CF006', at: 0, end: 0, message: `this file was not read: ${why}`, subject: '' }
}
