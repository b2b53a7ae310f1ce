import type { Command } from 'commander'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'
import { exitCodes } from './io.ts'
import type { PolicyCheckFlags } from './policy-check.ts'
import type { PolicyLearnFlags } from './policy-learn.ts'
import type { PolicyDiffFlags } from './policy-diff.ts'
import type { ExplainFlags } from './policy-explain.ts'
import type { PolicyInitFlags } from './policy-init.ts'
import type { PolicyTestFlags } from './policy-test.ts'
import { withReading } from './replay-command.ts'

/** `capfence policy` and everything below it. */
export function policyCommand(kit: CommandKit): Command {
  const policy = kit.command('policy').description('policies: find mistakes, ask what they say')
  examples(policy, [
    ['capfence policy check policies/ops.yaml', 'everything that is wrong with it'],
    ['capfence policy test policies/ops.yaml', 'whether it says what its tests expect'],
    ['capfence policy diff policies/ops.yaml new.yaml', 'what a new one allows that it did not'],
    [
      `capfence policy explain --server ops --tool delete_path --arguments '{"command": "rm -rf /"}'`,
      'what would become of a call, and why',
    ],
  ])
  return policy
    .addCommand(checkCommand(kit))
    .addCommand(testCommand(kit))
    .addCommand(explainCommand(kit))
    .addCommand(diffCommand(kit))
    .addCommand(initCommand(kit))
    .addCommand(learnCommand(kit))
    .addCommand(schemaCommand(kit))
}

function checkCommand(kit: CommandKit): Command {
  const command = kit
    .command('check')
    .description(
      'say what is wrong, and warn of rules that do nothing or allow too much; without files, of those of the configuration',
    )
    .argument('[files...]', 'policy files, each checked by itself')
    .option(
      '--config <file>',
      'the configuration; several where the policies are used with several',
      (file: string, others: readonly string[] | undefined) => [...(others ?? []), file],
    )
    .option(
      '--tools <file>',
      'also look whether the tools of a saved `tools/list` have the arguments',
    )
    .option('--server <name>', 'whose tools these are; the only server when left out')
    .option('--strict', 'warnings count as well: exit code 1')
    .option('--json', 'JSON Lines, for programs')
  examples(command, [
    ['capfence policy check policies/ops.yaml', 'one file'],
    ['capfence policy check --strict policies/*.yaml', 'for a build server'],
    [
      'capfence policy check --server files --tools tools.json',
      'and whether the arguments that rules look at are those of the tools',
    ],
  ])
  return command.action((files: readonly string[], flags: PolicyCheckFlags) =>
    kit.run(async () => {
      const { policyCheck } = await import('./policy-check.ts')
      return policyCheck(files, flags, kit.io)
    }),
  )
}

function testCommand(kit: CommandKit): Command {
  const command = kit
    .command('test')
    .description('ask policies what their tests ask; without files, those of the configuration')
    .argument('[files...]', 'policies, with the tests in them or beside them; or files of tests')
    .option('--config <file>', 'the configuration that says what the tools of tests mean')
    .option('--coverage', 'name the rules that decided in no test')
    .option('--json', 'JSON Lines, for programs')
    .option('--junit <file>', 'also write a report that build servers read')
  examples(command, [
    ['capfence policy test policies/ops.yaml', 'the tests in it, and those of ops.test.yaml'],
    ['capfence policy test --coverage policies/*.yaml', 'and which rules no test is about'],
    ['capfence policy test --junit report.xml policies/*.yaml', 'for a build server'],
  ])
  return command.action((files: readonly string[], flags: PolicyTestFlags) =>
    kit.run(async () => {
      const { policyTest } = await import('./policy-test.ts')
      return policyTest(files, flags, kit.io)
    }),
  )
}

function initCommand(kit: CommandKit): Command {
  const command = kit
    .command('init')
    .description('write a first policy for a server, and its tests, from the list of its tools')
    .option('--server <name>', 'the server, by its name in the configuration; it is started')
    .option('--tools <file>', 'a list of tools that was saved, instead of starting the server')
    .option('--config <file>', 'the configuration')
    .option('--out <file>', 'the policy; `policies/NAME.yaml` when left out')
    .option(
      '--root <folder...>',
      'the folders in which paths have to lie; else those it is started with',
    )
    .option('--environment <name>', 'where calls act, when there is no configuration')
    .option('--timeout <seconds>', 'how long listing may take; 60 when left out')
    .option('--force', 'write over files that exist')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    [
      'capfence policy init --server files',
      'start it, ask for its tools, end it, write the policy',
    ],
    ['capfence policy init --server files --tools tools.json', 'from a list that was saved'],
    ['capfence policy init --server files --root /srv/data', 'paths only below that folder'],
  ])
  return command.action((flags: PolicyInitFlags) =>
    kit.run(async () => {
      const { policyInit } = await import('./policy-init.ts')
      return policyInit(flags, kit.io)
    }),
  )
}

function diffCommand(kit: CommandKit): Command {
  const command = kit
    .command('diff')
    .description('say of which calls two policies say something else, each with such a call')
    .argument('<old>', 'the policy before')
    .argument('<new>', 'the policy after')
    .option('--trace <file>', 'only of the calls of a trace, all of them, grouped')
    .option('--html <file>', 'with `--trace`, also write a page with a picture of it')
    .option('--markdown <file>', 'with `--trace`, also write it for a pull request or a ticket')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    [
      'capfence policy diff policies/ops.yaml new.yaml',
      'what the new one allows, holds and denies',
    ],
    [
      'git show main:policies/ops.yaml >old.yaml; capfence policy diff old.yaml policies/ops.yaml',
      'for a review: exit code 1 when something is newly allowed, or that cannot be excluded',
    ],
    [
      'capfence policy diff policies/ops.yaml new.yaml --trace week.jsonl',
      'what would have changed last week; the exit codes are those of `capfence replay`',
    ],
  ])
  return withReading(command).action((before: string, now: string, flags: PolicyDiffFlags) =>
    kit.run(async () => {
      const { trace } = flags
      if (trace !== undefined) {
        const { policyDiffTrace } = await import('./policy-diff-trace.ts')
        return policyDiffTrace({ before, now }, { ...flags, trace }, kit.io)
      }
      const { policyDiff } = await import('./policy-diff.ts')
      return policyDiff({ before, now }, flags, kit.io)
    }),
  )
}

function learnCommand(kit: CommandKit): Command {
  const command = kit
    .command('learn')
    .description('write the least that a policy has to allow for calls that were right')
    .argument(
      '<traces...>',
      'what `capfence audit export --trace` wrote, traces of the original CapFence, or logs of MCP messages',
    )
    .option('-o, --out <file>', 'where the policy goes; standard output when left out')
    .option('--force', 'replace the file')
    .option('--unseen <what>', 'of tools that no trace has: `ask` a person, the default, or `deny`')
    .option('--explain', 'say what each rule rests on')
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    ['capfence audit export --trace week.jsonl --since 7d', 'what was called in the last week'],
    ['capfence policy learn week.jsonl -o learned.yaml', 'the policy that it needs'],
    ['capfence replay other.jsonl --policy learned.yaml', 'what it says of other history'],
  ])
  return withReading(command).action((traces: readonly string[], flags: PolicyLearnFlags) =>
    kit.run(async () => {
      const { policyLearn } = await import('./policy-learn.ts')
      return policyLearn(traces, flags, kit.io)
    }),
  )
}

function schemaCommand(kit: CommandKit): Command {
  return kit
    .command('schema')
    .description('print the JSON Schema of policy files')
    .option('--tests', 'the one of files of tests instead')
    .action(({ tests }: { readonly tests?: boolean }) =>
      kit.run(async () => {
        // zod takes longer to load than everything else together, so only this command does.
        const { policyJsonSchema, testFileJsonSchema } = await import('./policy-schema.ts')
        await kit.io.out.write(tests === true ? testFileJsonSchema() : policyJsonSchema())
        return exitCodes.yes
      }),
    )
}

function explainCommand(kit: CommandKit): Command {
  const command = kit
    .command('explain')
    .description(
      'say what would become of a call, or why one was decided, and what every rule makes of it',
    )
    .argument('[files...]', 'policy files; without them those of the configuration')
    .option('--event <file>', 'an action event as JSON; `-` reads standard input')
    .option('--server <name>', 'the server of the call, by its name in the configuration')
    .option('--tool <name>', "the tool, by its server's name for it")
    .option(
      '--args, --arguments <json>',
      'the arguments of the call, or `@` and a file that has them; none when left out',
    )
    .option('--actor <name>', 'who asks; the one of the configuration when left out')
    .option('--at <time>', 'when it is asked, such as `2026-11-25T14:00:00Z`; now when left out')
    .option(
      '--seq <number>',
      'the decision with this number in the log, by the policy of that time',
    )
    .option('--config <file>', 'the configuration')
    .option(
      '--storage <place>',
      'with `--seq`, the log itself: a path, `sqlite:` and a path, or `postgres://…`',
    )
    .option('--json', 'one JSON object, for programs')
  examples(command, [
    [
      `capfence policy explain --server ops --tool delete_path --args '{"command": "rm -rf /"}'`,
      'what would become of a call',
    ],
    ['capfence policy explain --server ops --tool delete_path --args @call.json', 'the same'],
    ['capfence policy explain policies/ops.yaml --event event.json', 'an event, whatever made it'],
    ['capfence policy explain --seq 5', 'why that call was decided so, and whether it still would'],
  ])
  return command.action((files: readonly string[], flags: ExplainFlags) =>
    kit.run(async () => {
      const { policyExplain } = await import('./policy-explain.ts')
      return policyExplain(files, flags, kit.io, kit.openLog)
    }),
  )
}
