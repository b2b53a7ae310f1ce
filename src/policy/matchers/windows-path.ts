import { limits } from '../../limits.ts'
import type { Truth } from '../answer.ts'
import { foldText } from '../fold.ts'
import { truthOf } from '../truth.ts'

/** A path with its drive or share, normalised as Windows does before it asks a disk. */
export interface WindowsPath {
  /** `c:` or `//server/share`. */
  readonly root: string
  readonly names: readonly string[]
  /** The path without regard to case. */
  readonly folded: string
}

/** Whether a text begins with a drive or as a share does, so that it can only be meant for Windows. */
export function isWindowsPath(text: string): boolean {
  return /^(?:[A-Za-z]:|\\\\)/.test(text)
}

/** Prepares a folder of a rule; undefined when it cannot be read, or is not written as Windows would write it. */
export function readFolder(text: string): WindowsPath | undefined {
  return text.length > limits.maxPathCharacters || /[/\\]\.\.?(?:[/\\]|$)/.test(text)
    ? undefined
    : readPlain(text)
}

/** Whether a path lies in one of the folders, for a guard as for a grant: one that cannot be read may lie anywhere. */
export function isUnderWindows(text: string, folders: readonly WindowsPath[]): Truth {
  const path = readPlain(text)
  return path === undefined ? 'indeterminate' : truthOf(folders.some((one) => isBelow(path, one)))
}

/** Wildcards, streams, quotes, variables, escapes, and what hides or turns text around. */
const unreadable = /[<>"|?*%$`^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u
/** Devices are files in every folder, also with an extension; the superscript digits count. */
const device = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(?:\.|$)/i
const shortName = /~[0-9]/
/** What a code page of Windows makes a backslash, a slash or a colon of, besides what NFKC does. */
const bestFit = /[¥₩∕⁄⧸⧹∖⧵։׃ː˸∶꞉]/u

function readPlain(text: string): WindowsPath | undefined {
  if (text.length > limits.maxPathCharacters) return undefined
  const path = withoutFileScheme(text).replaceAll('/', '\\')
  const parts = /^(?<root>[A-Za-z]:|\\\\[^\\.?][^\\]*\\[^\\]+)(?<rest>\\.*)?$/su.exec(path)?.groups
  const root = parts?.['root']
  // `C:x` and `\x` depend on where the server stands; `\\?\` and `\\.\` are names that nothing normalises.
  if (root === undefined || !isReadable(path.slice(2))) return undefined
  const names = normalise((parts?.['rest'] ?? '').split('\\'))
  // A server and a share are names like any other, without the dots that climb.
  const isSound = names !== undefined && root.slice(2).split('\\').every(isStable)
  if (!isSound) return undefined
  const whole = [root.replaceAll('\\', '/'), ...names].join('/')
  const folded = foldText(whole)
  return folded === undefined ? undefined : { root, names, folded }
}

function withoutFileScheme(text: string): string {
  return /^file:\/\/\/(?<path>[A-Za-z]:\/[^?#]*)$/i.exec(text)?.groups?.['path'] ?? text
}

function isReadable(rest: string): boolean {
  if (unreadable.test(rest) || bestFit.test(rest) || rest.includes(':')) return false
  if (/[^\0-\x7f]/.test(rest) && /[\\/:~.%]/.test(compatible(rest))) return false
  // Notations that some servers decode stand for a slash or a dot here as well.
  return !/0x(?:2e|2f|5c|25|00)|&#/i.test(rest)
}

/** What compatibility characters become, without what was plain already. */
function compatible(text: string): string {
  return text.replace(/[\0-\x7f]+/g, '').normalize('NFKC')
}

/** Takes out `.`, `..` and empty names; undefined when a name is one that Windows changes or reads otherwise. */
function normalise(parts: readonly string[]): readonly string[] | undefined {
  const names: string[] = []
  for (const part of parts) {
    if (part === '' || part === '.') continue
    // Above a drive or a share there is nothing, whatever somebody hoped to find there.
    if (part === '..') {
      if (names.pop() === undefined) return undefined
    } else if (isStable(part)) names.push(part)
    else return undefined
  }
  return names
}

/** Whether a name stays what it is: dots and spaces at its end are dropped, devices and short names are others. */
function isStable(name: string): boolean {
  if (name === '') return true
  return !/^\s|[.\s]$/u.test(name) && !device.test(name) && !shortName.test(name)
}

/** Case is nothing to Windows, neither for a guard nor for a grant. */
function isBelow(path: WindowsPath, folder: WindowsPath): boolean {
  if (!path.folded.startsWith(folder.folded)) return false
  return path.folded.length === folder.folded.length || path.folded[folder.folded.length] === '/'
}
