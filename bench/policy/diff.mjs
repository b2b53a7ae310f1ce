// Prints how long it takes to say of which calls two policies of a hundred rules say something else, milliseconds:
// `{firstMs, againMs}`, the first time in this fresh process, as `capfence policy diff` does it, and once its code is warm.
import { createRequire } from 'node:module'
import process from 'node:process'

import { comparePolicies } from '../../dist/policy/analysis/compare.js'
import { loadPolicy } from '../../dist/policy/load.js'
import { provideParsers } from '../../dist/policy/parsers.js'
import { quantile } from './timing.mjs'

const runs = 12
const require = createRequire(import.meta.url)
provideParsers({
  regex: () => require('re2js'),
  shell: () => require('unbash'),
  postgres: () => require('libpg-query'),
})

const [before, now] = [policyOf(0), policyOf(1)]
const times = Array.from({ length: runs }, () => {
  const start = performance.now()
  const { allowed, approvable, denied } = comparePolicies(before, now)
  const ms = performance.now() - start
  const regions = [...allowed, ...approvable, ...denied]
  if (regions.length === 0 || regions.some(({ example }) => example === undefined))
    throw new Error('a difference was not found, or not proven')
  return ms
})
process.stdout.write(
  `${JSON.stringify({ firstMs: times[0], againMs: quantile(times.slice(runs / 2), 0.5) })}\n`,
)

/** A hundred rules about twenty servers; one in ten is about something else when `shift` is not 0. */
function policyOf(shift) {
  const lists = { deny: [], require_approval: [], allow: [] }
  for (let at = 0; at < 100; at += 1) {
    const rule = ruleOf(at % 10 === 0 ? at + shift : at)
    lists[Object.keys(lists)[(at * 7) % 3]].push(`  - ${rule}\n`)
  }
  const text = Object.entries(lists).map(([list, rules]) => `${list}:\n${rules.join('')}`)
  return loadPolicy([{ path: 'bench.yaml', text: text.join('') }])
}

function ruleOf(at) {
  const server = at % 20
  const kinds = [
    `{capability: fs${server}.read.ws, args: {/path: {under: /srv/${at}}}}`,
    `{capability: pay${server}.execute, amount_gt: ${100 * at}}`,
    `{capability: sh${server}.exec, contains: "rm -rf ${at}"}`,
    `{capability: http${server}.get, args: {/url: {host: ["*.h${at}.com"], scheme: https}}}`,
    `{capability: "db${server}.*", args: {/sql: {starts_with: "select ${at}", max_length: 500}}, environment: "prod*"}`,
    `{capability: "fs${server}.*", args: {/path: {regex: "^/srv/[a-z]+/${at}/.*[.]txt$"}}}`,
  ]
  return kinds[at % kinds.length]
}
