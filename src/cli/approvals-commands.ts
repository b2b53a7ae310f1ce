import type { Command } from 'commander'
import type { AnswerFlags } from './approval-answer.ts'
import type { ApprovalsFlags } from './approvals.ts'
import type { CommandKit } from './command-kit.ts'
import { examples, withPlace } from './command-kit.ts'

/** `capfence approvals`: calls that wait for a person, and the answers to them. */
export function approvalsCommand(kit: CommandKit): Command {
  const approvals = kit.command('approvals').description('calls that wait for a person')
  examples(approvals, [
    ['capfence approvals list', 'what waits'],
    ['capfence approvals approve apr_…', 'this call may be made once'],
    ['capfence approvals approve apr_… --minutes 30', 'it may be made for half an hour'],
    ['capfence approvals deny apr_…', 'it is refused without asking again'],
  ])
  return approvals
    .addCommand(list(kit))
    .addCommand(show(kit))
    .addCommand(watch(kit))
    .addCommand(approve(kit))
    .addCommand(answer(kit, 'deny', 'refuse a call until its question would have lapsed'))
    .addCommand(answer(kit, 'revoke', 'take back an approval; what it let pass has happened'))
}

function list(kit: CommandKit): Command {
  return withPlace(kit.command('list'))
    .description('print the calls that wait for a person, oldest first')
    .option('--all', 'also those that have their answer, or waited too long')
    .option('--json', 'JSON Lines, for programs')
    .action((flags: ApprovalsFlags) =>
      kit.run(async () => {
        const { approvalsList } = await import('./approvals.ts')
        return approvalsList(flags, kit.io, kit.openLog)
      }),
    )
}

function show(kit: CommandKit): Command {
  return withPlace(kit.command('show'))
    .description('print everything about one of them')
    .argument('<id>', 'its id, `apr_…`')
    .option('--show-secrets', 'also values that look like secrets')
    .option('--json', 'one JSON object, for programs')
    .action((id: string, flags: ApprovalsFlags) =>
      kit.run(async () => {
        const { approvalsShow } = await import('./approvals.ts')
        return approvalsShow(id, flags, kit.io, kit.openLog)
      }),
    )
}

function watch(kit: CommandKit): Command {
  return withPlace(kit.command('watch'))
    .description('print them as they come, and what becomes of them')
    .option('--json', 'JSON Lines, for programs')
    .action((flags: ApprovalsFlags) =>
      kit.run(async () => {
        const { approvalsWatch } = await import('./approvals.ts')
        return approvalsWatch(flags, kit.io, kit.openLog)
      }),
    )
}

function approve(kit: CommandKit): Command {
  return answer(kit, 'approve', 'let exactly this call pass, once')
    .option('--session', 'as often as it is made in the session that asked, for 8 hours at most')
    .option('--minutes <n>', 'as often as it is made within so many minutes')
}

function answer(kit: CommandKit, verdict: 'approve' | 'deny' | 'revoke', what: string): Command {
  return withPlace(kit.command(verdict))
    .description(what)
    .argument('<id>', 'its id, `apr_…`')
    .option('--as <approver>', 'whose key signs, where there are several')
    .option('--key <file>', 'that key, if it is not at its usual place')
    .option('--passphrase-stdin', 'the passphrase from standard input, and not from the terminal')
    .option('--show-secrets', 'also show values that look like secrets')
    .option('--json', 'one JSON object, for programs')
    .action((id: string, flags: AnswerFlags) =>
      kit.run(async () => {
        const { approvalsAnswer } = await import('./approval-answer.ts')
        return approvalsAnswer(verdict, id, flags, kit.io, kit.openStore)
      }),
    )
}
