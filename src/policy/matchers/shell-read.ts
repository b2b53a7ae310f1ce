import { printable } from '../../event/printable.ts'
import { readCheckedMap } from '../read-needles.ts'
import type { TextCheck, WrittenFault } from '../read-needles.ts'
import type { Source } from '../read-value.ts'
import { limits } from '../../limits.ts'
import { flagName } from '../shell/flags.ts'
import { isTooWide, readListed } from '../shell/only.ts'
import type { YamlEntry } from '../yaml.ts'

/** What `shell` asks: one of `runs` with all of `flags`, or else `only`. */
export interface ShellData {
  /** Commands, each with operands that must be there; names may hold `*`. */
  readonly runs: readonly string[]
  readonly flags: readonly string[]
  /** Whole commands, or beginnings of commands; empty when the question is what runs. */
  readonly only: readonly string[]
}

/** Reads the value of `shell`; undefined after saying everything that is wrong with it. */
export function readShell(source: Source, entry: YamlEntry): ShellData | undefined {
  const read = readCheckedMap(source, entry, wanted, checks)
  if (read === undefined) return undefined
  const data = {
    runs: read.get('runs') ?? [],
    flags: read.get('flags') ?? [],
    only: read.get('only') ?? [],
  }
  const fault = combinationFault(data)
  if (fault === undefined) return data
  source.report.add({ offset: entry.value.start, code: 'policy-value', ...fault })
  return undefined
}

function combinationFault({
  runs,
  flags,
  only,
}: ShellData): { readonly message: string; readonly hint: string } | undefined {
  if (only.length > 0 && (runs.length > 0 || flags.length > 0)) {
    const hint = 'a guard asks what a text `runs`, a grant that it runs `only` these'
    return { message: '`shell` has `only` beside `runs` or `flags`', hint }
  }
  if (only.length === 0 && runs.length === 0) {
    const hint = 'name the command that the flags belong to: `runs: rm`'
    return { message: '`shell` has `flags` without `runs`', hint }
  }
  return undefined
}

const wanted = 'a mapping such as `{runs: rm, flags: [r, f]}` or `{only: [ls, git status]}`'
const checks: ReadonlyMap<keyof ShellData, TextCheck> = new Map([
  ['runs', { wanted: 'a command such as `rm` or `git push`, or a list of them', check: runsFault }],
  ['flags', { wanted: 'a flag such as `r` or `force`, or a list of them', check: flagFault }],
  ['only', { wanted: 'a list of commands such as `[ls, git status]`', check: onlyFault }],
])

function runsFault(text: string): WrittenFault | undefined {
  if (text.length > limits.maxNeedleCharacters) return tooLong
  const [name = '', ...operands] = text.split(' ')
  if (!/^[\p{L}\p{N}_.+@*[-]+$/u.test(name) || !/[^*]/.test(name)) {
    return {
      says: 'is no command',
      hint: 'write its name without a folder, and behind it the words that must follow, such as `git push`',
    }
  }
  const odd = operands.find((word) => word === '' || word.startsWith('-') || word.includes('*'))
  if (odd === undefined) return undefined
  return { says: `holds \`${printable(odd)}\``, hint: 'write options under `flags`, without `*`' }
}

function flagFault(text: string): WrittenFault | undefined {
  if (text.length > limits.maxNeedleCharacters) return tooLong
  return /^\w[\w-]*$/.test(flagName(text))
    ? undefined
    : {
        says: 'is no flag',
        hint: 'write one letter or the name of a long option; all of them must be there',
      }
}

function onlyFault(text: string): WrittenFault | undefined {
  if (text.length > limits.maxNeedleCharacters) return tooLong
  const listed = readListed(text)
  if (listed === undefined) {
    return {
      says: 'is no command that every shell reads alike',
      hint: 'write plain words without quotes; ` *` at the end lets operands follow',
    }
  }
  if (!isTooWide(listed)) return undefined
  return {
    says: 'can run anything',
    hint: 'write the whole command, with every argument, such as `npm test` or `python3 build.py`',
  }
}

const tooLong: WrittenFault = { says: `is longer than ${limits.maxNeedleCharacters} characters` }
