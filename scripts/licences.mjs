// The licences of what is passed on as a part of our own files.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** @import { OutputChunk } from 'rolldown' */

/**
 * The licences of the packages that became part of the command, which ask to be passed on with it.
 *
 * @param {readonly OutputChunk[]} chunks
 */
export function licencesOf(chunks) {
  const folders = chunks
    .flatMap(({ moduleIds }) => moduleIds)
    .map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id.replaceAll('\\', '/'))?.[0])
    .filter((found) => found !== undefined)
  return [...new Set(folders)].toSorted().map(licenceIn).join('\n')
}

/** @param {string} folder of a package */
function licenceIn(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const file = join(folder, 'LICENSE')
  if (!existsSync(file))
    throw new Error(`${name} is bundled, but has no licence in ${dirname(file)}`)
  return `${name} ${version}\n\n${readFileSync(file, 'utf8')}`
}
