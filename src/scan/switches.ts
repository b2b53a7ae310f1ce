import type { Tree, TreeMember } from '../clients/tree.ts'
import { memberOf } from '../clients/tree.ts'
import type { Spot } from './finding.ts'

/** A switch of a client that lets every call run, whatever server it is for. */
interface Switch {
  readonly way: readonly string[]
  readonly value: boolean | string
}

const switches: readonly Switch[] = [
  { way: ['permissions', 'defaultMode'], value: 'bypassPermissions' },
  { way: ['permissionMode'], value: 'bypassPermissions' },
  { way: ['enableAllProjectMcpServers'], value: true },
  { way: ['chat.tools.autoApprove'], value: true },
  { way: ['chat.tools.global.autoApprove'], value: true },
  { way: ['settings', 'chat.tools.autoApprove'], value: true },
  { way: ['settings', 'chat.tools.global.autoApprove'], value: true },
  { way: ['approval_policy'], value: 'never' },
]

/** The switches in a client's file that let every call run without a question. */
export function switchSpots(tree: Tree): readonly Spot[] {
  return switches.flatMap(({ way, value }) => {
    const found = memberAt(tree, way)
    const is =
      found?.value.kind === 'text' || found?.value.kind === 'other' ? found.value.value : undefined
    if (found === undefined || is !== value) return []
    const { start = 0, end = start } = found.slot ?? {}
    const name = way.join('.')
    const message = `\`${name}\` lets calls of every server run without a question`
    return [{ rule: 'CF005', at: start, end, message, subject: name }]
  })
}

function memberAt(tree: Tree, way: readonly string[]): TreeMember | undefined {
  const [name = '', ...rest] = way
  const member = memberOf(tree, name)
  return member === undefined || rest.length === 0 ? member : memberAt(member.value, rest)
}
