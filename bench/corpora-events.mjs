// What the parts of `npm run corpora` have in common: calls of a corpus as events, and shares with their intervals.
import { readFileSync } from 'node:fs'
import { ActionEvent } from '../dist/index.js'
import { escapeName } from '../dist/event/name.js'
import { scanStrict, wanted } from '../dist/json/scan.js'

const encoder = new TextEncoder()

/** @param {string} suite @param {{tool: string, arguments: object}} call @param {string} session */
export function eventOf(suite, { tool, arguments: args }, session) {
  const { value } = scanStrict(encoder.encode(JSON.stringify(args)), wanted({}))
  return ActionEvent.of({
    actor: 'agent',
    capability: { resource: escapeName(suite), action: escapeName(tool), scope: 'corpus' },
    context: { tool, session },
    arguments: value,
  })
}

/** Wilson's interval of 95 %. @param {number} part @param {number} whole */
export function interval(part, whole) {
  if (whole === 0) return 'none'
  const z = 1.96
  const share = part / whole
  const middle = (share + z ** 2 / (2 * whole)) / (1 + z ** 2 / whole)
  const half =
    (z * Math.sqrt((share * (1 - share)) / whole + z ** 2 / (4 * whole ** 2))) /
    (1 + z ** 2 / whole)
  const percent = (/** @type {number} */ value) =>
    (100 * Math.min(1, Math.max(0, value))).toFixed(1)
  return `${percent(share)} % (${percent(middle - half)}–${percent(middle + half)})`
}

/** @param {string} file @returns {any[]} */
export function linesOf(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
