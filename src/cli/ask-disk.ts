import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { limits } from '../limits.ts'
import type { AskDisk } from '../runtime/real-paths.ts'

/** How the disk is asked for each server that shares it; relative paths begin where the server stands. */
export function disksOf({ servers }: Config): ReadonlyMap<string, AskDisk> {
  return new Map(
    servers.flatMap(({ name, sharesDisk, upstream }) => {
      if (!sharesDisk || upstream.kind !== 'stdio') return []
      return [[name, askDiskFrom(upstream.cwd ?? process.cwd())] as const]
    }),
  )
}

/**
 * Looks up where paths lead on the disk of this process: the deepest part of each that exists, without links, and the rest.
 *
 * @param folder where relative paths begin
 * @internal Exported for tests only.
 */
export function askDiskFrom(folder: string): AskDisk {
  return async (paths) => {
    const found = new Map<string, string | undefined>()
    let timer: NodeJS.Timeout | undefined
    // A disk that does not answer, such as one behind a network, must not hold up a call for long.
    const late = new Promise<void>((end) => {
      timer = setTimeout(end, limits.maxRealPathMs)
    })
    const looked = paths.map(async (path) => {
      const real = await realPathOf(resolve(folder, path))
      found.set(path, real)
    })
    await Promise.race([Promise.all(looked), late])
    clearTimeout(timer)
    return new Map(found)
  }
}

async function realPathOf(path: string): Promise<string | undefined> {
  const names: string[] = []
  for (let at = path; names.length <= limits.maxRealPathNames; at = dirname(at)) {
    // oxlint-disable-next-line no-await-in-loop -- a folder is asked about when what is in it is not there
    const { real, isMissing: isNext } = await existing(at)
    if (!isNext) return real === undefined ? undefined : plain(join(real, ...names))
    names.unshift(basename(at))
    if (dirname(at) === at) return undefined
  }
  return undefined
}

/** Where something leads that is there; a link to what is missing leads somewhere else all the same. */
async function existing(path: string): Promise<Existing> {
  try {
    return { real: await realpath(path), isMissing: false }
  } catch (error) {
    if (!saysMissing(error)) return { real: undefined, isMissing: false }
  }
  try {
    await lstat(path)
    return { real: undefined, isMissing: false }
  } catch (error) {
    return { real: undefined, isMissing: saysMissing(error) }
  }
}

interface Existing {
  /** Undefined when it is missing, or when where it leads cannot be found out. */
  readonly real: string | undefined
  readonly isMissing: boolean
}

function saysMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** A name that is no Unicode text cannot be compared. */
function plain(path: string): string | undefined {
  return path.includes('\uFFFD') ? undefined : path
}
