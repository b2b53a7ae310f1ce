/** One line of a `.gitignore`. */
interface IgnoreLine {
  /** Its parts between `/`; `**` stands for any number of them. */
  readonly parts: readonly string[]
  readonly isNegative: boolean
  readonly isFolderOnly: boolean
}

/** The lines of a `.gitignore`, and the folder that they are about. */
export interface IgnoreFile {
  /** Relative to what is scanned, with `/`; empty for that itself. For a folder above it, `^` and the way down. */
  readonly folder: string
  readonly lines: readonly IgnoreLine[]
}

/** The most lines that one file is read for, count, and characters of one line. */
const most = { lines: 10_000, characters: 1024 }

/** Reads a `.gitignore` as git does (gitignore(5)). */
export function ignoreFile(folder: string, text: string): IgnoreFile {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .slice(0, most.lines)
    .flatMap(lineOf)
  return { folder, lines }
}

function lineOf(written: string): readonly IgnoreLine[] {
  // Blanks at the end count only when they are escaped.
  const line = written.replace(/\r$/, '').replace(/(?<!\\)[ \t]+$/, '')
  if (line === '' || line.startsWith('#') || line.length > most.characters) return []
  const isNegative = line.startsWith('!')
  const rest = isNegative ? line.slice(1) : line
  const isFolderOnly = rest.endsWith('/')
  const path = isFolderOnly ? rest.slice(0, -1) : rest
  if (path === '') return []
  // Without a `/` before its end it is about names in every folder below.
  const parts = path.includes('/') ? path.replace(/^\//, '').split('/') : ['**', path]
  return [{ parts, isNegative, isFolderOnly }]
}

/**
 * Whether git leaves a path out, by the files that are about it: the last line that fits says.
 *
 * @param path relative to what is scanned, with `/`
 * @param files from the top of the repository down
 */
export function isLeftOut(path: string, isFolder: boolean, files: readonly IgnoreFile[]): boolean {
  for (const { folder, lines } of files.toReversed()) {
    const parts = (folder === '' ? path : relativeTo(folder, path)).split('/')
    const line = lines.findLast(
      (one) => (isFolder || !one.isFolderOnly) && partsFit(one.parts, parts),
    )
    if (line !== undefined) return !line.isNegative
  }
  return false
}

function relativeTo(folder: string, path: string): string {
  return folder.startsWith('^') ? `${folder.slice(1)}/${path}` : path.slice(folder.length + 1)
}

/** Whether the parts of a pattern fit those of a path, in time that grows with the product of both. */
function partsFit(pattern: readonly string[], path: readonly string[]): boolean {
  // reached[i]: the pattern up to the current part fits the first i parts of the path.
  let reached = path.map(() => false)
  reached = [true, ...reached]
  for (const [index, part] of pattern.entries()) {
    const next = [false, ...path.map(() => false)]
    if (part === '**') {
      let isOpen = false
      // At its end it stands for what is inside, not for the folder itself.
      const isLast = index === pattern.length - 1
      for (let at = 0; at < next.length; at += 1) {
        next[at] = isLast ? isOpen : isOpen || reached[at] === true
        isOpen ||= reached[at] === true
      }
    } else {
      for (let at = 0; at < path.length; at += 1)
        next[at + 1] = reached[at] === true && nameFits(part, path[at] ?? '')
    }
    reached = next
  }
  return reached.at(-1) === true
}

interface Piece {
  readonly fits: (character: string) => boolean
  readonly isAny: boolean
}

const pieces = new Map<string, readonly Piece[]>()

/** Whether a name fits a pattern with `*`, `?`, `[a-z]` and `\`: at most one way back at a time, never a tree of them. */
function nameFits(pattern: string, name: string): boolean {
  const known = pieces.get(pattern) ?? piecesOf(pattern)
  pieces.set(pattern, known)
  const characters = name.split('')
  let [at, from] = [0, 0]
  let [star, held] = [-1, 0]
  while (from < characters.length) {
    const piece = known[at]
    if (piece?.isAny === true) {
      star = at
      held = from
      at += 1
    } else if (piece?.fits(characters[from] ?? '') === true) {
      at += 1
      from += 1
    } else if (star >= 0) {
      at = star + 1
      held += 1
      from = held
    } else return false
  }
  while (known[at]?.isAny === true) at += 1
  return at === known.length
}

function piecesOf(pattern: string): readonly Piece[] {
  const found: Piece[] = []
  const characters = pattern.split('')
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? ''
    if (character === '*') found.push({ fits: () => true, isAny: true })
    else if (character === '?') found.push({ fits: () => true, isAny: false })
    else if (character === '[') {
      const end = classEnd(characters, at)
      if (end === undefined) return [{ fits: () => false, isAny: false }]
      found.push({ fits: classFits(characters.slice(at + 1, end)), isAny: false })
      at = end
    } else {
      const escaped = character === '\\' ? characters[(at += 1)] : character
      found.push({ fits: (one) => one === escaped, isAny: false })
    }
  }
  return found
}

function classEnd(characters: readonly string[], start: number): number | undefined {
  const first = /[!^]/.test(characters[start + 1] ?? '') ? start + 2 : start + 1
  const text = characters.join('')
  // A `]` that stands first is one of the characters; one that ends `[:digit:]` ends only that.
  for (let at = characters[first] === ']' ? first + 1 : first; at < characters.length; at += 1) {
    const character = characters[at]
    if (character === ']') return at
    if (character === '\\') at += 1
    else if (character === '[' && characters[at + 1] === ':') {
      const close = text.indexOf(':]', at + 2)
      if (close !== -1) at = close + 1
    }
  }
  return undefined
}

const kinds: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  digit: /\d/,
  lower: /[a-z]/,
  upper: /[A-Z]/,
  space: /\s/,
}

function classFits(inside: readonly string[]): (character: string) => boolean {
  const isNegative = /^[!^]$/.test(inside[0] ?? '')
  const text = (isNegative ? inside.slice(1) : inside).join('')
  const ranges = Array.from(
    text.matchAll(/\[:(?<kind>\w+):\]|(?<from>\\?.)-(?<to>\\?.)|(?<one>\\?.)/gsu),
    ({ groups = {} }) => {
      const { kind, from, to, one } = groups
      if (kind !== undefined) return (character: string) => kinds[kind]?.test(character) === true
      const low = bare(from ?? one)
      const high = bare(to ?? one)
      return (character: string) => character >= low && character <= high
    },
  )
  return (character) => ranges.some((range) => range(character)) !== isNegative
}

function bare(text = ''): string {
  return text.length > 1 ? text.slice(1) : text
}
