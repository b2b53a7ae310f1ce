import { assert } from '../../errors.ts'
import { foldText } from '../fold.ts'
import { globMatches } from '../glob.ts'
import type { MatcherKind } from '../matcher.ts'
import { costs } from '../matcher.ts'
import { readChecked } from '../read-needles.ts'
import { truthOf } from '../truth.ts'
import { urlOf } from './url.ts'
import type { UrlFacts } from './url.ts'

/**
 * `host`: the argument is a URL or a host, and the host is one of these.
 *
 * `*.example.com` is every host below `example.com`, but not that one itself; elsewhere `*` stands inside of one label.
 * A grant without a port means the port of the scheme, `host:8443` another one and `host:*` any; a guard without a port
 * means all of them.
 */
export const host: MatcherKind<readonly string[]> = {
  read: (source, entry) =>
    readChecked(source, entry, {
      wanted: 'a host such as `api.example.com`, or a list of them',
      check: (text) =>
        readPattern(text) === undefined
          ? {
              says: 'is no host',
              hint: 'write `api.example.com`, `*.example.com` or `localhost:8080`, without scheme, user or path',
            }
          : undefined,
    }),
  compile: (texts) => {
    const patterns = texts.map((text) => {
      const pattern = readPattern(text)
      assert(pattern !== undefined, 'the loader refuses what is no host')
      return pattern
    })
    return {
      may: (argument) => {
        const url = urlOf(argument)
        if (url === undefined) return 'indeterminate'
        if (patterns.some((pattern) => mayBe(url, pattern))) return 'true'
        // What one reader takes for another host than the next may be the one that is guarded.
        return url.isPlain && url.host !== '' ? 'false' : 'indeterminate'
      },
      must: (argument) => {
        const url = urlOf(argument)
        if (url?.isPlain !== true || url.host === '') return 'indeterminate'
        return truthOf(patterns.some((pattern) => mustBe(url, pattern)))
      },
    }
  },
  cost: costs.path,
}

interface HostPattern {
  /** As the URL standard writes it, from the left; the first one may be `*` for one or more. */
  readonly labels: readonly string[]
  /** The same in the letters of the file. */
  readonly written: readonly string[]
  /** Undefined when none is given, `*` for any. */
  readonly port: string | undefined
}

const shape = /^(?<name>\[[0-9a-f:.]+\]|[^\s/\\?#@:[\]]+)(?::(?<port>[0-9]{1,5}|\*))?$/iu

function readPattern(text: string): HostPattern | undefined {
  const parts = shape.exec(text)?.groups
  const name = parts?.['name']?.toLowerCase()
  if (name === undefined || foldText(name) !== name) return undefined
  const written = labelsOf(name)
  if (written.includes('') || (written.length > 1 && written.at(-1)?.includes('*') === true))
    return undefined
  const labels = labelsOf(standard(name) ?? '')
  // An address in another notation would be compared with one that never looks like it.
  if (labels.length !== written.length) return undefined
  return { labels, written, port: parts?.['port'] }
}

/** A host as the URL standard writes it; a star is a letter to it. */
function standard(name: string): string | undefined {
  const stand = 'xstarx'
  if (name.includes(stand)) return undefined
  try {
    return new URL(`http://${name.replaceAll('*', stand)}`).hostname.replaceAll(stand, '*')
  } catch {
    // The caller says that it is no host.
    return undefined
  }
}

function labelsOf(name: string): readonly string[] {
  return name.startsWith('[') ? [name] : name.split('.')
}

function mayBe(url: UrlFacts, { labels, port }: HostPattern): boolean {
  const isPort = port === undefined || port === '*' || port === portOf(url)
  return isPort && isBelow(labelsOf(url.host), labels)
}

function mustBe(url: UrlFacts, { labels, written, port }: HostPattern): boolean {
  const isPort = port === '*' || (port === undefined ? url.port === '' : port === portOf(url))
  if (!isPort || !isBelow(labelsOf(url.host), labels)) return false
  return url.written === url.host || isBelow(labelsOf(url.written), written)
}

const usualPorts: ReadonlyMap<string | undefined, string> = new Map([
  ['http', '80'],
  ['ws', '80'],
  ['https', '443'],
  ['wss', '443'],
  ['ftp', '21'],
])

function portOf({ port, scheme }: UrlFacts): string | undefined {
  return port === '' ? usualPorts.get(scheme) : port
}

function isBelow(labels: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern
  const isOpen = first === '*'
  if (isOpen ? labels.length < pattern.length : labels.length !== pattern.length) return false
  const fixed = isOpen ? rest : pattern
  const start = labels.length - fixed.length
  return fixed.every((wanted, index) => globMatches(wanted, labels[start + index] ?? ''))
}
