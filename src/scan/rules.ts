/** How much a finding weighs. */
export type Level = 'error' | 'warning' | 'note'

/** What the scanner looks for. */
export interface Rule {
  readonly id: RuleId
  /** A name in the form that SARIF asks for. */
  readonly name: string
  readonly level: Level
  /** What is wrong, in one sentence. */
  readonly summary: string
  /** What to do. */
  readonly help: string
  /** What it is worth as a weakness, from 0 to 10, as SARIF readers sort by it. */
  readonly severity: string
}

/** The ids of the rules; they never change their meaning. */
export type RuleId =
  | `CF${'001' | '002' | '003' | '004' | '005' | '006' | '007' | '008'}`
  | CodeRuleId

/** The rules about code. */
export type CodeRuleId = `CF${'101' | '102' | '103' | '104'}`

/** Every rule, in the order of their ids. */
export const rules: readonly Rule[] = [
  {
    id: 'CF001',
    name: 'RawServer',
    level: 'error',
    summary: 'a client starts or reaches an MCP server without a gate',
    help: 'put CapFence before it: `capfence wrap`, or `capfence run --server NAME` as its command',
    severity: '8.0',
  },
  {
    id: 'CF002',
    name: 'LiteralSecret',
    level: 'error',
    summary: 'a secret stands literally in the configuration of a server',
    help: 'name a variable instead, such as `${TOKEN}`, and replace the secret: it has been read',
    severity: '8.5',
  },
  {
    id: 'CF003',
    name: 'UnpinnedServer',
    level: 'warning',
    summary: 'which program runs as a server depends on what somebody publishes next',
    help: 'name an exact version, such as `name@1.2.3`, or a digest',
    severity: '6.0',
  },
  {
    id: 'CF004',
    name: 'PlainHttp',
    level: 'warning',
    summary: 'a server is reached over a network without encryption',
    help: 'use `https`, or a server on this machine',
    severity: '6.5',
  },
  {
    id: 'CF005',
    name: 'AutoApprove',
    level: 'error',
    summary: 'calls run without anybody being asked, and no gate decides on them',
    help: 'remove the setting, or put CapFence before the server and write a policy',
    severity: '8.0',
  },
  {
    id: 'CF006',
    name: 'UnreadableFile',
    level: 'error',
    summary: 'a file that may name tools or servers cannot be read without doubt',
    help: 'mend the file; what it holds is not known',
    severity: '5.0',
  },
  {
    id: 'CF007',
    name: 'IgnoreWithoutReason',
    level: 'error',
    summary: 'a remark asks to ignore findings in a form that does not count',
    help: 'write `capfence-ignore CF101: the reason`',
    severity: '3.0',
  },
  {
    id: 'CF008',
    name: 'IgnoreWithoutFinding',
    level: 'note',
    summary: 'a remark ignores a finding that is not there',
    help: 'remove the remark: it would hide the next one',
    severity: '1.0',
  },
  {
    id: 'CF101',
    name: 'UngatedTool',
    level: 'error',
    summary: 'a tool is given to a model and no gate decides whether it runs',
    help: 'wrap it with `gate` of CapFence, or ask `runtime.execute` before it acts; in Python, let an MCP server behind `capfence run` offer it',
    severity: '8.0',
  },
  {
    id: 'CF102',
    name: 'UngatedServerTool',
    level: 'error',
    summary: 'an MCP server offers a tool and no gate is known to stand before it',
    help: 'name the server in capfence.mcp.json, or gate the handler with `gate` of CapFence',
    severity: '7.0',
  },
  {
    id: 'CF103',
    name: 'UngatedConnection',
    level: 'error',
    summary: 'code connects to an MCP server and not through a gate',
    help: 'start `capfence run --server NAME` instead, or pass the client through `gateClient`',
    severity: '8.0',
  },
  {
    id: 'CF104',
    name: 'ApprovalBypassed',
    level: 'error',
    summary: "code switches off an agent's own questions before tools run",
    help: 'remove the setting, or let CapFence decide on every tool the agent has',
    severity: '8.0',
  },
]

/** A rule by its id. */
export function ruleOf(id: string): Rule | undefined {
  return rules.find((rule) => rule.id === id)
}
