import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

import { connect } from './client.ts'
import type { DemoClient, DemoReply } from './client.ts'
import { arrived, layOut } from './scenario.ts'
import type { Scenario } from './scenario.ts'

interface Step {
  readonly title: string
  readonly tool: string
  readonly arguments: (scenario: Scenario) => Readonly<Record<string, unknown>>
  /** What the reply has to be for the demonstration to be true. */
  readonly holds: (reply: DemoReply) => boolean
}

const decided = (decision: string, rule?: string) => (reply: DemoReply) =>
  reply.isError &&
  reply.decision?.decision === decision &&
  (rule === undefined || reply.decision.rules.includes(rule))

const steps: readonly Step[] = [
  {
    title: 'read a file in the workspace',
    tool: 'files__read_text_file',
    arguments: ({ notes }) => ({ path: notes }),
    holds: (reply) => !reply.isError && reply.text.includes('Opening hours'),
  },
  {
    title: 'write a file outside the workspace',
    tool: 'files__write_file',
    arguments: ({ outside }) => ({ path: outside, content: 'hello' }),
    holds: decided('deny'),
  },
  {
    title: 'delete with rm -rf',
    tool: 'ops__delete_path',
    arguments: () => ({ command: 'rm -rf /var/lib/postgresql' }),
    holds: decided('deny', 'no-rm-rf'),
  },
  {
    title: 'pay 250 EUR',
    tool: 'ops__execute_payment',
    arguments: () => ({ amount: 250, currency: 'EUR', recipient: 'ACME' }),
    holds: (reply) => !reply.isError && reply.text.includes('pretended to pay 250 EUR'),
  },
]

/** The payment that is over the limit: it waits, passes once when it is approved, and waits again. */
const largePayment = {
  tool: 'ops__execute_payment',
  arguments: () => ({ amount: 1000.01, currency: 'EUR', recipient: 'ACME' }),
} as const
const waits: Step = {
  title: 'pay 1000.01 EUR',
  ...largePayment,
  holds: (reply) =>
    decided('require_approval', 'large-payment')(reply) && reply.decision?.approvalId !== undefined,
}
const passes: Step = {
  title: 'the same call again',
  ...largePayment,
  holds: (reply) => !reply.isError && reply.text.includes('pretended to pay 1000.01 EUR'),
}
const waitsAgain: Step = { ...waits, title: 'the same call a third time' }

/** Somebody the agent is not: it takes the passphrase to approve. */
const approver = { name: 'alice', passphrase: 'a passphrase that no agent knows' }

const mainProgram = fileURLToPath(new URL('../main.js', import.meta.url))

/**
 * Shows the gate at work: a real client, the real gate, the official file server and a small operations server.
 *
 * @returns the exit code: 0 only if everything it claims has happened
 */
export async function demo(): Promise<number> {
  // The real path: the file server resolves links, and the policy compares what it is given.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-demo-')))
  try {
    const scenario = layOut(folder)
    say(
      'CapFence stands between an agent and its tools. Seven calls of an agent, one gate, two servers:',
    )
    const isEnrolled = approverCommand(scenario, ['keys', 'approver', 'add', approver.name])
    const kept = [{ text: 'there is an approver', isTrue: isEnrolled }, ...(await play(scenario))]
    say('', 'What reached the servers, by their own records:')
    const { files, ops } = arrived(scenario)
    say(...files.map((call) => `  files  ${call}`), ...ops.map((call) => `  ops    ${call}`))
    say('', 'The log, as `capfence logs` prints it:')
    const log = command(scenario, ['logs', '--config', scenario.config])
    process.stdout.write(log.stdout)
    return conclude([...kept, ...facts(scenario, log.stdout, log.status)])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One claim of the demonstration, and whether it turned out true. */
interface Claim {
  readonly text: string
  readonly isTrue: boolean
}

async function play(scenario: Scenario): Promise<readonly Claim[]> {
  const client = await connect(process.execPath, [mainProgram, 'run', '--config', scenario.config])
  try {
    const claims: Claim[] = []
    for (const step of steps) {
      // One after the other, as an agent would.
      // oxlint-disable-next-line no-await-in-loop -- the calls are made one after the other
      claims.push((await playStep(client, scenario, step)).claim)
    }
    return [...claims, ...(await playApproval(client, scenario))]
  } finally {
    await client.close()
  }
}

/** A payment over the limit: asked, answered by a person, made, and asked anew. */
async function playApproval(client: DemoClient, scenario: Scenario): Promise<readonly Claim[]> {
  const held = await playStep(client, scenario, waits)
  const id = held.reply.decision?.approvalId ?? ''
  say('', `${approver.name}, who has a passphrase, approves it:`)
  say(`  $ capfence approvals approve ${id}`)
  const isApproved = approverCommand(scenario, ['approvals', 'approve', id])
  const passed = await playStep(client, scenario, passes)
  const again = await playStep(client, scenario, waitsAgain)
  return [
    held.claim,
    { text: 'the approval was taken', isTrue: isApproved },
    passed.claim,
    again.claim,
    {
      text: 'the third try is a question of its own',
      isTrue: again.reply.decision?.approvalId !== id,
    },
  ]
}

/** Runs a command as the approver, who types the passphrase; what it says is shown. */
function approverCommand(scenario: Scenario, args: readonly string[]): boolean {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [mainProgram, ...args, '--passphrase-stdin', '--config', scenario.config],
    { cwd: scenario.folder, encoding: 'utf8', input: `${approver.passphrase}\n` },
  )
  const lines = `${stderr}${stdout}`.trimEnd().split('\n')
  if (args[0] === 'approvals') for (const line of lines) say(`  | ${line}`)
  return status === 0
}

/** A step that was played. */
interface Played {
  readonly claim: Claim
  readonly reply: DemoReply
}

async function playStep(client: DemoClient, scenario: Scenario, step: Step): Promise<Played> {
  const reply = await client.call(step.tool, step.arguments(scenario))
  const verdict = reply.decision?.decision ?? 'allow'
  say('', `${verdict.padEnd(16)} ${step.title}`)
  for (const line of reply.text.trimEnd().split('\n')) say(`                 | ${line}`)
  return { claim: { text: step.title, isTrue: step.holds(reply) }, reply }
}

function facts(scenario: Scenario, log: string, logStatus: number | null): readonly Claim[] {
  const { files, ops } = arrived(scenario)
  const decisions = [
    'allow',
    'deny',
    'deny',
    'allow',
    'require_approval',
    'allow',
    'require_approval',
  ]
  const shown = log
    .split('\n')
    .flatMap((line) => /\b(?:allow|deny|require_approval)\b/.exec(line) ?? [])
  return [
    {
      text: 'the refused write never reached the file server',
      isTrue: !files.includes('write_file'),
    },
    { text: 'the allowed read did', isTrue: files.length === 1 && files[0] === 'read_text_file' },
    { text: 'nothing was written outside the workspace', isTrue: !existsSync(scenario.outside) },
    {
      text: 'two payments, each once, and no deletion reached the operations server',
      isTrue:
        ops.length === 2 &&
        ops[0]?.includes('"amount":250') === true &&
        ops[1]?.includes('"amount":1000.01') === true,
    },
    {
      text: 'the log shows the seven decisions',
      isTrue: logStatus === 0 && shown.join(' ') === decisions.join(' '),
    },
  ]
}

function command(
  scenario: Scenario,
  args: readonly string[],
): { readonly stdout: string; readonly status: number | null } {
  return spawnSync(process.execPath, [mainProgram, ...args], {
    cwd: scenario.folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function conclude(claims: readonly Claim[]): number {
  const broken = claims.filter(({ isTrue }) => !isTrue)
  say('')
  for (const { text } of broken) process.stderr.write(`capfence: not as claimed: ${text}\n`)
  if (broken.length === 0) say('Everything above happened as it says.')
  return broken.length === 0 ? 0 : 1
}

function say(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''))
}
