import { lstatSync, readdirSync } from 'node:fs'
import { basename, join, relative, sep } from 'node:path'

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

/**
 * The files under a folder in the order of their names, or the one file. Links are not followed: what they lead to may be outside,
 * or a circle.
 *
 * @param except folders by their name, beside those that are always passed over
 */
export function filesUnder(
  root: string,
  except: ReadonlySet<string> = new Set(),
): readonly SourceFile[] {
  if (!lstatSync(root).isDirectory()) return [{ path: root, name: basename(root) }]
  const found: SourceFile[] = []
  const folders = [root]
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      const name = relative(root, path).split(sep).join('/')
      if (entry.isDirectory()) {
        if (!passedOver.has(entry.name) && !except.has(name)) folders.push(path)
      } else if (entry.isFile()) found.push({ path, name })
    }
  }
  return found.toSorted((one, other) => (one.name < other.name ? -1 : 1))
}
