// Paths of the reference evaluator; see reference.ts.
import type { Truth } from './reference-json.ts'
import { fold } from './reference-value.ts'

const exactly = (name: string): string => name

/** Whether a path stands below another, name by name. */
export function below(path: string, prefix: string, as = exactly): Truth {
  const [one, other] = [steps(path), steps(prefix)]
  if (one.absolute !== other.absolute || one.names[0] === '..') return 'indeterminate'
  const same = other.names.every((name, at) => as(one.names[at] ?? '') === as(name))
  return same ? 'true' : 'false'
}

/** The same as a guard asks it: case aside, and not sure of a path that was below on its way. */
export function guardBelow(path: string, prefix: string): Truth {
  const value = below(path, prefix, fold)
  if (value !== 'false') return value
  // Everywhere the path has been on its way is a place where a link may lead elsewhere.
  const parts = path.split('/')
  const before = parts.flatMap((part, at) => (part === '..' ? [parts.slice(0, at).join('/')] : []))
  const touched = before.some((part) => below(part, prefix, fold) === 'true')
  return touched ? 'indeterminate' : 'false'
}

function steps(path: string): { readonly absolute: boolean; readonly names: readonly string[] } {
  const absolute = path.startsWith('/')
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.length > 0 && names.at(-1) !== '..') names.pop()
    else if (!absolute) names.push('..')
  }
  return { absolute, names }
}

export function withoutScheme(path: string): string | undefined {
  if (!path.trimStart().toLowerCase().startsWith('file:')) return path
  return /^file:\/\/(?:localhost)?(\/[^?#]*)$/i.exec(path)?.[1]
}

export function readable(path: string): boolean {
  if (path === '' || path.trimStart().startsWith('~') || path.includes('$')) return false
  if (/^\s*[A-Za-z][A-Za-z0-9+.-]*:/.test(path)) return false
  return !Array.from(path).some((character) => {
    return /^[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]$/u.test(character)
  })
}

/** All that a path turns into by any series of the ways in which servers change one. */
export function everyReading(path: string): {
  readonly texts: readonly string[]
  readonly complete: boolean
} {
  const texts = [path]
  for (let at = 0; at < texts.length; at += 1) {
    const text = texts[at] ?? ''
    const decoded = decodedOnce(text)
    if (decoded === undefined) return { texts, complete: false }
    for (const next of [
      decoded,
      denoted(text),
      withSlashes(text),
      compatible(text),
      trimmed(text),
    ]) {
      if (!texts.includes(next)) texts.push(next)
    }
  }
  return { texts, complete: true }
}

function decodedOnce(text: string): string | undefined {
  if (/%u[0-9a-f]{4}/i.test(text)) return undefined
  try {
    // A percent sign that begins no escape stands for itself.
    return decodeURIComponent(text.replace(/%(?![0-9a-f]{2})/gi, '%25'))
  } catch {
    return undefined
  }
}

/** The five characters that matter, in the notations of C, JavaScript and HTML. */
function denoted(text: string): string {
  const characters = ['.', '/', '\\', '%', '\0']
  const ways = characters.map((character) => {
    const code = character.charCodeAt(0)
    const hex = code.toString(16).padStart(2, '0')
    const html = `&#x0*${hex};?|&#0*${code};`
    return {
      character,
      way: new RegExp(`^(?:0x${hex};?|\\\\x${hex};?|\\\\u00${hex};?|${html})`, 'i'),
    }
  })
  let out = ''
  for (let rest = text; rest !== '';) {
    const found = ways.find(({ way }) => way.test(rest))
    const length = found === undefined ? 1 : (found.way.exec(rest)?.[0].length ?? 1)
    out += found === undefined ? rest.slice(0, 1) : found.character
    rest = rest.slice(length)
  }
  return out
}

function withSlashes(text: string): string {
  return text.split('\\').join('/')
}

function compatible(text: string): string {
  const slashes: Readonly<Record<string, string>> = { '⁄': '/', '∕': '/', '⧸': '/', '⧹': '\\' }
  return Array.from(text.normalize('NFKC'))
    .map((character) => slashes[character] ?? character)
    .join('')
}

function trimmed(text: string): string {
  return text
    .split('/')
    .map((part) =>
      part
        .split('\\')
        .map((name) => name.trim())
        .join('\\'),
    )
    .join('/')
}
