import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** What the compiler said when dist could not be built; empty when dist is up to date. */
    readonly buildFailure: string
  }
}

/**
 * Brings dist up to date once, before any test.
 *
 * A failed build fails only the tests that ask for dist (`dist.ts`): the others run the sources.
 */
export function setup(project: TestProject): void {
  const script = fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url))
  const build = spawnSync(process.execPath, [script], { encoding: 'utf8' })
  const failure = `${build.stdout}${build.stderr}`.trim()
  project.provide('buildFailure', build.status === 0 ? '' : failure || 'the build failed')
}
