// Makes the operator's page of the sources in src/dashboard/web: one script, its style and its page; and the check of a
// proof as one file that needs nothing else, for whoever is handed a proof.
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { licencesOf } from './licences.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = join(root, 'src/dashboard/web')

/**
 * Writes the files of the page.
 *
 * @param {string} folder the output folder, absolute
 */
export async function bundlePage(folder) {
  const out = join(folder, 'dashboard/web')
  mkdirSync(out, { recursive: true })
  const page = await scriptOf('main.tsx')
  writeFileSync(join(out, 'page.js'), page.code)
  const enrol = await scriptOf('enrol-main.tsx')
  writeFileSync(join(out, 'enrol.js'), enrol.code)
  writeFileSync(join(out, 'LICENSES.txt'), licencesOf([page, enrol]))
  for (const name of ['index.html', 'enrol.html', 'page.css', 'icon.svg']) {
    copyFileSync(join(sources, name), join(out, name))
  }
  const check = await scriptOf('verify-main.tsx')
  writeFileSync(join(out, 'verify.html'), wholePage(check.code))
}

/** @param {string} entry */
async function scriptOf(entry) {
  const build = await rolldown({
    cwd: root,
    input: join(sources, entry),
    platform: 'browser',
    tsconfig: join(sources, 'tsconfig.json'),
    onLog: (level, log, print) => {
      print(level === 'warn' ? 'error' : level, log)
    },
  })
  const { output } = await build.generate({ format: 'esm', minify: true })
  await build.close()
  const [script, ...others] = output
  if (others.length > 0) throw new Error(`${entry} became more than one file`)
  return script
}

/**
 * The page of the check with its script and style inside; only these two may run, whoever hands it on.
 *
 * @param {string} code
 */
function wholePage(code) {
  // Inside a page this would end the script.
  if (/<\/script|<!--/i.test(code)) throw new Error('the script cannot stand in a page')
  const style = readFileSync(join(sources, 'page.css'), 'utf8')
  const text = readFileSync(join(sources, 'verify.html'), 'utf8')
  return put(
    put(
      put(put(text, '@script', hashOf(code)), '@style', hashOf(style)),
      '<style>',
      `<style>${style}`,
    ),
    '<script type="module">',
    `<script type="module">${code}`,
  )
}

/**
 * @param {string} text
 * @param {string} place
 * @param {string} part
 */
function put(text, place, part) {
  const pieces = text.split(place)
  if (pieces.length !== 2) throw new Error(`verify.html has no place for ${place}`)
  return pieces.join(part)
}

/** @param {string} text */
function hashOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}
