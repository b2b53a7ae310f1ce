import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CapFenceError } from '../errors.ts'
import type { Finding } from '../scan/finding.ts'
import type { Level } from '../scan/rules.ts'
import { scan as scanFolder, type ScanResult } from '../scan/scan.ts'
import { goneSince, readBaseline, sinceBaseline, writeBaseline } from './scan-baseline.ts'
import { changedSince } from './scan-changed.ts'
import { ScanReaders } from './scan-readers.ts'
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
import { counted, shown } from './shown.ts'
import { version } from './version.ts'

/** What `capfence scan` takes, as it was typed. */
export interface ScanFlags {
  readonly format: ScanFormat
  readonly json?: boolean | undefined
  readonly output?: string | undefined
  readonly failOn: Level | 'none'
  readonly exclude?: readonly string[] | undefined
  readonly baseline?: string | undefined
  readonly writeBaseline?: string | undefined
  readonly changedSince?: string | undefined
  readonly includeTests?: boolean | undefined
  readonly gitignore: boolean
}

/** `capfence scan [PATH]`: says where tools and servers are that no gate covers. */
export async function scan(path: string | undefined, flags: ScanFlags, io: Io): Promise<ExitCode> {
  const root = resolve(path ?? '.')
  if (!existsSync(root)) {
    throw new CapFenceError('USAGE', `there is nothing at \`${shown(path ?? '.')}\``)
  }
  // What was typed wrong is said before a long search, not after it.
  const baseline = flags.baseline === undefined ? undefined : readBaseline(flags.baseline)
  const only = flags.changedSince === undefined ? undefined : changedSince(root, flags.changedSince)
  const found = await search(root, flags, { only, io })
  const findings = baseline === undefined ? found.findings : sinceBaseline(found.findings, baseline)
  const report = { ...found, findings, version }
  const text = reportIn(flags.json === true ? 'json' : flags.format, report, io)
  if (flags.output === undefined) await io.out.write(text)
  else writeFileSync(flags.output, text)
  if (baseline !== undefined && only === undefined) await sayGone(goneSince(findings, baseline), io)
  if (flags.writeBaseline !== undefined) {
    const count = writeBaseline(flags.writeBaseline, found.findings)
    await io.err.write(
      `capfence: ${counted(count, 'finding')} written to ${shown(flags.writeBaseline)}\n`,
    )
    return exitCodes.yes
  }
  return countsAgainst(findings, flags.failOn) ? exitCodes.no : exitCodes.yes
}

async function search(
  root: string,
  flags: ScanFlags,
  { only, io }: { readonly only: ReadonlySet<string> | undefined; readonly io: Io },
): Promise<ScanResult> {
  const progress = new ScanProgress(io)
  const reader = new ScanReaders()
  try {
    return await scanFolder({
      root,
      except: new Set((flags.exclude ?? []).map(folderName)),
      only,
      includesTests: flags.includeTests === true,
      includesIgnored: !flags.gitignore,
      onFile: (done, total) => progress.note(done, total),
      reader,
    })
  } finally {
    reader.end()
    await progress.end()
  }
}

async function sayGone(count: number, io: Io): Promise<void> {
  if (count === 0) return
  const what = `${counted(count, 'finding')} of the baseline ${count === 1 ? 'is' : 'are'} gone`
  await io.err.write(`capfence: ${what}: write it anew, or they may come back unseen\n`)
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
