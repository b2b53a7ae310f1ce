import { inject } from 'vitest'
import { root } from './root.ts'

const failure = inject('buildFailure')
if (failure !== '') throw new Error(`this test runs dist, which could not be built:\n${failure}`)

/** The built output, absolute; it is up to date when this module loads. */
export const dist: string = `${root}/dist`

/** The command as users run it: `spawn(process.execPath, [cli, ...])`. */
export const cli: string = `${dist}/cli/main.js`
