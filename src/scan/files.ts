import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ignoreFile, isLeftOut, type IgnoreFile } from './gitignore.ts'

/** Folders that hold what others wrote or what was built. */
const passedOver = new Set([
  'node_modules',
  '.git',
  '.hg',
  '.svn',
  'dist',
  'build',
  'coverage',
  'vendor',
  '.venv',
  'venv',
  'env',
  'site-packages',
  '__pycache__',
  '.tox',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  '.next',
  '.nuxt',
  '.turbo',
  '.cache',
  'target',
])

/** A file to look at. */
export interface SourceFile {
  /** As the system finds it. */
  readonly path: string
  /** Relative to what was scanned, with `/`. */
  readonly name: string
}

/** Which files are found. */
export interface FileChoice {
  /** Folders that are passed over beside the usual ones, relative to the top. */
  readonly except?: ReadonlySet<string>
  /** Whether files count that git leaves out. */
  readonly includesIgnored?: boolean
}

interface Folder {
  readonly path: string
  /** Relative to the top, with `/`; empty for the top. */
  readonly name: string
  readonly ignores: readonly IgnoreFile[]
}

/**
 * The files under a folder in the order of their names, or the one file. Links are not followed: what they lead to may be outside,
 * or a circle.
 */
export function filesUnder(
  root: string,
  { except = new Set(), includesIgnored = false }: FileChoice = {},
): readonly SourceFile[] {
  if (!lstatSync(root).isDirectory()) return [{ path: root, name: basename(root) }]
  const found: SourceFile[] = []
  const above = includesIgnored ? [] : ignoresAbove(root)
  const folders: Folder[] = [{ path: root, name: '', ignores: above }]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = readdirSync(folder.path, { withFileTypes: true })
    const isIgnoring =
      !includesIgnored && entries.some((entry) => entry.isFile() && entry.name === ignoreName)
    const ignores = isIgnoring
      ? [...folder.ignores, ignoreFile(folder.name, readIgnores(join(folder.path, ignoreName)))]
      : folder.ignores
    for (const entry of entries) {
      const path = join(folder.path, entry.name)
      const name = folder.name === '' ? entry.name : `${folder.name}/${entry.name}`
      const isFolder = entry.isDirectory()
      if (!isFolder && !entry.isFile()) continue
      if (isFolder && (passedOver.has(entry.name) || except.has(name))) continue
      if (isLeftOut(name, isFolder, ignores)) continue
      if (isFolder) {
        if (!isEnvironment(path)) folders.push({ path, name, ignores })
      } else found.push({ path, name })
    }
  }
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

const ignoreName = '.gitignore'

/** A virtual environment of Python, whatever it is called. */
function isEnvironment(folder: string): boolean {
  return existsSync(join(folder, 'pyvenv.cfg'))
}

/** What the folders above leave out, up to the top of the repository; nothing where there is none. */
function ignoresAbove(root: string): readonly IgnoreFile[] {
  const found: IgnoreFile[] = []
  let down = ''
  for (let at = root; ; at = dirname(at)) {
    if (at !== root) found.unshift(ignoreFile(`^${down}`, readIgnores(join(at, ignoreName))))
    if (existsSync(join(at, '.git')))
      return [
        ignoreFile(at === root ? '' : `^${down}`, readIgnores(join(at, '.git/info/exclude'))),
        ...found,
      ]
    if (dirname(at) === at) return []
    down = down === '' ? basename(at) : `${basename(at)}/${down}`
  }
}

/** The most of one that is read, bytes. */
const maxIgnoreBytes = 1_048_576

function readIgnores(path: string): string {
  try {
    return statSync(path).size > maxIgnoreBytes ? '' : readFileSync(path, 'utf8')
  } catch {
    // One that is not there, or cannot be read, leaves nothing out.
    return ''
  }
}
