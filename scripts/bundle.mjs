// Makes the command of the sources in src/cli: few files, because a client waits for the first reply of `capfence run`,
// and every module that is looked up, read and linked on its own makes it wait longer.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { licencesOf } from './licences.mjs'

/** @import { ChunkingContext, CodeSplittingGroup } from 'rolldown' */

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * What `run` loads, one after the other: what it takes to start the server, to speak to the client, and to decide. Each
 * stage is one file, with everything that an earlier one does not hold already.
 */
const stages = ['run', 'gate', 'open-gate']

/**
 * Packages that become part of the command. `yaml` is eighty small files, which take longer to load than to run; all
 * other packages are loaded from where they are installed.
 */
const bundled = ['yaml']

/**
 * Of the two builds that `yaml` has of one source, the one for browsers is made of modules: nothing of it that is not
 * used is taken along, and what is takes half as long to load. The other differs by what prints when it is debugged.
 */
const yamlModules = join(root, 'node_modules/yaml/browser/dist/index.js')

/**
 * Writes `cli/main.js` and what it loads, with source maps.
 *
 * @param {string} folder the output folder, absolute
 */
export async function bundleCommand(folder) {
  const build = await rolldown({
    cwd: root,
    input: { 'cli/main': join(root, 'src/cli/main.ts') },
    platform: 'node',
    resolve: { alias: { yaml: yamlModules } },
    external: (id) => isPackage(id) && !bundled.includes(id),
    onLog: (level, log, print) => {
      // A warning would be read by nobody.
      print(level === 'warn' ? 'error' : level, log)
    },
  })
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'cli/chunks/[name].js',
    codeSplitting: { groups: stages.map(groupOf) },
  })
  await build.close()
  const chunks = output.filter((file) => file.type === 'chunk')
  writeFileSync(join(folder, 'cli/chunks/LICENSES.txt'), licencesOf(chunks))
}

/** @param {string} id what an import names, or the path of a module */
function isPackage(id) {
  return /^(?:@[\w.-]+\/)?[\w-][\w.-]*(?:\/|$)/.test(id) && !id.startsWith('node:')
}

/**
 * @param {string} stage
 * @param {number} index
 * @returns {CodeSplittingGroup}
 */
function groupOf(stage, index) {
  const entry = join(root, `src/cli/${stage}.ts`)
  /** @type {ReadonlySet<string> | undefined} */
  let modules
  return {
    debugName: stage,
    priority: stages.length - index,
    name: (id, context) => {
      modules ??= staticallyImported(entry, context)
      return modules.has(id) ? stage : null
    },
  }
}

/**
 * A module and all that is loaded with it.
 *
 * @param {string} entry
 * @param {ChunkingContext} context
 * @returns {ReadonlySet<string>}
 */
function staticallyImported(entry, context) {
  const modules = new Set([entry])
  for (const id of modules) {
    for (const imported of context.getModuleInfo(id)?.importedIds ?? []) modules.add(imported)
  }
  return modules
}
