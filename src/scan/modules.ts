import { posix } from 'node:path'

const endings = ['', '.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs']
const indexes = ['index.ts', 'index.tsx', 'index.mts', 'index.js', 'index.mjs', 'index.cjs']

/**
 * The file of the project that a module of it is, as TypeScript and bundlers find it; undefined when there is none.
 *
 * @param from the file that names it
 * @param files the files that there are
 */
export function fileOfModule(
  from: string,
  module: string,
  files: ReadonlySet<string>,
): string | undefined {
  if (from.endsWith('.py')) return pythonFile(from, module, files)
  for (const path of pathsOf(from, module)) {
    const found = candidates(path).find((one) => files.has(one))
    if (found !== undefined) return found
  }
  return undefined
}

function candidates(path: string): readonly string[] {
  // TypeScript names the file that will be there after the build.
  const source = /^(?<stem>.*)\.(?<kind>[cm]?)js(?<x>x?)$/.exec(path)?.groups
  const sources =
    source === undefined
      ? []
      : ['ts', 'tsx'].map((ending) => `${source['stem'] ?? ''}.${source['kind'] ?? ''}${ending}`)
  return [
    ...sources,
    ...endings.map((ending) => `${path}${ending}`),
    ...indexes.map((index) => posix.join(path, index)),
  ]
}

/** `@/x`, `~/x` and `#/x` stand for the top of a package or its sources: every folder above is tried, the nearest first. */
function pathsOf(from: string, module: string): readonly string[] {
  const folder = posix.dirname(from)
  if (module.startsWith('.')) return [posix.normalize(posix.join(folder, module))]
  const rest = module.slice(2)
  const parts = folder === '.' ? [] : folder.split('/')
  const above = parts.map((_, index) => parts.slice(0, parts.length - index).join('/'))
  return [...above, '.'].flatMap((top) =>
    ['src', '.', 'app'].map((inner) => posix.normalize(posix.join(top, inner, rest))),
  )
}

/** `.a` lies beside the file, `..a` one folder above, and `a.b` in any folder above or its `src`, the nearest first. */
function pythonFile(from: string, module: string, files: ReadonlySet<string>): string | undefined {
  const dots = /^\.*/.exec(module)?.[0].length ?? 0
  const path = module.slice(dots).replaceAll('.', '/')
  const parts = posix.dirname(from) === '.' ? [] : posix.dirname(from).split('/')
  const tops =
    dots > 0
      ? [parts.slice(0, parts.length - dots + 1).join('/')]
      : [...parts.map((_, index) => parts.slice(0, parts.length - index).join('/')), '', 'src']
  for (const top of dots > parts.length + 1 ? [] : tops) {
    const place = [top, path].filter((part) => part !== '').join('/')
    const found = [`${place}.py`, posix.join(place, '__init__.py')].find((one) => files.has(one))
    if (found !== undefined && found !== from) return found
  }
  return undefined
}
