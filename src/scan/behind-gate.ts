import { posix } from 'node:path'
import type { Finding } from './finding.ts'
import type { FileFacts } from './read-file.ts'

const manifests = new Set(['package.json', 'pyproject.toml', 'setup.py'])

/**
 * Findings without the tools of servers that CapFence's own configuration starts: the gate stands before them, and a client
 * that goes around it is a finding of its own.
 *
 * A server is known by a path in its command; the tools of the package that the path lies in are its tools.
 *
 * @param names every file of the project
 */
export function withoutGated(
  findings: readonly Finding[],
  facts: ReadonlyMap<string, FileFacts>,
  names: readonly string[],
): readonly Finding[] {
  const launches = [...facts].flatMap(([name, { gatedLaunches }]) =>
    gatedLaunches.map((words) => ({ folder: posix.dirname(name), words })),
  )
  if (launches.length === 0) return findings
  const packages = new Set(
    names.filter((name) => manifests.has(posix.basename(name))).map((name) => posix.dirname(name)),
  )
  const gated = new Set(
    launches.flatMap(({ folder, words }) =>
      words
        .filter((word) =>
          /^(?:\.{0,2}\/)?[\w@.-]+(?:\/[\w@.-]+)+\/?$|^[\w-]+\.(?:[cm]?[jt]s|py)$|^\.\.?$/.test(
            word,
          ),
        )
        .map((word) => posix.normalize(posix.join(folder, word)))
        .filter((path) => !path.startsWith('..') && isIn(path, names))
        .map((path) => packageOf(path, packages)),
    ),
  )
  return findings.filter(
    ({ rule, file }) => rule !== 'CF102' || !gated.has(packageOf(file, packages)),
  )
}

/** Whether a path is in the project: a file or folder of it, or one that is built in a folder of it. */
function isIn(path: string, names: readonly string[]): boolean {
  const isThere = (at: string): boolean =>
    at === '.' || names.some((name) => name === at || name.startsWith(`${at}/`))
  const parts = path.split('/')
  const built = parts.findIndex((part) => /^(?:dist|build|out|lib)$/.test(part))
  return isThere(path) || (built >= 0 && isThere(parts.slice(0, built).join('/') || '.'))
}

/** The nearest folder above that is a package of its own. */
function packageOf(path: string, packages: ReadonlySet<string>): string {
  for (let at = path; at !== '.' && at !== '/'; at = posix.dirname(at)) {
    if (packages.has(at)) return at
  }
  return '.'
}
