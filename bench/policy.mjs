// What one decision costs: beside one look-up in a Map, beside other engines on the same workload, and at its worst.
import { spawnSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

import { worstDecision } from './policy/worst.mjs'

const sizes = [10, 100, 1000, 10_000]
const engines = ['capfence', 'cedar', 'casbin', 'casl']
const loadRuns = 5
const diffRuns = 5

/**
 * Times decisions at 10, 100, 1,000 and 10,000 rules, in microseconds, and the load of the largest policy, milliseconds,
 * and the comparison of two policies of a hundred rules, milliseconds, each in a fresh process.
 *
 * @throws Error when an engine gives another answer than the workload expects
 */
export function policyBench() {
  const rows = sizes.map((rules) => {
    const found = engines.map((name) => [name, runJson('one.mjs', name, rules)])
    return { rules, engines: Object.fromEntries(found) }
  })
  const loads = Array.from({ length: loadRuns }, () => runJson('load.mjs', sizes.at(-1)))
  const diffs = Array.from({ length: diffRuns }, () => runJson('diff.mjs'))
  return {
    rows,
    loadMs: median(loads),
    diff: {
      firstMs: median(diffs.map(({ firstMs }) => firstMs)),
      againMs: median(diffs.map(({ againMs }) => againMs)),
    },
    worst: worstDecision(),
  }
}

function median(values) {
  return values.toSorted((one, other) => one - other)[values.length >> 1]
}

function runJson(program, ...args) {
  const path = fileURLToPath(new URL(`policy/${program}`, import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.execPath, [path, ...args.map(String)], {
    encoding: 'utf8',
  })
  if (status === 0) return JSON.parse(stdout)
  throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`)
}
