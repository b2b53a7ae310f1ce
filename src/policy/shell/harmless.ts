/** What a harmless command must not be told. */
interface Dangers {
  /** Options of one letter. */
  readonly letters: string
  /** Long options without their dashes. */
  readonly options: readonly string[]
}

const none: Dangers = { letters: '', options: [] }
/** `git` writes a file or starts a program for these. */
const gitShows: Dangers = {
  letters: '',
  options: ['output', 'ext-diff', 'textconv', 'show-signature', 'open-files-in-pager'],
}

/**
 * Commands that only read and print, whatever they are told, but for the options that are named here.
 *
 * Not here is what runs others (`find`, `xargs`, `env`), what can be told to write (`sort -o`, `uniq`, `tee`, `sed -i`)
 * or to change the machine (`date`, `hostname`), and every pager.
 */
const harmless: ReadonlyMap<string, Dangers> = new Map([
  ...[
    ...'ls pwd cat head tail wc nl cut tr cmp comm echo true false whoami id uname du df'.split(
      ' ',
    ),
    ...'stat basename dirname realpath readlink cksum md5sum sha1sum sha256sum sha512sum'.split(
      ' ',
    ),
    ...'grep egrep fgrep which ps uptime free jq'.split(' '),
  ].map((name): [string, Dangers] => [name, none]),
  ['file', { letters: 'CzZ', options: ['compile', 'uncompress', 'uncompress-noreport'] }],
  ['diff', { letters: 'l', options: ['paginate'] }],
  ['tree', { letters: 'oR', options: ['output'] }],
  ['rg', { letters: 'z', options: ['pre', 'hostname-bin', 'search-zip'] }],
  ...['git status', 'git ls-files', 'git rev-parse', 'git blame', 'git describe'].map(
    (name): [string, Dangers] => [name, none],
  ),
  ...['git diff', 'git log', 'git show'].map((name): [string, Dangers] => [name, gitShows]),
])

/** The words at the beginning of a command that make it a harmless one; undefined when it is none. */
export function harmlessStart(words: readonly string[]): string | undefined {
  return [words.slice(0, 1), words.slice(0, 2)]
    .map((start) => start.join(' '))
    .find((start) => harmless.has(start))
}

/** Whether a harmless command stays so with one more word. */
export function isHarmlessWith(start: string, word: string): boolean {
  const dangers = harmless.get(start)
  if (dangers === undefined) return false
  if (word.startsWith('--')) {
    const [name = ''] = word.slice(2).split('=')
    // `--outp` is `--output` to most readers of options.
    return name === '' || !dangers.options.some((option) => option.startsWith(name))
  }
  if (!word.startsWith('-')) return true
  return !Array.from(dangers.letters).some((letter) => word.includes(letter))
}
