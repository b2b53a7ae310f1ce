import { createRequire } from 'node:module'

import { provideParsers } from '../policy/parsers.ts'

interface Packages {
  readonly re2js: typeof import('re2js')
  readonly unbash: typeof import('unbash')
  readonly 'libpg-query': typeof import('libpg-query')
}

// Not `import`, which would load all of them at once, and not `import()`, which comes too late to refuse a pattern while
// its file is read.
const require: <Name extends keyof Packages>(name: Name) => Packages[Name] = createRequire(
  import.meta.url,
)

/** Tells policies where their parsers are; none is loaded until a rule asks for it. */
export function installParsers(): void {
  provideParsers({
    regex: () => require('re2js'),
    shell: () => require('unbash'),
    postgres: () => require('libpg-query'),
  })
}
