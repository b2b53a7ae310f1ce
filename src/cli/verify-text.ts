import type { LogReport, LogVerdict } from '../audit/log-report.ts'
import type { Output } from './io.ts'
import { counted, shown } from './shown.ts'
import { styled } from './style.ts'

const words: Readonly<Record<LogVerdict, string>> = {
  ok: 'ok',
  tampered: 'TAMPERED',
  rolled_back: 'ROLLED BACK',
  forked: 'FORKED',
  cannot_verify: 'CANNOT VERIFY',
  incomplete: 'INCOMPLETE',
}

/** How many are named one by one; the rest are counted. */
const maxNamed = 10

/** A report for people: the answer in the first line, then what it rests on. */
export function reportText(report: LogReport, path: string, output: Output): string {
  const { verdict, reason } = report
  const style = verdict === 'ok' ? 'green' : 'red'
  const what = reason ?? `${grouped(report.size)} records of ${report.log ?? path} verify`
  const lines = [
    `${styled(output, style, words[verdict])}: ${shown(what)}`,
    ...facts(report).map(([name, value]) => `  ${name.padEnd(21)}${shown(value)}`),
    ...warnings(report).map((text) => `  ${styled(output, 'yellow', 'warning:')} ${shown(text)}`),
  ]
  return `${lines.join('\n')}\n`
}

/** A report for programs; what only another verifier needs is left out. */
export function reportJson(report: LogReport): Readonly<Record<string, unknown>> {
  const { tree: _tree, ...rest } = report
  return rest
}

/** Digits in groups of three. */
export function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(?:\d{3})+$)/g, ',')
}

function facts(report: LogReport): readonly (readonly [name: string, value: string])[] {
  const { bad, lastGood, anchors, size, read, epoch, checkpoints, redacted } = report
  return [
    ...(bad === null ? [] : [['first bad record', String(bad.seq)] as const]),
    [
      'sound records',
      `${grouped(size)}${read < size ? `, ${grouped(read)} of them read now` : ''}`,
    ],
    [
      'last good checkpoint',
      lastGood === null ? 'none' : `${grouped(lastGood.size)} records, root ${lastGood.root}`,
    ],
    ['keys', keysOf(report)],
    ...(epoch === 0
      ? []
      : [
          [
            'signed',
            `${counted(epoch, 'epoch')}, ${counted(checkpoints, 'kept checkpoint')}`,
          ] as const,
        ]),
    ...anchors.map(({ name, size: seen, state }) => {
      const records = seen === null ? '' : `, ${grouped(seen)} records`
      return ['anchor', `${name}${records}: ${state.replace('_', ' ')}`] as const
    }),
    ...(redacted === 0
      ? []
      : [['erased', `${counted(redacted, 'disclosure')}, with a record of it`] as const]),
  ]
}

function keysOf({ pinned, epoch }: LogReport): string {
  if (pinned) return 'pinned'
  return epoch === 0 ? 'none' : 'those that the log names itself, which anybody could have made'
}

function warnings({ unknown, orphans, clockSteps }: LogReport): readonly string[] {
  const named = orphans
    .slice(0, maxNamed)
    .map(({ call, seq }) => `call ${call} (record ${seq}) has no known outcome`)
  const more = orphans.length - named.length
  const steps = clockSteps.slice(0, maxNamed).join(', ')
  return [
    ...unknown,
    ...named,
    ...(more > 0 ? [`${more} more calls have none`] : []),
    ...(steps === '' ? [] : [`the clock went back before record ${steps}`]),
  ]
}
