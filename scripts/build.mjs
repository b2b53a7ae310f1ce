// Builds dist from src: types and JavaScript by the TypeScript compiler, then the executable bit on the command.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
// An installed package has no sources and needs no build.
if (existsSync(`${root}/src`)) {
  rmSync(`${root}/dist`, { recursive: true, force: true })
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: 'inherit',
  })
  chmodSync(`${root}/dist/cli/main.js`, 0o755)
}
