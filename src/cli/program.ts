import { Command, CommanderError, Option } from 'commander'
import type { Storage } from '../config/config.ts'
import type { LogReader } from '../runtime/store.ts'
import type { ApprovalsFlags } from './approvals.ts'
import type { CheckFlags } from './config-commands.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import type { LogsFlags } from './logs.ts'
import type { ExplainFlags, PolicyCheckFlags } from './policy-commands.ts'
import { complaint, reportError } from './report-error.ts'
import { version } from './version.ts'

/**
 * Runs one command, from its arguments to its exit code; nothing else of the process is touched.
 *
 * Commands load what they need when they run, so that `--help` is quick.
 */
export async function runCommand(args: readonly string[], io: Io): Promise<ExitCode> {
  const state: { code: ExitCode; said: string[] } = { code: exitCodes.yes, said: [] }
  const program = describe(io, (code) => {
    state.code = code
  })
  configure(program, io, state.said)
  try {
    await program.parseAsync([...args], { from: 'user' })
    return state.code
  } catch (error) {
    if (error instanceof CommanderError) return usage(error, state.said, io)
    return reportError(error, io)
  }
}

async function usage(error: CommanderError, said: readonly string[], io: Io): Promise<ExitCode> {
  if (error.exitCode === 0) return exitCodes.yes
  const [message = 'no command', ...hints] = said
    .join('')
    .replace(/^error: /, '')
    .split('\n')
    .map((line) => line.replace(/^\(|\)$/g, '').trim())
    .filter((line) => line !== '')
  const isHelp = error.code === 'commander.help'
  const hint = hints.at(-1) ?? 'see `capfence --help`'
  await io.err.write(isHelp ? said.join('') : complaint(io, message, hint))
  return exitCodes.usage
}

/** No output and no exit of the library's own; every command inherits it. */
function configure(command: Command, io: Io, said: string[]): void {
  command.exitOverride()
  command.configureOutput({
    writeOut: (text) => void io.out.write(text),
    writeErr: (text) => void said.push(text),
    getOutHasColors: () => io.out.hasColour,
    getErrHasColors: () => io.err.hasColour,
  })
  for (const child of command.commands) configure(child, io, said)
}

type Done = (code: ExitCode) => void

function describe(io: Io, done: Done): Command {
  const program = new Command('capfence')
    .description(
      'Execution authorization for AI agents: a gate between an MCP client and its servers',
    )
    .version(version)
    .showHelpAfterError('see `capfence --help`')
    .addHelpText('after', examples)
  program
    .command('run')
    .description('run the gate on standard input and output (see `capfence run --help`)')
  program
    .command('demo')
    .description('show the gate at work on a scratch workspace')
    .action(async () => {
      const { demo } = await import('./demo/demo.ts')
      done((await demo()) === 0 ? exitCodes.yes : exitCodes.no)
    })
  addLogs(program, io, done)
  addApprovals(program, io, done)
  addPolicy(program, io, done)
  addConfig(program, io, done)
  return program
}

const examples = `
Examples:
  capfence run --config capfence.mcp.json --server files
  capfence logs --decision deny --since 2h
  capfence approvals list
  capfence policy check policies/ops.yaml
  capfence policy explain --config capfence.mcp.json --server ops --tool execute_payment --arguments '{"amount":1500}'

Exit codes: 0 yes, 1 the answer is no, 2 used wrongly, 3 could not find out.
`

function addLogs(program: Command, io: Io, done: Done): void {
  withPlace(program.command('logs'))
    .description('print what was decided, oldest first')
    .addOption(
      new Option('--decision <decision>', 'only these').choices([
        'allow',
        'require_approval',
        'deny',
        'refused',
      ]),
    )
    .option('--server <name>', 'only calls to this server')
    .option('--tool <name>', 'only calls of this tool')
    .option('--actor <name>', 'only calls of this actor')
    .option('--since <time>', 'RFC 3339, or how long ago: 10m, 2h, 3d')
    .option('--until <time>', 'the same')
    .option('--limit <count>', 'only the newest so many')
    .option('--orphans', 'forwarded calls whose outcome is not known')
    .option('--follow', 'go on as the log grows')
    .option('--json', 'JSON Lines')
    .addHelpText(
      'after',
      '\nExamples:\n  capfence logs --decision deny\n  capfence logs --follow --server files\n  capfence logs --json --since 1h | jq .capability\n',
    )
    .action(async (flags: LogsFlags) => {
      const { logs } = await import('./logs.ts')
      done(await logs(flags, io, openLog))
    })
}

function addApprovals(program: Command, io: Io, done: Done): void {
  const approvals = program.command('approvals').description('calls that wait for a person')
  withPlace(approvals.command('list'))
    .description('print the calls that wait, oldest first')
    .option('--all', 'those that waited too long as well')
    .option('--json', 'JSON Lines')
    .addHelpText(
      'after',
      '\nExamples:\n  capfence approvals list\n  capfence approvals list --all --json\n',
    )
    .action(async (flags: ApprovalsFlags) => {
      const { approvalsList } = await import('./approvals.ts')
      done(await approvalsList(flags, io, openLog))
    })
}

function addPolicy(program: Command, io: Io, done: Done): void {
  const policy = program.command('policy').description('policies, before they govern')
  policy
    .command('check')
    .description('say everything that is wrong with policy files')
    .argument('<file...>')
    .option('--json', 'one line of JSON')
    .addHelpText('after', '\nExample:\n  capfence policy check policies/ops.yaml\n')
    .action(async (files: readonly string[], flags: PolicyCheckFlags) => {
      const { policyCheck } = await import('./policy-commands.ts')
      done(await policyCheck(files, flags, io))
    })
  policy
    .command('explain')
    .description(
      'say what a policy makes of one event or call, rule by rule; exit 0 only for allow',
    )
    .argument('[file...]', 'policy files; those of the configuration when none is named')
    .option('--event <file>', 'an event as JSON')
    .option('--config <file>', 'the configuration whose bindings and policies are used')
    .option('--server <name>', 'the server of a call')
    .option('--tool <name>', 'the tool of a call')
    .option('--arguments <json>', 'the arguments of a call')
    .option('--json', 'one line of JSON')
    .addHelpText(
      'after',
      `\nExample:\n  capfence policy explain --server ops --tool execute_payment --arguments '{"amount":1500}'\n`,
    )
    .action(async (files: readonly string[], flags: ExplainFlags) => {
      const { policyExplain } = await import('./policy-commands.ts')
      done(await policyExplain(files, flags, io))
    })
}

function addConfig(program: Command, io: Io, done: Done): void {
  const config = program.command('config').description('capfence.mcp.json')
  config
    .command('check')
    .description('say everything that is wrong with a configuration')
    .argument('[file]')
    .option('--json', 'one line of JSON')
    .action(async (file: string | undefined, flags: CheckFlags) => {
      const { configCheck } = await import('./config-commands.ts')
      done(await configCheck(file, flags, io))
    })
  config
    .command('schema')
    .description('print the JSON Schema of a configuration, for editors')
    .action(async () => {
      const { configSchemaText } = await import('./config-commands.ts')
      done(await configSchemaText(io))
    })
}

function withPlace(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration that names the log')
    .option('--storage <place>', 'the log itself: sqlite:PATH or a path')
}

async function openLog({ path }: Storage): Promise<LogReader> {
  const { SQLiteLog } = await import('../storage/sqlite-log.ts')
  return SQLiteLog.open(path)
}
