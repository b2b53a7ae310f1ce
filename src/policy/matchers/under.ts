import { assert } from '../../errors.ts'
import type { Truth } from '../answer.ts'
import type { Argument } from '../argument.ts'
import type { MatcherKind, MatcherTest } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { mayBeUnder, mustBeUnder, prefixFault, readPath, readPrefix } from '../path.ts'
import type { PathFacts } from '../path.ts'
import { readChecked } from '../read-needles.ts'
import { anyOf, opposite } from '../truth.ts'
import { isUnderWindows, isWindowsPath, readFolder } from './windows-path.ts'

/**
 * `under`: the argument is a path, and lies in one of these folders or is one of them.
 *
 * Lexically: no disk is asked, but where the state of the call says where paths really lead, that has to agree. A folder with a drive or a share, such as `C:\work`, is compared by the rules of Windows.
 */
export const under: MatcherKind<readonly string[]> = {
  read: (source, entry) =>
    readChecked(source, entry, {
      wanted: 'a path, or a list of them',
      check: (text) => {
        const fault = isWindowsPath(text) ? windowsFault(text) : prefixFault(text)
        return fault === undefined ? undefined : { says: fault }
      },
    }),
  compile: (folders) => {
    const posix = posixTest(folders.filter((folder) => !isWindowsPath(folder)))
    const windows = windowsTest(folders.filter(isWindowsPath))
    const tests = [posix, windows].filter((test) => test !== undefined)
    return {
      may: (argument) => anyOf(tests.map((test) => test.may(argument))),
      must: (argument) => anyOf(tests.map((test) => test.must(argument))),
    }
  },
  cost: costs.path,
}

/** `not_under`: the argument is a path, and lies in none of these folders. */
export const notUnder: MatcherKind<readonly string[]> = {
  ...under,
  compile: (folders) => {
    const test = under.compile(folders)
    return {
      may: (argument) => opposite(test.must(argument)),
      must: (argument) => opposite(test.may(argument)),
    }
  },
}

const known = new WeakMap<Argument, PathFacts | undefined>()

function pathOf(argument: Argument): PathFacts | undefined {
  if (!known.has(argument)) known.set(argument, readPath(argument.text, argument.call?.realPath))
  return known.get(argument)
}

function posixTest(folders: readonly string[]): MatcherTest | undefined {
  if (folders.length === 0) return undefined
  const prefixes = folders.map((folder) => {
    const prefix = readPrefix(folder)
    assert(prefix !== undefined, 'the loader refuses folders that cannot be read')
    return prefix
  })
  return {
    may: (argument) => mayBeUnder(pathOf(argument), prefixes),
    must: (argument) => mustBeUnder(pathOf(argument), prefixes),
  }
}

function windowsTest(texts: readonly string[]): MatcherTest | undefined {
  if (texts.length === 0) return undefined
  const folders = texts.map((text) => {
    const folder = readFolder(text)
    assert(folder !== undefined, 'the loader refuses folders that cannot be read')
    return folder
  })
  const test = ({ text }: Argument): Truth =>
    text === undefined ? 'indeterminate' : isUnderWindows(text, folders)
  return { may: test, must: test }
}

function windowsFault(text: string): string | undefined {
  return readFolder(text) === undefined
    ? 'is no folder of Windows that can be read: `C:\\work` or `\\\\server\\share\\work`, without `..`, wildcards, streams or short names'
    : undefined
}
