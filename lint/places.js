/**
 * Where a file or a specifier points: a room, the lobby, a package, a Node module.
 *
 * @typedef {object} Place
 * @property {string} room the first folder under src, or the empty string for a file directly under src
 * @property {string} path the rest of the path, with `/`
 */
import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rooms } from './table.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * @typedef {object} Manifest
 * @property {object} [dependencies]
 * @property {object} [optionalDependencies]
 * @property {object} [peerDependencies]
 */

const manifest = /** @type {Manifest} */ (JSON.parse(readFileSync(`${root}/package.json`, 'utf8')))

/** Packages that an installed CapFence has; development dependencies are not there. */
const declaredPackages = new Set(
  [manifest.dependencies, manifest.optionalDependencies, manifest.peerDependencies].flatMap(
    (list) => Object.keys(list ?? {}),
  ),
)

/**
 * The place of a source file.
 *
 * @param {string} filename an absolute path
 * @returns {Place | undefined} undefined when it is not under src
 */
export function placeOfFile(filename) {
  return placeOfPath(relative(root, filename).split(sep).join('/'))
}

/**
 * @param {string} path relative to the project, with `/`
 * @returns {Place | undefined}
 */
function placeOfPath(path) {
  const match = /^src\/(?:(?<room>[^/]+)\/)?(?<rest>.+)$/.exec(path)
  if (match?.groups === undefined) return undefined
  return { room: match.groups['room'] ?? '', path: match.groups['rest'] ?? '' }
}

/**
 * The place that a relative specifier means.
 *
 * @param {Place} from
 * @param {string} specifier starts with `.`
 * @returns {Place | undefined} undefined when it leaves src
 */
export function placeOfSpecifier(from, specifier) {
  const folder = posix.dirname(posix.join('src', from.room, from.path))
  return placeOfPath(posix.join(folder, specifier))
}

/**
 * Whether a file may read no clock, file, environment or random source.
 *
 * @param {Place} place
 */
export function isPure(place) {
  const pure = rooms[place.room]?.pure ?? []
  return pure === 'all' || pure.some((start) => place.path.startsWith(start))
}

/**
 * The name of the Node module that a specifier means, without `node:` and without a subpath.
 *
 * @param {string} specifier
 * @returns {string | undefined} undefined when it is none
 */
export function nodeModule(specifier) {
  if (!specifier.startsWith('node:') && !isBuiltin(specifier)) return undefined
  return specifier.replace(/^node:/, '').split('/')[0]
}

/**
 * The npm package that a bare specifier means.
 *
 * @param {string} specifier
 */
export function packageName(specifier) {
  const parts = specifier.split('/')
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier)
}

/**
 * Whether an installed CapFence has this package.
 *
 * @param {string} name
 */
export function isDeclared(name) {
  return declaredPackages.has(name)
}
