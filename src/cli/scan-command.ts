import { Option } from 'commander'
import type { Command } from 'commander'
import type { CommandKit } from './command-kit.ts'
import { examples } from './command-kit.ts'
import type { ScanFlags } from './scan.ts'

/** `capfence scan`, as the program lists it. */
export function scanCommand(kit: CommandKit): Command {
  const command = kit
    .command('scan')
    .description('find tools and servers that no gate covers; nothing that is found is started')
    .argument('[path]', 'a folder or a file; the current folder when left out')
    .addOption(
      new Option('--format <format>', 'how the findings are written')
        .choices(['text', 'json', 'sarif', 'github', 'junit'])
        .default('text'),
    )
    .option('--json', 'the same as `--format json`')
    .option('--output <file>', 'write them there')
    .addOption(
      new Option('--fail-on <level>', 'answer no from this level on')
        .choices(['error', 'warning', 'note', 'none'])
        .default('error'),
    )
    .option('--exclude <folder>', 'pass this folder over; may be given several times', several)
    .option('--baseline <file>', 'findings that stand there do not count')
    .option('--write-baseline <file>', 'write what is found now as one, and answer yes')
    .option('--changed-since <ref>', 'only files that git knows to be other than at that commit')
    .option('--include-tests', 'look at code that only tests run, too')
    .option('--no-gitignore', 'look at files that git leaves out, too')
  examples(command, [
    ['capfence scan', 'the current folder'],
    ['capfence scan --format sarif --output capfence.sarif', 'for a code host'],
    ['capfence scan src --fail-on warning', 'stricter'],
    ['capfence scan --changed-since origin/main', 'only what a branch changes'],
    [
      'capfence scan --write-baseline .capfence-baseline.json',
      'to begin with: only new ones count',
    ],
  ])
  return command.action((path: string | undefined, flags: ScanFlags) =>
    kit.run(async () => (await import('./scan.ts')).scan(path, flags, kit.io)),
  )
}

function several(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}
