// Builds dist from src: JavaScript and types by the TypeScript compiler, then the executable bit on the command.
// Does nothing when dist was built from exactly these sources; `--force` builds anyway.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = join(root, 'node_modules/typescript/bin/tsc')
const dist = join(root, 'dist')
const stamp = join(dist, '.built-from')

main()

function main() {
  // Without sources or compiler there is nothing to build: an installed package, or `npm ci --omit=dev`.
  if (!existsSync(join(root, 'src'))) return
  if (!existsSync(compiler)) {
    console.error('capfence: dist is not built, because the development dependencies are missing')
    return
  }
  const sources = digestOfSources()
  if (!process.argv.includes('--force') && readStamp() === sources) return
  build(sources)
}

/**
 * Builds beside dist and then swaps, so that a command that runs meanwhile never sees half a build.
 *
 * @param {string} sources
 */
function build(sources) {
  const fresh = join(root, `.dist-${String(process.pid)}`)
  const stale = `${fresh}-stale`
  try {
    execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
      cwd: root,
      stdio: 'inherit',
    })
    chmodSync(join(fresh, 'cli/main.js'), 0o755)
    writeFileSync(join(fresh, '.built-from'), sources)
    if (existsSync(dist)) renameSync(dist, stale)
    renameSync(fresh, dist)
  } catch {
    // The compiler has said on standard error what is wrong.
    process.exitCode = 1
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    rmSync(stale, { recursive: true, force: true })
  }
}

/** Names and contents of everything the build depends on; file times say nothing after a checkout. */
function digestOfSources() {
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const tools = ['package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs']
  const hash = createHash('sha256')
  for (const path of [...sources, ...tools.map((name) => join(root, name))]) {
    hash.update(`${path}\0`).update(readFileSync(path)).update('\0')
  }
  return hash.digest('hex')
}

/** @returns {string | undefined} */
function readStamp() {
  return existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined
}
