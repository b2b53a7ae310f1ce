import {
  isDeclared,
  isPure,
  nodeModule,
  packageName,
  placeOfFile,
  placeOfSpecifier,
} from './places.js'
import { bundledPackages, keptModules, lobby, rooms, timelessNames } from './table.js'

/**
 * @import { Place } from './places.js'
 * @import { Context, ExportSpecifier, ImportSpecifier, Node, Rule, Visitor } from './types.d.ts'
 */

/**
 * What an import takes of a module.
 *
 * @typedef {object} Taken
 * @property {boolean} [typesOnly] nothing of it is left at run time
 * @property {readonly string[]} [names] the exports it takes; absent when that can be any
 */

/**
 * Holds every import, of values and of types, static and dynamic, to the table of rooms.
 *
 * @type {Rule}
 */
export const roomImports = {
  meta: { type: 'problem' },
  create(context) {
    const from = placeOfFile(context.filename)
    return from === undefined ? {} : visitor(context, from)
  },
}

/**
 * @param {Context} context
 * @param {Place} from
 * @returns {Visitor}
 */
function visitor(context, from) {
  /** @type {(node: Node, message: string | undefined) => void} */
  const report = (node, message) => {
    if (message !== undefined) context.report({ node, message })
  }
  /** @type {(source: Node | null | undefined, taken?: Taken) => void} */
  const see = (source, taken) => {
    if (source === null || source === undefined) return
    const specifier = literalText(source)
    report(source, specifier === undefined ? computed : complaint(from, specifier, taken))
  }
  return {
    Program: (node) => report(node, strayFile(from)),
    ImportDeclaration: (node) =>
      see(node.source, {
        typesOnly: node.importKind === 'type',
        names: node.specifiers.map(takenName),
      }),
    ExportNamedDeclaration: (node) =>
      see(node.source, {
        typesOnly: node.exportKind === 'type',
        names: node.specifiers.map(takenName),
      }),
    ExportAllDeclaration: (node) => see(node.source, { typesOnly: node.exportKind === 'type' }),
    ImportExpression: (node) => see(node.source),
    TSImportType: (node) => see(node.source, { typesOnly: true }),
    TSExternalModuleReference: (node) => see(node.expression),
    CallExpression: (node) => {
      if (isRequire(node.callee)) see(node.arguments[0] ?? node)
    },
    NewExpression: (node) => {
      // A worker, or whoever else is handed such an address, runs the file without importing it.
      const [path, base] = node.arguments
      if (!isName(node.callee, 'URL') || path === undefined || base === undefined) return
      const specifier = literalText(path)
      if (specifier?.startsWith('.') !== true) return
      if (placeOfSpecifier(from, specifier) !== undefined) see(path)
    },
    MemberExpression: (node) => {
      if (memberName(node) === 'getBuiltinModule') report(node, hiddenModule)
    },
  }
}

const computed = 'an import that is computed cannot be held to the table of rooms; name the module'
const hiddenModule = 'import Node modules by name, so that the table of rooms can judge them'

/**
 * What is wrong with this import, if anything.
 *
 * @param {Place} from
 * @param {string} specifier
 * @param {Taken} taken
 * @returns {string | undefined}
 */
export function complaint(from, specifier, taken = {}) {
  // Node decodes `%2e` and cuts off `?query`, so such a path points elsewhere than it reads.
  if (/[%?#\\]/.test(specifier)) return `write \`${specifier}\` without % ? # or \\`
  if (/^\.{1,2}(?:\/|$)/.test(specifier)) return relativeComplaint(from, specifier, taken)
  const builtin = nodeModule(specifier)
  if (builtin !== undefined) return nodeComplaint(from, specifier, { builtin, names: taken.names })
  return packageComplaint(from, specifier)
}

/**
 * @param {Place} from
 * @param {string} specifier
 * @param {Taken} taken
 * @returns {string | undefined}
 */
function relativeComplaint(from, specifier, taken) {
  const to = placeOfSpecifier(from, specifier)
  if (to === undefined) return `\`${specifier}\` leads out of src`
  if (to.room === '') return lobbyComplaint(from, to)
  if (!mayEnter(from, to)) {
    return `${nameOf(from)} may import only ${allowed(from)}, not ${to.room} (lint/table.js)`
  }
  // Types are gone at run time, so they cannot bring the clock along.
  if (isPure(from) && !isPure(to) && taken.typesOnly !== true) {
    return `${nameOf(from)} is pure and ${to.room}/${to.path} is not (lint/table.js lists the pure files)`
  }
  return undefined
}

/**
 * @param {Place} from
 * @param {Place} to
 * @returns {string | undefined}
 */
function lobbyComplaint(from, to) {
  if (!lobby.shared.includes(to.path)) return `nothing imports src/${to.path}`
  if (from.room === '' && from.path !== lobby.library) return `src/${from.path} imports nothing`
  return undefined
}

/**
 * @param {Place} from
 * @param {Place} to
 */
function mayEnter(from, to) {
  if (from.room === '') return from.path === lobby.library
  const imports = rooms[from.room]?.imports ?? []
  return from.room === to.room || imports === 'any' || imports.includes(to.room)
}

/**
 * @param {Place} from
 * @param {string} specifier
 * @param {{ readonly builtin: string, readonly names: readonly string[] | undefined }} taken
 * @returns {string | undefined}
 */
function nodeComplaint(from, specifier, { builtin, names }) {
  if (!specifier.startsWith('node:')) return `write \`node:${specifier}\``
  if (isPure(from)) {
    const timeless = timelessNames[from.room]?.[builtin] ?? []
    const harmless = names !== undefined && names.length > 0
    if (harmless && names.every((name) => timeless.includes(name))) return undefined
    return `${nameOf(from)} is pure: take what \`${specifier}\` gives as an argument`
  }
  if (from.room === '') {
    return from.path === lobby.library ? undefined : `src/${from.path} imports nothing`
  }
  const keepers = keptModules[builtin]
  if (keepers === undefined || keepers.includes(from.room)) return undefined
  const who = keepers.length === 0 ? 'no room' : `only ${keepers.join(', ')}`
  return `${who} may import \`node:${builtin}\`, not ${from.room} (lint/table.js)`
}

/**
 * @param {Place} from
 * @param {string} specifier
 * @returns {string | undefined}
 */
function packageComplaint(from, specifier) {
  const name = packageName(specifier)
  if (from.room === '' && from.path !== lobby.library) return `src/${from.path} imports nothing`
  const packages = from.room === '' ? 'any' : (rooms[from.room]?.packages ?? [])
  if (packages !== 'any' && !packages.includes(name)) {
    return `${nameOf(from)} may not import the package \`${name}\` (lint/table.js)`
  }
  const bundledFor = bundledPackages[name]
  if (bundledFor !== undefined) {
    if (`${from.room}/${from.path}`.startsWith(bundledFor)) return undefined
    return `\`${name}\` is only bundled with what is under src/${bundledFor}`
  }
  return isDeclared(name) ? undefined : `\`${name}\` is not a dependency that users will have`
}

/**
 * @param {Place} from
 * @returns {string | undefined}
 */
function strayFile(from) {
  if (from.room === '') {
    const known = [...lobby.shared, lobby.library].includes(from.path)
    return known ? undefined : `src/${from.path} belongs into a room`
  }
  return rooms[from.room] === undefined ? `src/${from.room} is no room of lint/table.js` : undefined
}

/** @param {Place} place */
function nameOf(place) {
  const wholeRoom = !isPure(place) || rooms[place.room]?.pure === 'all'
  return wholeRoom ? place.room : `${place.room}/${place.path}`
}

/** @param {Place} from */
function allowed(from) {
  const imports = rooms[from.room]?.imports ?? []
  return imports === 'any' ? 'the rooms' : [...imports, 'errors', 'limits'].join(', ')
}

/**
 * The name that the other module gives to what a specifier takes; `*` and `default` are names, too.
 *
 * @param {ImportSpecifier | ExportSpecifier} specifier
 * @returns {string}
 */
function takenName(specifier) {
  if (specifier.type === 'ImportDefaultSpecifier') return 'default'
  if (specifier.type === 'ImportNamespaceSpecifier') return '*'
  const name = specifier.type === 'ImportSpecifier' ? specifier.imported : specifier.local
  return name.type === 'Literal' ? name.value : name.name
}

/**
 * The text of a string that is written out, `'x'` or `` `x` ``.
 *
 * @param {Node} node
 * @returns {string | undefined}
 */
function literalText(node) {
  if (node.type === 'Literal') return typeof node.value === 'string' ? node.value : undefined
  if (node.type !== 'TemplateLiteral' || node.expressions.length > 0) return undefined
  return node.quasis[0]?.value.cooked ?? undefined
}

/**
 * `require`, `require.resolve`, `createRequire(...)`.
 *
 * @param {Node} callee
 * @returns {boolean}
 */
function isRequire(callee) {
  if (callee.type === 'MemberExpression') return isName(callee.object, 'require')
  if (callee.type === 'CallExpression') return isName(callee.callee, 'createRequire')
  return isName(callee, 'require')
}

/**
 * @param {Node} node
 * @param {string} name
 */
function isName(node, name) {
  return node.type === 'Identifier' && node.name === name
}

/**
 * The name of the property that `object.name` or `object['name']` means.
 *
 * @param {Node} node
 * @returns {string | undefined}
 */
export function memberName(node) {
  if (node.type !== 'MemberExpression') return undefined
  if (node.computed) return literalText(node.property)
  return node.property.type === 'Identifier' ? node.property.name : undefined
}
