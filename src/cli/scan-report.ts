import type { Finding } from '../scan/finding.ts'
import { rules, ruleOf } from '../scan/rules.ts'
import type { Level } from '../scan/rules.ts'
import type { Output } from './io.ts'
import { schemaVersion } from './log-lines.ts'
import { counted, jsonLine, shown } from './shown.ts'
import { styled } from './style.ts'

/** What the reports of a scan are made of. */
export interface ScanReport {
  /** Those that count, and those that do not. */
  readonly findings: readonly Finding[]
  /** Files that were read, count. */
  readonly files: number
  /** The version of CapFence. */
  readonly version: string
}

/** The form of a report. */
export type ScanFormat = 'text' | 'json' | 'sarif' | 'github' | 'junit'

/** The level of a finding. */
export function levelOf({ rule }: Finding): Level {
  return ruleOf(rule)?.level ?? 'error'
}

/** The findings for people: one line each, and what to do about each kind once. */
export function textReport({ findings, files }: ScanReport, out: Output): string {
  const open = findings.filter(({ ignored }) => ignored === undefined)
  const styles = { error: 'red', warning: 'yellow', note: 'dim' } as const
  const lines = open.map((finding) => {
    const { file, line, column, message, rule } = finding
    const level = levelOf(finding)
    const place = styled(out, 'bold', shown(`${file}:${String(line)}:${String(column)}:`))
    return `${place} ${styled(out, styles[level], level)}: ${shown(message)} [${rule}]`
  })
  const met = rules.filter(({ id }) => open.some(({ rule }) => rule === id))
  const help = met.map(({ id, help: what }) => `${styled(out, 'bold', id)} ${what}`)
  const count = (level: Level): number => open.filter((one) => levelOf(one) === level).length
  const ignored = findings.length - open.length
  const total = [
    counted(count('error'), 'error'),
    counted(count('warning'), 'warning'),
    counted(count('note'), 'note'),
    ...(ignored > 0 ? [`${String(ignored)} ignored`] : []),
    `${counted(files, 'file')} read`,
  ].join(', ')
  const parts = [...lines, ...(help.length > 0 ? ['', ...help, ''] : []), total]
  return parts.map((line) => `${line}\n`).join('')
}

/** The findings as one JSON object. */
export function jsonReport({ findings, files }: ScanReport): string {
  return jsonLine({
    schemaVersion,
    type: 'scan',
    files,
    findings: findings.map((finding) => ({
      ...finding,
      level: levelOf(finding),
      help: ruleOf(finding.rule)?.help ?? null,
      ignored: finding.ignored ?? null,
    })),
  })
}

/** The findings as workflow commands, which GitHub shows at their lines. */
export function githubReport({ findings }: ScanReport): string {
  const command = { error: 'error', warning: 'warning', note: 'notice' } as const
  return findings
    .filter(({ ignored }) => ignored === undefined)
    .map((finding) => {
      const { file, line, column, endLine, rule, message } = finding
      const properties = [
        `file=${property(file)}`,
        `line=${String(line)}`,
        `endLine=${String(endLine)}`,
        `col=${String(column)}`,
        `title=${property(`CapFence ${rule}`)}`,
      ].join(',')
      return `::${command[levelOf(finding)]} ${properties}::${escapedMessage(message)}\n`
    })
    .join('')
}

/** GitHub reads `%`, line ends, and in properties `:` and `,`, in a form of its own. */
function property(text: string): string {
  return escapedMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}

function escapedMessage(text: string): string {
  return shown(text).replaceAll('%', '%25')
}

/** The findings in the form that build servers read: one suite for each file that has any, or one that passed. */
export function junitScanReport({ findings, files }: ScanReport): string {
  const open = findings.filter(({ ignored }) => ignored === undefined)
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="capfence scan" tests="${String(Math.max(1, open.length))}" failures="${String(open.length)}" errors="0">`,
    `  <testsuite name="capfence scan" tests="${String(Math.max(1, open.length))}" failures="${String(open.length)}" errors="0" skipped="0">`,
    ...(open.length === 0
      ? [`    <testcase name="${counted(files, 'file')} read" classname="capfence scan"/>`]
      : []),
    ...open.flatMap(junitCase),
    '  </testsuite>',
    '</testsuites>',
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function junitCase(finding: Finding): readonly string[] {
  const { file, line, column, rule, message } = finding
  const name = `${rule} ${file}:${String(line)}:${String(column)}`
  return [
    `    <testcase name="${xml(name)}" classname="${rule}" file="${xml(file)}" line="${String(line)}">`,
    `      <failure type="${levelOf(finding)}" message="${xml(message)}">${xml(ruleOf(rule)?.help ?? '')}</failure>`,
    '    </testcase>',
  ]
}

function xml(text: string): string {
  return shown(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
