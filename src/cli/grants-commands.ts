import type { Command } from 'commander'
import type { CommandKit } from './command-kit.ts'
import { examples, withPlace } from './command-kit.ts'
import type { CreateFlags, GrantFileFlags } from './grant-create.ts'
import type { GrantsFlags, RevokeFlags, VerifyFlags } from './grants.ts'

/** `capfence grants`: calls that need a person and may pass without asking one, for a while. */
export function grantsCommand(kit: CommandKit): Command {
  const grants = kit
    .command('grants')
    .description('let calls pass in advance that would need a person')
  examples(grants, [
    [
      `capfence grants create --capability payment.execute --when '{"args": {"/amount": {"lte": 500}}}' --uses 20 --for 8h --reason "payroll"`,
      'small payments, twenty of them, today',
    ],
    [
      'capfence grants create --like apr_… --same-session --uses 50',
      'whatever needs the same capability, in the session of a call that waits',
    ],
    ['capfence grants list', 'what is in force'],
    ['capfence grants revoke grt_…', 'from the next call on it covers nothing'],
  ])
  return grants
    .addCommand(create(kit))
    .addCommand(list(kit))
    .addCommand(show(kit))
    .addCommand(revoke(kit))
    .addCommand(verify(kit))
    .addCommand(sign(kit))
    .addCommand(take(kit))
}

function create(kit: CommandKit): Command {
  const command = signedBy(withPlace(kit.command('create')))
    .description('show what a grant would have covered, then sign and record it')
    .option('--capability <pattern>', 'what it covers, `resource.action.scope` with `*` for any')
    .option('--actor <pattern>', 'whose calls; the actor of the configuration when left out')
    .option('--environment <name>', 'where; the environment of the configuration when left out')
    .option('--server <name>', 'only this server')
    .option('--tool <name>', 'only this tool')
    .option('--session <id>', 'only this session')
    .option('--when <json>', 'conditions of a policy rule that must be true, as a JSON object')
    .option('--uses <n>', 'how many calls at most; one when left out')
    .option('--for <time>', 'how long: `30m`, `8h`, `2d`; an hour when left out')
    .option('--starts-in <time>', 'from so much later on')
    .option('--definition <sha256>', 'only while the tool is defined so')
    .option('--policy-hash <sha256>', 'only under this policy')
    .option('--like <approval>', 'capability, actor and environment of a call that waits')
    .option('--same-session', 'only the session of that call')
    .option('--same-tool', 'only the tool of that call, as it is defined')
    .option('--break-glass', 'for an emergency: marked in every record; needs a reason')
    .option('--reason <text>', 'why; it stands in the log')
    .option('--look-back <n>', 'compare with so many of the newest calls')
    .option('--with <approver...>', 'who has to sign it besides; needs `--out`')
    .option('--out <file>', 'write it to a file and record nothing')
    .option('--json', 'one JSON object, for programs')
  return command.action((flags: CreateFlags) =>
    kit.run(async () => {
      const { grantsCreate } = await import('./grant-create.ts')
      return grantsCreate(flags, kit.io, kit.openStore)
    }),
  )
}

function list(kit: CommandKit): Command {
  return withPlace(kit.command('list'))
    .description('print the grants that are in force')
    .option('--all', 'also those that are used up, revoked, over, or signed by nobody who counts')
    .option('--json', 'JSON Lines, for programs')
    .action((flags: GrantsFlags) =>
      kit.run(async () => {
        const { grantsList } = await import('./grants.ts')
        return grantsList(flags, kit.io, kit.openLog)
      }),
    )
}

function show(kit: CommandKit): Command {
  return withPlace(kit.command('show'))
    .description('print everything about one of them')
    .argument('<id>', 'its id, `grt_…`')
    .option('--json', 'one JSON object, for programs')
    .action((id: string, flags: GrantsFlags) =>
      kit.run(async () => {
        const { grantsShow } = await import('./grants.ts')
        return grantsShow(id, flags, kit.io, kit.openLog)
      }),
    )
}

function revoke(kit: CommandKit): Command {
  return signedBy(withPlace(kit.command('revoke')))
    .description('take a grant back; calls that it let pass have happened')
    .argument('<id>', 'its id, `grt_…`')
    .option('--reason <text>', 'why; it stands in the log')
    .option('--json', 'one JSON object, for programs')
    .action((id: string, flags: RevokeFlags) =>
      kit.run(async () => {
        const { grantsRevoke } = await import('./grants.ts')
        return grantsRevoke(id, flags, kit.io, kit.openStore)
      }),
    )
}

function verify(kit: CommandKit): Command {
  return kit
    .command('verify')
    .description('say who signed the grant in a file, without any log')
    .argument('<file>', 'as `--out` wrote it')
    .option('--config <file>', 'the configuration that names the list of approvers')
    .option('--approvers <file>', 'that list itself')
    .option('--json', 'one JSON object, for programs')
    .action((file: string, flags: VerifyFlags) =>
      kit.run(async () => {
        const { grantsVerify } = await import('./grants.ts')
        return grantsVerify(file, flags, kit.io)
      }),
    )
}

function sign(kit: CommandKit): Command {
  return signedBy(withPlace(kit.command('sign')))
    .description('add the signature of another issuer to the grant in a file')
    .argument('<file>', 'as `--out` wrote it')
    .option('--json', 'one JSON object, for programs')
    .action((file: string, flags: GrantFileFlags) =>
      kit.run(async () => {
        const { grantsSign } = await import('./grant-create.ts')
        return grantsSign(file, flags, kit.io)
      }),
    )
}

function take(kit: CommandKit): Command {
  return withPlace(kit.command('import'))
    .description('record a grant from a file')
    .argument('<file>', 'as `--out` wrote it')
    .option('--json', 'one JSON object, for programs')
    .action((file: string, flags: GrantFileFlags) =>
      kit.run(async () => {
        const { grantsImport } = await import('./grant-create.ts')
        return grantsImport(file, flags, kit.io, kit.openStore)
      }),
    )
}

function signedBy(command: Command): Command {
  return command
    .option('--as <approver...>', 'whose keys sign, where there are several')
    .option('--key <file>', 'that key, if it is not at its usual place')
    .option('--passphrase-stdin', 'the passphrase from standard input, and not from the terminal')
}
