import type { PlantedImport } from './refused-imports.ts'

/** Imports that the table of rooms allows. */
export const allowedImports: readonly PlantedImport[] = [
  {
    name: 'a file beside it',
    path: 'src/json/b01.ts',
    code: `export { a } from './value.ts'`,
  },
  {
    name: "the room's own sub-folder",
    path: 'src/json/b02.ts',
    code: `export { a } from './deep/value.ts'`,
  },
  {
    name: 'the room from its own sub-folder',
    path: 'src/json/deep/b03.ts',
    code: `export { a } from '../value.ts'`,
  },
  {
    name: "the room from its sub-folder's sub-folder",
    path: 'src/json/deep/er/b04.ts',
    code: `export { a } from '../../value.ts'`,
  },
  {
    name: 'one sub-folder from another',
    path: 'src/json/deep/b05.ts',
    code: `export { a } from '../other/value.ts'`,
  },
  {
    name: 'errors and limits',
    path: 'src/json/b06.ts',
    code: `export { a } from '../errors.ts'\nexport { b } from '../limits.ts'`,
  },
  {
    name: 'errors and limits from a sub-folder',
    path: 'src/json/deep/b07.ts',
    code: `export { a } from '../../errors.ts'\nexport { b } from './../../limits.ts'`,
  },
  {
    name: 'what the table names',
    path: 'src/policy/b08.ts',
    code: `export { a } from '../json/value.ts'\nexport type { B } from '../event/event.ts'`,
  },
  {
    name: 'what the table names, from a sub-folder',
    path: 'src/policy/deep/b09.ts',
    code: `export { a } from '../../event/deep/event.ts'`,
  },
  {
    name: 'any room from the command line',
    path: 'src/cli/deep/b10.ts',
    code: `export { a } from '../../storage/sqlite.ts'\nexport { b } from '../../proxy/hub.ts'`,
  },
  {
    name: 'a package of the room',
    path: 'src/storage/b11.ts',
    code: `export type { Database } from 'better-sqlite3'`,
  },
  {
    name: 'a declared package from the command line',
    path: 'src/cli/b12.ts',
    code: `export { Command } from 'commander'\nexport { z } from 'zod'`,
  },
  {
    name: 'a Node module in a room that does things',
    path: 'src/storage/b13.ts',
    code: `export { readFileSync } from 'node:fs'\nexport { readFile } from 'node:fs/promises'`,
  },
  {
    name: 'child processes in transport',
    path: 'src/transport/b14.ts',
    code: `export { spawn } from 'node:child_process'`,
  },
  {
    name: 'the state, from the pure part of runtime',
    path: 'src/runtime/decide-b15.ts',
    code: `export type { Store } from './store.ts'\nexport { a } from './decide/order.ts'`,
  },
  {
    name: 'the clock, outside the pure part of runtime',
    path: 'src/runtime/b16.ts',
    code: `/** It is a. */\nexport const a = (): number => Date.now()`,
  },
  {
    name: 'anything from a test',
    path: 'test/json/b17.test.ts',
    code: `export { a } from '../../src/json/value.ts'\nexport { b } from '../../src/cli/run.ts'`,
  },
  {
    name: 'a file that is only read, by its address',
    path: 'src/cli/b18.ts',
    code: `/** It is a. */\nexport const a: URL = new URL('../../package.json', import.meta.url)`,
  },
  {
    name: 'the pure part of crypto, from a pure room',
    path: 'src/audit/b19.ts',
    code: `export { sha256Hex } from '../crypto/sha256.ts'`,
  },
  {
    name: 'a type that leaves nothing at run time, from a pure room',
    path: 'src/audit/b20.ts',
    code: `export type { RandomSource } from '../crypto/random.ts'`,
  },
  {
    name: 'a hash in the pure part of crypto',
    path: 'src/crypto/sha256-b21.ts',
    code: `export { createHash, createHmac } from 'node:crypto'`,
  },
  {
    name: 'random bytes in the rest of crypto',
    path: 'src/crypto/random-b22.ts',
    code: `export { randomBytes } from 'node:crypto'`,
  },
  {
    name: 'everything from the library',
    path: 'src/index.ts',
    code: `export { a } from './storage/sqlite.ts'\nexport { b } from './event/event.ts'`,
  },
  {
    name: 'what the page is bundled with, in the page',
    path: 'src/dashboard/web/c90.ts',
    code: `import { h } from 'preact'\n/** It is b. */\nexport const b = h`,
  },
]
