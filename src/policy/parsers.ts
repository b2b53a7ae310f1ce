/** The packages that read other languages for the matchers, by what they read. */
interface Packages {
  readonly regex: typeof import('re2js')
  readonly shell: typeof import('unbash')
  readonly postgres: typeof import('libpg-query')
}

/** Gives each package when it is asked for, and loads it only then. */
export type ParserPackages = { readonly [Name in keyof Packages]: () => Packages[Name] }

/** What of a package the matchers use; undefined where it is not at hand, or not ready. */
interface Parsers {
  /** A package is kept by whoever gives it. */
  packages: ParserPackages | undefined
  /** The parsers of WebAssembly that can be asked; it is made ready in its own time. */
  readonly ready: Set<keyof Packages>
  readonly preparing: Map<keyof Packages, Promise<void>>
}

/**
 * One for the whole process: a parser is a function of its text, and loading it twice would only cost memory.
 *
 * A policy loads nothing by itself. Whoever builds the parts says once where packages come from, and a matcher asks for
 * its own when a rule is compiled; a gate without such rules never loads any of them.
 */
const parsers: Parsers = {
  packages: undefined,
  ready: new Set(),
  preparing: new Map(),
}

/** Says where the packages come from. */
export function provideParsers(packages: ParserPackages): void {
  parsers.packages = packages
}

/** The engine for regular expressions; undefined when no packages were provided. */
export function regexEngine(): Packages['regex'] | undefined {
  return parsers.packages?.regex()
}

/** The parser of shell commands; undefined when no packages were provided. */
export function shellParser(): Packages['shell'] | undefined {
  return parsers.packages?.shell()
}

/** The parser of PostgreSQL; undefined until `parsersReady` has resolved after the first call. */
export function postgresParser(): Packages['postgres'] | undefined {
  const found = parsers.packages?.postgres()
  if (found === undefined || parsers.ready.has('postgres')) return found
  prepare('postgres', () => found.loadModule())
  return undefined
}

/** Resolves when every parser that was asked for can be used, or has failed and never will be. */
export async function parsersReady(): Promise<void> {
  await Promise.all(parsers.preparing.values())
}

function prepare(name: keyof Packages, start: () => Promise<void>): void {
  if (parsers.preparing.has(name)) return
  const preparation = start().then(
    () => void parsers.ready.add(name),
    // A parser that cannot be made ready leaves its rules indeterminate: they hold or deny, and never allow.
    () => undefined,
  )
  parsers.preparing.set(name, preparation)
}
