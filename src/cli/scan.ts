import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CapFenceError } from '../errors.ts'
import type { Finding } from '../scan/finding.ts'
import type { Level } from '../scan/rules.ts'
import { scan as scanFolder } from '../scan/scan.ts'
import type { ExitCode, Io } from './io.ts'
import { exitCodes } from './io.ts'
import {
  githubReport,
  jsonReport,
  junitScanReport,
  levelOf,
  textReport,
  type ScanFormat,
  type ScanReport,
} from './scan-report.ts'
import { sarifReport } from './scan-sarif.ts'
import { ScanProgress } from './scan-progress.ts'
import { shown } from './shown.ts'
import { version } from './version.ts'

/** What `capfence scan` takes, as it was typed. */
export interface ScanFlags {
  readonly format: ScanFormat
  readonly json?: boolean | undefined
  readonly output?: string | undefined
  readonly failOn: Level | 'none'
  readonly exclude?: readonly string[] | undefined
}

/** `capfence scan [PATH]`: says where tools and servers are that no gate covers. */
export async function scan(path: string | undefined, flags: ScanFlags, io: Io): Promise<ExitCode> {
  const root = resolve(path ?? '.')
  if (!existsSync(root)) {
    throw new CapFenceError('USAGE', `there is nothing at \`${shown(path ?? '.')}\``)
  }
  const progress = new ScanProgress(io)
  const found = await scanFolder({
    root,
    except: new Set((flags.exclude ?? []).map(folderName)),
    onFile: (done, total) => progress.note(done, total),
  })
  await progress.end()
  const report = { ...found, version }
  const text = reportIn(flags.json === true ? 'json' : flags.format, report, io)
  if (flags.output === undefined) await io.out.write(text)
  else writeFileSync(flags.output, text)
  return countsAgainst(found.findings, flags.failOn) ? exitCodes.no : exitCodes.yes
}

function folderName(text: string): string {
  return text.replaceAll('\\', '/').replace(/^\.\//, '').replace(/\/+$/, '')
}

function reportIn(format: ScanFormat, report: ScanReport, io: Io): string {
  switch (format) {
    case 'text':
      return textReport(report, io.out)
    case 'json':
      return jsonReport(report)
    case 'sarif':
      return sarifReport(report)
    case 'github':
      return githubReport(report)
    case 'junit':
      return junitScanReport(report)
    default:
      return format satisfies never
  }
}

const weights = { note: 1, warning: 2, error: 3, none: 4 } as const

function countsAgainst(findings: readonly Finding[], failOn: Level | 'none'): boolean {
  return findings.some(
    (finding) => finding.ignored === undefined && weights[levelOf(finding)] >= weights[failOn],
  )
}
