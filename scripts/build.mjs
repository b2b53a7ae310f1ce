// Builds dist from src: the library and its types by the TypeScript compiler, module by module, and the command as a few
// large files (bundle.mjs). Does nothing when dist was built from exactly these sources; `--force` builds anyway.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
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
const bundler = join(root, 'node_modules/rolldown')
const dist = join(root, 'dist')
const stamp = join(dist, '.built-from')
const compilerFailure = new Error('the compiler failed')

await main()

async function main() {
  // Without sources or tools there is nothing to build: an installed package, or `npm ci --omit=dev`.
  if (!existsSync(join(root, 'src'))) return
  if (!existsSync(compiler) || !existsSync(bundler)) {
    console.error('capfence: dist is not built, because the development dependencies are missing')
    return
  }
  const sources = digestOfSources()
  if (!process.argv.includes('--force') && readStamp() === sources) return
  await build(sources)
}

/**
 * The grammar of Python, for `capfence scan`: one file of a package that holds those of sixteen languages, with its licence.
 *
 * @param {string} folder
 */
function copyGrammar(folder) {
  const from = join(root, 'node_modules/@vscode/tree-sitter-wasm')
  copyFileSync(join(from, 'wasm/tree-sitter-python.wasm'), join(folder, 'scan/python.wasm'))
  copyFileSync(join(from, 'LICENSE'), join(folder, 'scan/python.wasm.LICENSE'))
}

/**
 * Builds beside dist and then swaps, so that a command that runs meanwhile never sees half a build.
 *
 * @param {string} sources
 */
async function build(sources) {
  const fresh = join(root, `.dist-${String(process.pid)}`)
  const stale = `${fresh}-stale`
  try {
    compileLibrary(fresh)
    const { bundleCommand } = await import('./bundle.mjs')
    await bundleCommand(fresh)
    const { bundlePage } = await import('./bundle-page.mjs')
    await bundlePage(fresh)
    copyGrammar(fresh)
    chmodSync(join(fresh, 'cli/main.js'), 0o755)
    writeFileSync(join(fresh, '.built-from'), sources)
    if (existsSync(dist)) renameSync(dist, stale)
    renameSync(fresh, dist)
  } catch (error) {
    if (error !== compilerFailure) console.error(error)
    process.exitCode = 1
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    rmSync(stale, { recursive: true, force: true })
  }
}

/** @param {string} folder */
function compileLibrary(folder) {
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', folder]
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (error !== undefined) throw error
  // What is wrong, the compiler has said itself.
  if (status !== 0) throw compilerFailure
}

/** Names and contents of everything the build depends on; file times say nothing after a checkout. */
function digestOfSources() {
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const tools = [
    ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'],
    ...['build', 'bundle', 'bundle-page', 'licences'].map((name) => `scripts/${name}.mjs`),
  ]
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
