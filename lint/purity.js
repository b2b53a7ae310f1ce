import { memberName } from './imports.js'
import { isPure, placeOfFile } from './places.js'

/** @import { GlobalScope, Reference, Rule } from './types.d.ts' */

/**
 * The global names whose meaning depends on nothing but their arguments. Everything else is refused, so that a new
 * way to the clock or the network need not be known here.
 */
const timeless = new Set([
  'AggregateError',
  'Array',
  'ArrayBuffer',
  'BigInt',
  'BigInt64Array',
  'BigUint64Array',
  'Boolean',
  'Buffer',
  'DataView',
  'Error',
  'EvalError',
  'Float32Array',
  'Float64Array',
  'Infinity',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'Iterator',
  'JSON',
  'Map',
  'NaN',
  'Number',
  'Object',
  'Promise',
  'Proxy',
  'RangeError',
  'ReferenceError',
  'Reflect',
  'RegExp',
  'Set',
  'String',
  'Symbol',
  'SyntaxError',
  'TextDecoder',
  'TextEncoder',
  'TypeError',
  'URIError',
  'URL',
  'URLSearchParams',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'WeakMap',
  'WeakSet',
  'arguments',
  'atob',
  'btoa',
  'decodeURI',
  'decodeURIComponent',
  'encodeURI',
  'encodeURIComponent',
  'isFinite',
  'isNaN',
  'parseFloat',
  'parseInt',
  'structuredClone',
  'undefined',
])

/** Methods that read the time zone or the locale of the machine. */
const ofThisMachine = new Set([
  'getDate',
  'getDay',
  'getFullYear',
  'getHours',
  'getMinutes',
  'getMonth',
  'getSeconds',
  'getTimezoneOffset',
  'localeCompare',
  'setDate',
  'setFullYear',
  'setHours',
  'setMinutes',
  'setMonth',
  'setSeconds',
  'toDateString',
  'toLocaleDateString',
  'toLocaleLowerCase',
  'toLocaleString',
  'toLocaleTimeString',
  'toLocaleUpperCase',
  'toTimeString',
])

/**
 * Keeps the clock, the environment, randomness and the network out of the rooms that decide.
 *
 * @type {Rule}
 */
export const pureRoom = {
  meta: { type: 'problem' },
  create(context) {
    const place = placeOfFile(context.filename)
    if (place === undefined || !isPure(place)) return {}
    return {
      'Program:exit': () => {
        for (const use of globalUses(context.sourceCode.scopeManager.globalScope)) {
          const message = impurity(use)
          if (message !== undefined) context.report({ node: use.identifier, message })
        }
      },
      MetaProperty: (node) => {
        if (node.meta.name !== 'import') return
        context.report({ node, message: 'a pure room does not know where it is installed' })
      },
      MemberExpression: (node) => {
        const name = memberName(node)
        if (name === undefined || !ofThisMachine.has(name)) return
        const message = `\`${name}\` depends on this machine's time zone or locale`
        context.report({ node: node.property, message })
      },
    }
  },
}

/**
 * Every use of a name that the file does not declare.
 *
 * @param {GlobalScope} scope
 * @returns {readonly Reference[]}
 */
function globalUses(scope) {
  if (scope === null) return []
  const known = scope.variables.filter((variable) => variable.defs.length === 0)
  /** @type {readonly Reference[]} */
  const uses = [...scope.through, ...known.flatMap((variable) => variable.references)]
  return uses.filter((use) => use.isValueReference === true)
}

/**
 * @param {Reference} use
 * @returns {string | undefined}
 */
function impurity(use) {
  const { name } = use.identifier
  if (name === 'Date') return isFixedDate(use) ? undefined : clock
  if (name === 'Math') return isArithmetic(use) ? undefined : chance
  if (name === 'Intl') return isFixedFormat(use) ? undefined : locale
  if (timeless.has(name)) return undefined
  return `a pure room does not use \`${name}\`; take what it gives as an argument`
}

const clock = 'a pure room has no clock; take the time in milliseconds as an argument'
const locale =
  "a pure room does not know this machine's locale and zone; name both in `new Intl.DateTimeFormat('en-US', { timeZone })`"
const chance = 'a pure room draws no random numbers; take them as an argument'

/**
 * `new Date(ms)`, `Date.UTC(...)`, `Date.parse(...)`, `x instanceof Date`: all the rest can reach the clock or the
 * time zone, an alias of `Date` included.
 *
 * @param {Reference} use
 * @returns {boolean}
 */
function isFixedDate({ identifier }) {
  const { parent } = identifier
  if (parent.type === 'NewExpression' && parent.callee === identifier) {
    return parent.arguments.length === 1 && parent.arguments[0]?.type !== 'SpreadElement'
  }
  if (parent.type === 'BinaryExpression') return parent.operator === 'instanceof'
  const name = memberName(parent)
  return name === 'UTC' || name === 'parse'
}

/**
 * `Math.max(...)` and the like, but neither `Math.random` nor an alias of `Math`.
 *
 * @param {Reference} use
 * @returns {boolean}
 */
function isArithmetic({ identifier }) {
  const name = memberName(identifier.parent)
  return name !== undefined && name !== 'random'
}

/**
 * `new Intl.DateTimeFormat('en-US', { timeZone: … })` with both arguments written out, and the list of zones: the same
 * on every machine, as far as these have the same time zones.
 *
 * @param {Reference} use
 * @returns {boolean}
 */
function isFixedFormat({ identifier }) {
  const { parent } = identifier
  const name = memberName(parent)
  if (name === 'supportedValuesOf') return true
  const made = parent.parent
  if (name !== 'DateTimeFormat' || made?.type !== 'NewExpression') return false
  const [locales, options] = made.arguments
  if (locales?.type !== 'Literal' || options?.type !== 'ObjectExpression') return false
  return options.properties.some(
    (property) =>
      property.type === 'Property' &&
      property.key.type === 'Identifier' &&
      property.key.name === 'timeZone',
  )
}
