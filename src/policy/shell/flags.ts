/** Spellings of one flag in well-known commands; of any other flag only its own letter or name is known. */
const spellings: readonly (readonly string[])[] = [
  ['r', 'R', 'recursive', 'recurse'],
  ['f', 'force'],
  ['y', 'yes', 'assume-yes'],
  ['a', 'all'],
  ['d', 'delete'],
  ['n', 'dry-run'],
]

/** Whether a word of a command may set a flag. */
export type FlagTest = (word: string) => boolean

/**
 * Whether a word may set the flag that is written as `r`, `-r`, `force` or `--force`: among other letters (`-rf`), in
 * full or shortened (`--recurs`), with a value, as PowerShell has it (`-Recurse`) or Windows (`/f`).
 */
export function flagTest(written: string): FlagTest {
  const flag = flagName(written)
  const names = spellings.find((one) => one.includes(flag)) ?? [flag]
  const letters = names.filter((name) => name.length === 1)
  const longs = names.filter((name) => name.length > 1).map((name) => name.toLowerCase())
  return (word) => {
    const parts = /^(?<dash>[-\u2010-\u2015\u2212]{1,2}|\/)(?<name>[^=:]+)/u.exec(word)?.groups
    if (parts === undefined) return false
    const { dash = '', name = '' } = parts
    if (dash === '/')
      return letters.some((letter) => letter === name || letter === name.toLowerCase())
    if (dash.length === 1 && letters.some((letter) => name.includes(letter))) return true
    const long = name.toLowerCase()
    return longs.some((one) => one.startsWith(long) || long.startsWith(`${one}-`))
  }
}

/** A flag without what stands before it on a command line. */
export function flagName(written: string): string {
  return written.replace(/^(?:--?|\/)/, '')
}
