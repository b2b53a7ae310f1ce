// Judges a folder of corpora with the built package: `npm run corpora -- [DIR]`; exits 1 when a target is missed,
// 2 when there is nothing to judge.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { ActionEvent, escapeName } from '../dist/index.js'
import { loadPolicy } from '../dist/policy/load.js'
import { parsersReady } from '../dist/policy/parsers.js'
import { PolicyError } from '../dist/policy/problem.js'
import { judgeLearning } from './corpora-learn.mjs'
import { judgeSuites } from './corpora-suites.mjs'

const folder = process.argv[2] ?? '../shared/corpora'

/** A policy of one rule, or undefined when its value cannot be written so: then nothing is allowed. */
function allow(rule) {
  try {
    return loadPolicy([{ path: 'corpora.yaml', text: JSON.stringify({ allow: [rule] }) }])
  } catch (error) {
    if (error instanceof PolicyError) return undefined
    throw error
  }
}

/** Whether a rule allows a call; what is no event is refused. */
async function allows(rule, args, names = {}) {
  const policy = allow(rule)
  await parsersReady()
  try {
    const fields = { actor: 'agent', resource: 'x', action: 'y', scope: 'z', ...names }
    return policy?.decide(ActionEvent.create({ ...fields, arguments: args })).decision === 'allow'
  } catch (error) {
    if (error.code === 'EVENT_INVALID') return false
    throw error
  }
}

const aimed = (pointer, matchers) => ({ capability: 'x.y', args: { [pointer]: matchers } })

function underRoots({
  policy: { allow_root: root, allow_roots: roots = [root] },
  arguments: args,
}) {
  return allows(aimed('/path', { under: roots.filter((one) => one !== '') }), args)
}

async function caseIsRight({ policy: text, files = {}, event, expected, accept = [] }) {
  let answer
  try {
    const policy = loadPolicy([{ path: 'p.yaml', text }], (path) =>
      path in files ? { path, text: files[path] } : { fault: 'does not exist' },
    )
    await parsersReady()
    answer = policy.decide(ActionEvent.create(event)).decision
  } catch (error) {
    if (error instanceof PolicyError) answer = 'policy_error'
    else if (error.code === 'EVENT_INVALID') answer = 'deny'
    else throw error
  }
  return [expected, ...accept].includes(answer)
}

const isAttack = ({ label }) => label === 'attack'
const isBenign = ({ label }) => label === 'benign'

/** Each row of the table: the file, which rows count, what is allowed, and what must hold of the benign ones. */
const corpora = [
  {
    name: 'paths, plain and encoded',
    file: 'payloads/paths.jsonl',
    allowed: (row) =>
      allows(aimed('/path', { under: row.policy.allow_root }), { path: pathOf(row) }),
    benignMustPass: true,
  },
  {
    name: 'paths of the official server',
    file: 'payloads/path_prefix_official.jsonl',
    // `./file` depends on where that server was started, the others that are left out on its disk.
    counts: (row) => row.needs_filesystem !== true && row.arguments.path !== './file',
    allowed: underRoots,
    benignMustPass: true,
  },
  {
    name: 'URLs',
    file: 'payloads/urls.jsonl',
    allowed: (row) =>
      allows(aimed('/url', { host: row.policy.allow_hosts, scheme: ['https', 'http'] }), {
        url: row.arguments.url ?? row.arguments.path,
      }),
    benignMustPass: true,
  },
  {
    name: 'shell, `only`',
    file: 'payloads/shell.jsonl',
    allowed: (row) =>
      allows(
        aimed('/command', { shell: { only: row.policy.allow_command_prefixes ?? ['ls', 'cat'] } }),
        row.arguments,
      ),
    benignMustPass: false,
  },
  {
    name: 'SQL, `only: [select]`',
    file: 'payloads/sql.jsonl',
    allowed: (row) => allows(aimed('/sql', { sql: { only: ['select'] } }), row.arguments),
    benignMustPass: false,
  },
  {
    name: 'names of tools',
    file: 'names/name_variants.jsonl',
    allowed: (row) =>
      allows(
        { capability: `${escapeName(row.server)}.${escapeName(row.denied_name)}` },
        {},
        { resource: escapeName(row.server), action: escapeName(row.tool), tool: row.tool },
      ),
    benignMustPass: false,
  },
]

/** The path that a call names, whatever its tool calls it. */
function pathOf({ arguments: args }) {
  return args.path ?? Object.values(args).find((value) => typeof value === 'string')
}

function rowsOf(file) {
  const text = readFileSync(join(folder, file), 'utf8').trim()
  return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line))
}

async function allowedOf(rows, allowed) {
  const kept = []
  for (const row of rows) if (await allowed(row)) kept.push(row)
  return kept
}

const lines = [['corpus', 'attacks let through', 'benign refused', '']]
const missed = []
let judged = 0

async function judgeCases() {
  const file = 'policy_cases.json'
  if (!existsSync(join(folder, file))) {
    lines.push(['policy cases', `no ${file}`, '', 'not counted'])
    return
  }
  const { cases } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  const wrong = []
  judged += cases.length
  for (const one of cases) if (!(await caseIsRight(one))) wrong.push(one.id)
  lines.push(['policy cases', `${wrong.length} wrong of ${cases.length}`, '', verdict(wrong)])
}

function verdict(wrong) {
  missed.push(...wrong)
  return wrong.length === 0 ? 'ok' : `missed: ${wrong.slice(0, 8).join(' ')}`
}

async function judge({ name, file, counts = () => true, allowed, benignMustPass }) {
  if (!existsSync(join(folder, file))) {
    lines.push([name, `no ${file}`, '', 'not counted'])
    return
  }
  const rows = rowsOf(file).filter(counts)
  const attacks = rows.filter(isAttack)
  const benign = rows.filter(isBenign)
  judged += attacks.length + benign.length
  const through = await allowedOf(attacks, allowed)
  const passed = new Set(await allowedOf(benign, allowed))
  const refused = benign.filter((row) => !passed.has(row))
  const wrong = [...through, ...(benignMustPass ? refused : [])].map(({ id }) => id)
  lines.push([
    name,
    `${through.length} of ${attacks.length}`,
    `${refused.length} of ${benign.length}`,
    verdict(wrong),
  ])
}

await judgeCases()
for (const corpus of corpora) await judge(corpus)
const widths = [0, 1, 2].map((at) => Math.max(...lines.map((line) => line[at].length)))
for (const line of lines) {
  process.stdout.write(
    `${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}\n`.trimEnd() + '\n',
  )
}
for (const part of [judgeSuites, judgeLearning]) {
  const found = await part(folder)
  for (const line of found.lines) process.stdout.write(`${line}\n`)
  for (const text of found.missed) process.stdout.write(`missed: ${text}\n`)
  missed.push(...found.missed)
  judged += found.judged
}
if (judged === 0) {
  process.stderr.write(
    `nothing to judge in ${folder}: expected files named as above, with rows in them\n`,
  )
}
process.exitCode = judged === 0 ? 2 : missed.length === 0 ? 0 : 1
