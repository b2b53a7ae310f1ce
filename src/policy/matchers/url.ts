import { limits } from '../../limits.ts'
import type { Argument } from '../argument.ts'

/** What a URL, or a host that stands alone, says about where a request goes. */
export interface UrlFacts {
  /** In lower case; undefined for a host that stands alone. */
  readonly scheme: string | undefined
  /** As the URL standard writes it, less a dot at its end: lower case, punycode, IPv4 in four decimals, IPv6 in brackets; `''` for none. */
  readonly host: string
  /** The host as it is written, its ASCII letters in lower case. */
  readonly written: string
  /** `''` for the one that belongs to the scheme. */
  readonly port: string
  /** Whether every reader of URLs takes it for the same; otherwise the rest is one reader's opinion. */
  readonly isPlain: boolean
}

const known = new WeakMap<Argument, UrlFacts | undefined>()

/** Reads an argument as a URL or a host; undefined when nothing about it can be told. */
export function urlOf(argument: Argument): UrlFacts | undefined {
  if (!known.has(argument)) known.set(argument, readUrl(argument.text))
  return known.get(argument)
}

/**
 * What readers of URLs agree on: a scheme, two slashes, a host without user, escapes, backslashes or other notations of
 * addresses, and a port. Where one of them sees another host than the next there is a way past an allow list.
 */
const plain =
  /^(?:(?<scheme>[a-z][a-z0-9+.-]*):\/\/)?(?<host>[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}\p{M}_-]+)*\.?|\[[0-9a-f:.]+\])(?::(?<port>[0-9]{1,5}))?(?<rest>[/?#].*)?$/iu
/** White space, hidden characters and escaped line ends, which cut or split a request for some. */
const troubling = /[\s\\\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]|%0[0ad]/iu
/** Some take what stands before `@` for a user even behind `?` or `#`, as long as no slash ended the host. */
const lateUser = /^[?#][^/]*@/

function readUrl(text: string | undefined): UrlFacts | undefined {
  if (text === undefined || text.length > limits.maxUrlCharacters) return undefined
  const parts = troubling.test(text) ? undefined : plain.exec(text)?.groups
  const isAlone = parts !== undefined && parts['scheme'] === undefined
  // A path without a scheme is no URL, and no host either.
  if (isAlone && parts['rest'] !== undefined) return undefined
  const url = parse(isAlone ? `http://${text}` : text)
  if (url === undefined) return undefined
  const { hostname, port } = url
  const written = (parts?.['host'] ?? '').replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  const scheme = url.protocol.slice(0, -1)
  return {
    scheme: isAlone ? undefined : scheme,
    host: withoutRoot(hostname),
    written: withoutRoot(written),
    port,
    isPlain: parts !== undefined && isAgreed(url, written) && !lateUser.test(parts['rest'] ?? ''),
  }
}

/** A name that ends in a dot is the same name, written from the root of all names. */
function withoutRoot(name: string): string {
  return name.replace(/\.$/, '')
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    // The standard knows no such URL: the answer is that nothing is known.
    return undefined
  }
}

/** Whether the host was written as the standard writes it, or in letters that stand for exactly that punycode. */
function isAgreed({ hostname, username, password }: URL, written: string): boolean {
  if (username !== '' || password !== '') return false
  if (hostname === written) return true
  // Compatibility characters and the letters on which versions of IDNA differ are somebody else's host.
  const isAscii = /^[\0-\x7f]*$/.test(written)
  return !isAscii && written === written.normalize('NFKC').toLowerCase() && !/[ßςẞ]/.test(written)
}
