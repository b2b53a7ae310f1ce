import type { Capability } from '../../event/capability.ts'
import { capabilityName } from '../../event/capability.ts'
import { printable } from '../../event/printable.ts'
import type { Effect } from '../answer.ts'
import type { ArgumentBound, ToolBounds } from './argument-bounds.ts'
import { pointerTo } from './argument-bounds.ts'
import type { StarterTool } from './starter-tool.ts'
import { comment, flow, quoted } from './yaml-text.ts'

/** A tool with what is to become of its calls. */
export interface PlannedTool {
  readonly tool: StarterTool
  readonly capability: Capability
  /** Whether another tool has the same capability, so that the rule has to name the tool. */
  readonly isShared: boolean
  readonly id: string
  readonly effect: Effect
  readonly why: string
  readonly bounds: ToolBounds
}

/** What stands at the head of the files. */
export interface StarterHead {
  readonly server: string
  /** Where the tests find the configuration, relative to them; undefined when there is none. */
  readonly config: string | undefined
  readonly environment: string
  readonly notes: readonly string[]
}

/** Where a URL may not lead, whoever is asked to fetch it. */
const ownNetwork =
  '[127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 169.254.0.0/16, "::1/128", "fc00::/7", "fe80::/10"]'

/** The policy, as text. */
export function policyText(head: StarterHead, tools: readonly PlannedTool[]): string {
  const of = (effect: Effect): readonly PlannedTool[] =>
    tools.filter((one) => one.effect === effect)
  const fetching = of('allow').filter(({ bounds }) => bounds.bounds.some(isRequiredUrl))
  return lines([
    comment(
      `The tools of the server ${head.server}, as its list says they are: read it before you use it.`,
      300,
    ),
    '#',
    '# Tools that look are allowed within bounds, tools that change something wait for a person, and tools that destroy or',
    '# run anything are denied; what is not named is denied as well. What a tool does was told by its name, its arguments',
    '# and what its server says of it, and nobody has checked any of that.',
    ...head.notes.map((note) => comment(note, 300)),
    'version: 1',
    `description: ${quoted(`a first policy for ${printable(head.server, 200)}`)}`,
    '',
    ...section('deny', [...of('deny').map(denial), ...fetching.map(networkDenial)]),
    ...section('require_approval', of('require_approval').map(question)),
    ...section('allow', of('allow').map(grant)),
  ])
}

function section(name: Effect, rules: readonly (readonly string[])[]): readonly string[] {
  if (rules.length === 0) return [`${name}: []`, '']
  return [`${name}:`, ...rules.flatMap((rule) => [...rule.map((line) => `  ${line}`), ''])]
}

function headOf(
  { tool, why, id, capability, isShared }: PlannedTool,
  name = id,
): readonly string[] {
  const said =
    tool.description.trim() === '' ? [] : [comment(`its server says: ${tool.description}`)]
  return [
    comment(`${tool.name}: ${why}`),
    ...said,
    `- id: ${quoted(name)}`,
    `  capability: ${quoted(capabilityName(capability))}`,
    ...(isShared ? [`  tool: ${quoted(tool.name)}`] : []),
  ]
}

function denial(planned: PlannedTool): readonly string[] {
  return [...headOf(planned), '  message: not by an agent']
}

function networkDenial(planned: PlannedTool): readonly string[] {
  const urls = planned.bounds.bounds.filter(isRequiredUrl)
  return urls.flatMap(({ name }, index) => [
    ...headOf(planned, `${planned.id}.network${index === 0 ? '' : `.${index + 1}`}`),
    `  args: {${quoted(pointerTo(name))}: {cidr: ${ownNetwork}}}`,
    '  message: addresses of this network are not fetched',
  ])
}

function isRequiredUrl({ role, isRequired, sample }: ArgumentBound): boolean {
  return role === 'url' && isRequired && typeof sample === 'string'
}

function question(planned: PlannedTool): readonly string[] {
  return [
    ...headOf(planned),
    '  approval: {timeout_seconds: 900, uses: 1}',
    '  message: a person looks at it first',
  ]
}

function grant(planned: PlannedTool): readonly string[] {
  const { bounds, omitted } = planned.bounds
  const required = bounds.filter(({ isRequired }) => isRequired)
  const optional = bounds.filter(({ isRequired }) => !isRequired)
  const unless = [...optional.map(withinIfGiven), ...omitted.map(leftOut)]
  return [
    ...headOf(planned),
    ...(required.length === 0
      ? []
      : ['  args:', ...required.flatMap(({ entries }) => entries.map((entry) => `    ${entry}`))]),
    ...(unless.length === 0
      ? []
      : [
          '  # Arguments that may be left out keep to their bounds when they are given.',
          '  not:',
          '    any:',
          ...unless.map((branch) => `      - ${branch}`),
        ]),
    '  message: allowed within these bounds',
  ]
}

/** True of an argument that is given and not within its bounds; unsure is not within them. */
function withinIfGiven({ name, entries }: ArgumentBound): string {
  const given = `{${quoted(pointerTo(name))}: {exists: true}}`
  return `{args: ${given}, not: {args: {${entries.join(', ')}}}}`
}

function leftOut(name: string): string {
  return `{args: {${quoted(pointerTo(name))}: {exists: true}}}`
}

/** The tests of the policy, as text. */
export function testsText(top: StarterHead, tools: readonly PlannedTool[]): string {
  const setting =
    top.config === undefined
      ? [`defaults: {environment: ${quoted(top.environment)}}`]
      : [`config: ${quoted(top.config)}`]
  return lines([
    comment(`What the policy beside this file says about the tools of ${top.server}.`, 300),
    'version: 1',
    ...setting,
    '',
    ...(tools.length === 0 ? ['tests:', ...unnamed(top)] : ['tests:']),
    ...tools.flatMap((planned) => testsOf(top.server, planned)),
  ])
}

/** A list without tools leaves a policy that allows nothing, which can be tested too. */
function unnamed({ server }: StarterHead): readonly string[] {
  return [
    `  - {name: nothing is allowed, call: {server: ${quoted(server)}, tool: any}, expect: deny}`,
  ]
}

function testsOf(server: string, planned: PlannedTool): readonly string[] {
  const { tool, effect, id, bounds } = planned
  const call = (args: Readonly<Record<string, unknown>>): string =>
    `call: {server: ${quoted(server)}, tool: ${quoted(tool.name)}, arguments: ${flow(args)}}`
  const samples = samplesOf(effect === 'allow' ? bounds.bounds : [])
  const what =
    effect === 'allow' ? 'is allowed' : effect === 'deny' ? 'is denied' : 'waits for a person'
  const main = [
    `  - name: ${quoted(`${printable(tool.name, 200)} ${what}`)}`,
    `    ${call(samples)}`,
    `    expect: ${effect}`,
    `    rule: ${quoted(id)}`,
  ]
  if (effect !== 'allow') return main
  const outside = bounds.bounds.flatMap((bound) =>
    bound.outside === undefined
      ? []
      : [
          `  - name: ${quoted(`${printable(tool.name, 200)} keeps ${printable(bound.name, 200)} in its bounds`)}`,
          `    ${call({ ...samples, [bound.name]: bound.outside })}`,
          '    expect: deny',
        ],
  )
  return [...main, ...outside]
}

function samplesOf(bounds: readonly ArgumentBound[]): Readonly<Record<string, unknown>> {
  const required = bounds.filter(({ isRequired }) => isRequired)
  return Object.fromEntries(required.map(({ name, sample }) => [name, sample]))
}

function lines(all: readonly string[]): string {
  return `${all.join('\n').trimEnd()}\n`
}
