import { join } from 'node:path'
import { createContext, runInContext } from 'node:vm'
import { rolldown } from 'rolldown'
import type * as portable from '../../src/audit/portable/index.ts'
import { root } from '../support/root.ts'

/** What a browser has and the language has not, as far as the verifier may use it. */
const browser = { TextDecoder, TextEncoder, atob, btoa }

/** The portable verifier as a page would load it: one script, in a world without anything of Node. */
export async function portableInBrowser(): Promise<typeof portable> {
  const build = await rolldown({
    input: join(root, 'src/audit/portable/index.ts'),
    platform: 'browser',
  })
  const { output } = await build.generate({ format: 'iife', name: 'verifier' })
  await build.close()
  const [{ code }, ...more] = output
  if (more.length > 0) throw new Error('the verifier is one script')
  const page = createContext({ ...browser })
  const nodes: unknown = runInContext(
    '[typeof process, typeof Buffer, typeof require, typeof fetch]',
    page,
  )
  if (String(nodes) !== 'undefined,undefined,undefined,undefined') throw new Error('not a page')
  return runInContext(`${code};verifier`, page) as typeof portable
}
