import { Command, CommanderError, Option } from 'commander'
import { CapFenceError } from '../errors.ts'
import { auditCommand } from './audit-commands.ts'
import { approvalsCommand } from './approvals-commands.ts'
import type { BudgetsFlags } from './budgets.ts'
import type { CheckFlags } from './config-commands.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import type { LogsFlags } from './logs.ts'
import { openReader, openWriter } from './open-storage.ts'
import type { OpenLog, OpenStore } from './places.ts'
import type { CommandKit } from './command-kit.ts'
import { examples, useOwnConfig, withPlace } from './command-kit.ts'
import { clientsCommands } from './clients-commands.ts'
import { grantsCommand } from './grants-commands.ts'
import { keysCommand } from './keys-commands.ts'
import { lockCommand } from './lock-command.ts'
import { ownConfigPath } from './own-home.ts'
import { policyCommand } from './policy-commands.ts'
import { replayCommand } from './replay-command.ts'
import { complaint, reportError } from './report-error.ts'
import { scanCommand } from './scan-command.ts'
import { serveCommand } from './serve-command.ts'
import type { DoctorFlags } from './doctor.ts'
import type { UiFlags } from './ui.ts'
import { version } from './version.ts'
import { witnessCommand } from './witness-command.ts'

/**
 * Runs one command as a function of its arguments and its input and output, and answers with its exit code.
 *
 * `run` is not here: it is the way of every call, and loads no command line library.
 */
export async function runCommand(args: readonly string[], io: Io): Promise<ExitCode> {
  const session = new CommandSession(io)
  try {
    await session.program().parseAsync([...args], { from: 'user' })
    return session.exitCode
  } catch (error) {
    return error instanceof CommanderError ? session.ended(error) : await reportError(error, io)
  } finally {
    await session.flush()
  }
}

const openLog: OpenLog = openReader

const openStore: OpenStore = (place) =>
  openWriter(place, { rotateHours: 0, software: `capfence/${version}` })

const colourNote =
  'NO_COLOR turns colours off. Exit codes: 0 yes, 1 the answer is no, 2 used wrongly, 3 could not find out.'

/** One run of the program: what commander prints is collected, because it cannot wait for a slow reader. */
class CommandSession {
  readonly #io: Io
  #out = ''
  #err = ''
  exitCode: ExitCode = exitCodes.yes

  constructor(io: Io) {
    this.#io = io
  }

  program(): Command {
    const program = this.#command('capfence')
      .description(
        'Decides which tool calls of an AI agent happen, and keeps a log of it that can be checked.',
      )
      .version(version)
      .addHelpText('after', `\n${colourNote}`)
    const own = ownConfigPath(this.#io.variables)
    program.hook('preAction', (_, action) => useOwnConfig(action, own))
    examples(program, [
      ['capfence demo', 'see it work'],
      ['capfence run --config capfence.mcp.json', 'the gate, for the configuration of a client'],
      ['capfence logs --decision deny', 'what was refused'],
    ])
    program.addCommand(this.#runHelp()).addCommand(this.#demo()).addCommand(this.#logs())
    program.addCommand(serveCommand(this.#kit())).addCommand(this.#ui())
    program.addCommand(approvalsCommand(this.#kit())).addCommand(policyCommand(this.#kit()))
    program.addCommand(grantsCommand(this.#kit()))
    program.addCommand(this.#budgets()).addCommand(this.#config())
    program.addCommand(keysCommand(this.#kit())).addCommand(auditCommand(this.#kit()))
    program.addCommand(witnessCommand(this.#kit()))
    for (const command of clientsCommands(this.#kit())) program.addCommand(command)
    program
      .addCommand(this.#doctor())
      .addCommand(lockCommand(this.#kit()))
      .addCommand(scanCommand(this.#kit()))
      .addCommand(replayCommand(this.#kit()))
    return program
  }

  /** What commander ended with: help and version are answers, everything else was used wrongly. */
  ended(error: CommanderError): ExitCode {
    if (error.code === 'commander.helpDisplayed' || error.code === 'commander.version') {
      return exitCodes.yes
    }
    // Without a command the help stands on the side of complaints already.
    if (error.code !== 'commander.help') this.#err = usageComplaint(error, this.#io)
    return exitCodes.usage
  }

  async flush(): Promise<void> {
    if (this.#out !== '') await this.#io.out.write(this.#out)
    if (this.#err !== '') await this.#io.err.write(this.#err)
  }

  #command(name: string): Command {
    return new Command(name).exitOverride().configureOutput({
      writeOut: (text) => {
        this.#out += text
      },
      writeErr: (text) => {
        this.#err += text
      },
      getOutHasColors: () => this.#io.out.hasColour,
      getErrHasColors: () => this.#io.err.hasColour,
      getOutHelpWidth: () => this.#io.out.columns ?? 100,
      getErrHelpWidth: () => this.#io.err.columns ?? 100,
    })
  }

  /** What a group of commands in a file of its own is built with. */
  #kit(): CommandKit {
    return {
      io: this.#io,
      openLog,
      openStore,
      command: (name) => this.#command(name),
      run: async (command) => this.#do(command),
    }
  }

  /** Runs a command when it is chosen; its module is loaded only then. */
  async #do(command: () => Promise<number>): Promise<void> {
    const code = await command()
    this.exitCode = Object.values(exitCodes).find((known) => known === code) ?? exitCodes.unknown
  }

  /** Only there to be listed and explained: `main.ts` starts it before this file is loaded. */
  #runHelp(): Command {
    return this.#command('run')
      .description('stand between a client on standard input and output and its servers')
      .option('--config <file>', 'the configuration', 'capfence.mcp.json')
      .option('--server <name>', 'only this server, with its names unchanged')
      .action(() => {
        throw new CapFenceError('USAGE', '`run` must be the first word', {
          hint: 'write `capfence run --config FILE --server NAME`',
        })
      })
  }

  #demo(): Command {
    return this.#command('demo')
      .description(
        'a real gate, two real servers, seven calls, an approval, and the log of what happened',
      )
      .action(() =>
        this.#do(async () => {
          const { demo } = await import('./demo/demo.ts')
          return demo()
        }),
      )
  }

  #logs(): Command {
    const logs = this.#command('logs')
      .description('print what was decided, oldest first')
      .addOption(
        new Option('--decision <decision>', 'only these; `refused` never became a call').choices([
          'allow',
          'require_approval',
          'deny',
          'refused',
        ]),
      )
      .option('--server <name>', 'only calls of this server')
      .option('--tool <name>', "only calls of this tool, by its server's name for it")
      .option('--actor <name>', 'only calls of this actor')
      .option('--since <time>', 'not before: `10m`, `2h`, `3d`, or `2026-11-25T14:00:00Z`')
      .option('--until <time>', 'before that time')
      .option('--limit <count>', 'only the newest so many')
      .option('--orphans', 'only calls that were forwarded and of which no end is known')
      .option('--changes', 'policies, configurations and tool definitions, as they changed')
      .option('-f, --follow', 'go on printing what comes')
      .option('--json', 'JSON Lines, for programs')
    examples(logs, [
      ['capfence logs --limit 20', 'the newest twenty'],
      ['capfence logs --decision deny --since 1h', 'what was refused in the last hour'],
      ['capfence logs --follow --json | jq .tool', 'live, for a program'],
    ])
    return withPlace(logs).action((flags: LogsFlags) =>
      this.#do(async () => {
        const command = await import('./logs.ts')
        return command.logs(flags, this.#io, openLog)
      }),
    )
  }

  #ui(): Command {
    const command = this.#command('ui')
      .description("open the operator's page on this machine: what happens, what waits, the log")
      .option('--port <number>', 'on this port; any that is free when left out')
      .option('--pin <file>', 'the kept keys of the log, to verify it against')
      .option('--no-open', 'open no browser, only print the link')
      .option('--json', 'the address as one JSON object, for programs')
    examples(command, [['capfence ui', 'open the page; the terminal stays its owner']])
    return withPlace(command).action((flags: UiFlags) =>
      this.#do(async () => {
        const { ui } = await import('./ui.ts')
        return ui(flags, this.#io, { openLog, openStore })
      }),
    )
  }

  #doctor(): Command {
    const command = this.#command('doctor')
      .description(
        'look whether calls go through the gate and nothing past it, and say what mends it',
      )
      .option('--config <file>', 'the configuration; else the one here, or the own one')
      .option('--project <folder>', 'where files of projects are looked for; here when left out')
      .option('--servers', 'start each server as well, and look at the tools that it lists')
      .option('--json', 'JSON Lines, for programs')
    examples(command, [
      ['capfence doctor', 'what is not as it should be'],
      ['capfence doctor --servers', 'also whether the servers start, and how long that takes'],
    ])
    return command.action((flags: DoctorFlags) =>
      this.#do(async () => {
        const { doctor } = await import('./doctor.ts')
        return doctor(flags, this.#io, openLog)
      }),
    )
  }

  #budgets(): Command {
    const command = this.#command('budgets')
      .description('print how much of each limit and budget is used')
      .option('--json', 'JSON Lines, for programs')
    examples(command, [['capfence budgets', 'what is left, and when there is more']])
    return withPlace(command).action((flags: BudgetsFlags) =>
      this.#do(async () => {
        const { budgets } = await import('./budgets.ts')
        return budgets(flags, this.#io, openLog)
      }),
    )
  }

  #config(): Command {
    const check = this.#command('check')
      .description('say everything that is wrong with a configuration')
      .argument('[file]', 'the configuration')
      .option('--json', 'one JSON object, for programs')
      .action((file: string | undefined, flags: CheckFlags) =>
        this.#do(async () => {
          const { configCheck } = await import('./config-commands.ts')
          return configCheck(file, flags, this.#io)
        }),
      )
    const schema = this.#command('schema')
      .description('print the JSON Schema of capfence.mcp.json')
      .action(() =>
        this.#do(async () => {
          const { configSchemaText } = await import('./config-commands.ts')
          return configSchemaText(this.#io)
        }),
      )
    const config = this.#command('config').description(
      'the configuration: find mistakes, its schema',
    )
    return config.addCommand(check).addCommand(schema)
  }
}

/** Commander's words in our form: `error: unknown command 'lgs'\n(Did you mean logs?)`. */
function usageComplaint(error: CommanderError, io: Io): string {
  const [, message = error.message, near] =
    /^error: ([\s\S]*?)(?:\n\(Did you mean (.*)\?\))?$/.exec(error.message.trim()) ?? []
  const text = message.replaceAll(/'([^']*)'/g, '`$1`').replace(/\.$/, '')
  const hint = near === undefined ? 'see `capfence --help`' : `did you mean \`${near}\`?`
  return complaint(io, text, hint)
}
