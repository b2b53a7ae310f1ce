/** A file of its own per case, so that each complaint can be told from the next. */
export interface PlantedImport {
  readonly name: string
  /** Where the file is planted. */
  readonly path: string
  readonly code: string
  /** Part of the complaint; absent where there must be none. */
  readonly says?: RegExp
}

/** Imports that the table of rooms refuses. */
export const refusedImports: readonly PlantedImport[] = [
  {
    name: 'a value from a room that the table does not name',
    path: 'src/json/a01.ts',
    code: `import { a } from '../event/event.ts'\n/** It is a. */\nexport const b = a`,
    says: /^json may import only errors, limits, not event/,
  },
  {
    name: 'a type counts as an import',
    path: 'src/transport/a02.ts',
    code: `import type { A } from '../json/value.ts'\n/** It is B. */\nexport type B = A`,
    says: /not json/,
  },
  {
    name: 'an inline type counts too',
    path: 'src/transport/a03.ts',
    code: `import { type A } from '../json/value.ts'\n/** It is B. */\nexport type B = A`,
    says: /not json/,
  },
  {
    name: 'a passed-on export',
    path: 'src/transport/a04.ts',
    code: `export { a } from '../json/value.ts'`,
    says: /not json/,
  },
  {
    name: 'everything passed on',
    path: 'src/transport/a05.ts',
    code: `export * from '../json/value.ts'`,
    says: /not json/,
  },
  {
    name: 'everything passed on under a name',
    path: 'src/transport/a06.ts',
    code: `export * as a from '../json/value.ts'`,
    says: /not json/,
  },
  {
    name: 'types passed on',
    path: 'src/transport/a07.ts',
    code: `export type { A } from '../json/value.ts'`,
    says: /not json/,
  },
  {
    name: 'a dynamic import',
    path: 'src/transport/a08.ts',
    code: `/** It is a. */\nexport const a: unknown = await import('../json/value.ts')`,
    says: /not json/,
  },
  {
    name: 'a dynamic import by a template',
    path: 'src/transport/a09.ts',
    code: '/** It is a. */\nexport const a: unknown = await import(`../json/value.ts`)',
    says: /not json/,
  },
  {
    name: 'a computed import',
    path: 'src/cli/a10.ts',
    code: '/** It is a. */\nexport const a = (b: string): unknown => import(`../${b}/value.ts`)',
    says: /computed/,
  },
  {
    name: 'a type written as an import',
    path: 'src/transport/a11.ts',
    code: `/** It is A. */\nexport type A = import('../json/value.ts').JsonValue`,
    says: /not json/,
  },
  {
    name: 'a type query of an import',
    path: 'src/transport/a12.ts',
    code: `/** It is A. */\nexport type A = typeof import('../json/value.ts')`,
    says: /not json/,
  },
  {
    name: 'a required module',
    path: 'src/transport/a13.ts',
    code: `/** It is a. */\nexport const a: unknown = require('../json/value.ts')`,
    says: /not json/,
  },
  {
    name: 'a resolved module',
    path: 'src/transport/a14.ts',
    code: `/** It is a. */\nexport const a: unknown = require.resolve('../json/value.ts')`,
    says: /not json/,
  },
  {
    name: 'an import assignment',
    path: 'src/transport/a15.ts',
    code: `import a = require('../json/value.ts')\n/** It is b. */\nexport const b: unknown = a`,
    says: /not json/,
  },
  {
    name: 'a side effect',
    path: 'src/transport/a16.ts',
    code: `import '../json/value.ts'`,
    says: /not json/,
  },
  {
    name: 'a path that takes a detour through its own folder',
    path: 'src/json/a17.ts',
    code: `export { a } from './../event/event.ts'`,
    says: /not event/,
  },
  {
    name: 'a path that takes a detour through src',
    path: 'src/json/deep/a18.ts',
    code: `export { a } from './../../event/event.ts'`,
    says: /not event/,
  },
  {
    name: 'a path from a folder two levels down',
    path: 'src/json/deep/er/a19.ts',
    code: `export { a } from '../../../event/event.ts'`,
    says: /not event/,
  },
  {
    name: 'a path that leaves src',
    path: 'src/cli/a20.ts',
    code: `export { a } from '../../test/support/lint.ts'`,
    says: /leads out of src/,
  },
  {
    name: 'a path that leaves src and comes back in disguise',
    path: 'src/json/a21.ts',
    code: `export { a } from '../../src/event/event.ts'`,
    says: /not event/,
  },
  {
    name: 'the library from inside',
    path: 'src/cli/a22.ts',
    code: `export { a } from '../index.ts'`,
    says: /nothing imports src\/index\.ts/,
  },
  {
    name: 'a room as a whole',
    path: 'src/json/a23.ts',
    code: `export { a } from '..'`,
    says: /leads out of src/,
  },
  {
    name: 'an encoded path',
    path: 'src/json/a24.ts',
    code: `export { a } from '../%65vent/event.ts'`,
    says: /without %/,
  },
  {
    name: 'an address',
    path: 'src/json/a25.ts',
    code: `export { a } from 'file:///event/event.ts'`,
    says: /may not import the package/,
  },
  {
    name: 'an absolute path',
    path: 'src/json/a26.ts',
    code: `export { a } from '/src/event/event.ts'`,
    says: /may not import the package/,
  },
  {
    name: 'the package by its own name',
    path: 'src/cli/a27.ts',
    code: `export { a } from 'capfence'`,
    says: /not a dependency/,
  },
  {
    name: 'an import map entry',
    path: 'src/cli/a28.ts',
    code: `export { a } from '#event'`,
    says: /without %/,
  },
  {
    name: 'a worker that runs a file of another room',
    path: 'src/transport/a29.ts',
    code: `/** It is a. */\nexport const a: URL = new URL('../json/value.ts', import.meta.url)`,
    says: /not json/,
  },
  {
    name: 'a Node module in a pure room',
    path: 'src/json/a30.ts',
    code: `import { readFileSync } from 'node:fs'\n/** It is a. */\nexport const a = readFileSync`,
    says: /json is pure/,
  },
  {
    name: 'a Node module without its prefix in a pure room',
    path: 'src/policy/a31.ts',
    code: `import { readFileSync } from 'fs'\n/** It is a. */\nexport const a = readFileSync`,
    says: /write `node:fs`/,
  },
  {
    name: 'a part of a Node module without its prefix',
    path: 'src/storage/a32.ts',
    code: `import { readFile } from 'fs/promises'\n/** It is a. */\nexport const a = readFile`,
    says: /write `node:fs\/promises`/,
  },
  {
    name: 'the types of a Node module in a pure room',
    path: 'src/audit/a33.ts',
    code: `import type { Stats } from 'node:fs'\n/** It is A. */\nexport type A = Stats`,
    says: /audit is pure/,
  },
  {
    name: 'a Node module that exists only with its prefix',
    path: 'src/json/a34.ts',
    code: `import test from 'node:test'\n/** It is a. */\nexport const a = test`,
    says: /json is pure/,
  },
  {
    name: 'child processes outside the rooms that hold them',
    path: 'src/proxy/a35.ts',
    code: `import { spawn } from 'node:child_process'\n/** It is a. */\nexport const a = spawn`,
    says: /only transport, anchor, probe, cli may import `node:child_process`/,
  },
  {
    name: 'a Node module that no room may hold',
    path: 'src/cli/a36.ts',
    code: `import { runInThisContext } from 'node:vm'\n/** It is a. */\nexport const a = runInThisContext`,
    says: /no room may import `node:vm`/,
  },
  {
    name: 'a Node module by the back door',
    path: 'src/json/a37.ts',
    code: `/** It is a. */\nexport const a = (p: NodeJS.Process): unknown => p.getBuiltinModule('fs')`,
    says: /import Node modules by name/,
  },
  {
    name: 'the database outside its room',
    path: 'src/runtime/a38.ts',
    code: `import Database from 'better-sqlite3'\n/** It is a. */\nexport const a = Database`,
    says: /runtime may not import the package `better-sqlite3`/,
  },
  {
    name: "the database's types outside its room",
    path: 'src/audit/a39.ts',
    code: `import type { Database } from 'better-sqlite3'\n/** It is A. */\nexport type A = Database`,
    says: /audit may not import the package `better-sqlite3`/,
  },
  {
    name: 'another database outside its room',
    path: 'src/proxy/a40.ts',
    code: `import pg from 'pg'\n/** It is a. */\nexport const a: unknown = pg`,
    says: /proxy may not import the package `pg`/,
  },
  {
    name: 'a package in a room that has none',
    path: 'src/json/a41.ts',
    code: `import { z } from 'zod'\n/** It is a. */\nexport const a = z`,
    says: /json may not import the package `zod`/,
  },
  {
    name: 'a part of a package',
    path: 'src/mcp/a42.ts',
    code: `import { A } from '@modelcontextprotocol/client/stdio'\n/** It is a. */\nexport const a: unknown = A`,
    says: /mcp may not import the package `@modelcontextprotocol\/client`/,
  },
  {
    name: 'a package that users will not have',
    path: 'src/cli/a43.ts',
    code: `import { test } from 'vitest'\n/** It is a. */\nexport const a = test`,
    says: /`vitest` is not a dependency/,
  },
  {
    name: 'an impure file of a room of mixed purity, from its pure part',
    path: 'src/runtime/decide-a44.ts',
    code: `export { a } from './action-runtime.ts'`,
    says: /runtime\/decide-a44\.ts is pure and runtime\/action-runtime\.ts is not/,
  },
  {
    name: 'an impure file of a room of mixed purity, from a pure room',
    path: 'src/replay/a45.ts',
    code: `export { a } from '../runtime/action-runtime.ts'`,
    says: /replay is pure and runtime\/action-runtime\.ts is not/,
  },
  {
    name: 'the random source of crypto, from a pure room',
    path: 'src/audit/a48.ts',
    code: `import { systemRandom } from '../crypto/random.ts'\n/** It is a. */\nexport const a = systemRandom`,
    says: /audit is pure and crypto\/random\.ts is not/,
  },
  {
    name: 'what only looks like a type at run time, from a pure room',
    path: 'src/audit/a49.ts',
    code: `import { type RandomSource } from '../crypto/random.ts'\n/** It is A. */\nexport type A = RandomSource`,
    says: /audit is pure and crypto\/random\.ts is not/,
  },
  {
    name: 'random bytes in the pure part of crypto',
    path: 'src/crypto/sha256-a50.ts',
    code: `import { createHash, randomBytes } from 'node:crypto'\n/** It is a. */\nexport const a = [createHash, randomBytes]`,
    says: /crypto\/sha256-a50\.ts is pure/,
  },
  {
    name: 'a Node module as a whole in the pure part of crypto',
    path: 'src/crypto/sha256-a51.ts',
    code: `import * as crypto from 'node:crypto'\n/** It is a. */\nexport const a = crypto`,
    says: /crypto\/sha256-a51\.ts is pure/,
  },
  {
    name: 'a hash from a pure room that must ask crypto for it',
    path: 'src/audit/a52.ts',
    code: `import { createHash } from 'node:crypto'\n/** It is a. */\nexport const a = createHash`,
    says: /audit is pure/,
  },
  {
    name: 'the clock by a Node module, in the pure part of a room',
    path: 'src/runtime/decide/a46.ts',
    code: `import { performance } from 'node:perf_hooks'\n/** It is a. */\nexport const a = performance`,
    says: /is pure/,
  },
  {
    name: 'a room that the table does not know',
    path: 'src/utils/a47.ts',
    code: `/** It is a. */\nexport const a = 1`,
    says: /src\/utils is no room/,
  },
  {
    name: 'a file beside the rooms',
    path: 'src/helpers.ts',
    code: `/** It is a. */\nexport const a = 1`,
    says: /belongs into a room/,
  },
  {
    name: 'a room from what every room may import',
    path: 'src/errors.ts',
    code: `export { a } from './json/value.ts'`,
    says: /may import only|imports nothing/,
  },
  {
    name: 'the outside from what every room may import',
    path: 'src/limits.ts',
    code: `export { a } from 'node:os'`,
    says: /imports nothing/,
  },
]
