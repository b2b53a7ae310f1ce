import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { CapFenceError } from '../errors.ts'
import type { Finding } from '../scan/finding.ts'
import { shown } from './shown.ts'

/** The most of a baseline that is read, bytes. */
const maxBaselineBytes = 67_108_864

const form = z.strictObject({
  schemaVersion: z.literal(1),
  type: z.literal('scan-baseline'),
  findings: z.array(
    z.strictObject({
      rule: z.string(),
      file: z.string(),
      message: z.string(),
      fingerprint: z.string().regex(/^[0-9a-f]{32}$/),
    }),
  ),
})

/** Findings that were there before, and do not count until they are gone. */
export interface Baseline {
  readonly fingerprints: ReadonlySet<string>
}

/**
 * Reads a baseline.
 *
 * @throws CapFenceError `USAGE` when it is not there or none: nothing may pass because of a file that nobody can read
 */
export function readBaseline(path: string): Baseline {
  if (!existsSync(path))
    throw new CapFenceError('USAGE', `there is no baseline at \`${shown(path)}\``, {
      hint: '`--write-baseline` writes one of what is found now',
    })
  if (statSync(path).size > maxBaselineBytes)
    throw new CapFenceError('USAGE', `\`${shown(path)}\` is too large for a baseline`)
  const read = form.safeParse(parsed(path))
  if (!read.success)
    throw new CapFenceError('USAGE', `\`${shown(path)}\` is no baseline of \`capfence scan\``, {
      hint: '`--write-baseline` writes one of what is found now',
    })
  return { fingerprints: new Set(read.data.findings.map(({ fingerprint }) => fingerprint)) }
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    // It is told that this is no baseline, whatever it is.
    return undefined
  }
}

/** Writes what is found now, so that only what comes later counts. Remarks that do not count stay findings. */
export function writeBaseline(path: string, findings: readonly Finding[]): number {
  const kept = findings.filter(({ ignored, rule }) => ignored === undefined && rule !== 'CF007')
  const baseline = {
    schemaVersion: 1,
    type: 'scan-baseline',
    findings: kept.map(({ rule, file, message, fingerprint }) => ({
      rule,
      file,
      message,
      fingerprint,
    })),
  }
  writeFileSync(path, `${JSON.stringify(baseline, undefined, 2)}\n`)
  return kept.length
}

/** The findings, with those marked that were there before. */
export function sinceBaseline(
  findings: readonly Finding[],
  { fingerprints }: Baseline,
): readonly Finding[] {
  return findings.map((finding) =>
    finding.ignored === undefined &&
    finding.rule !== 'CF007' &&
    fingerprints.has(finding.fingerprint)
      ? { ...finding, ignored: 'it was there before (baseline)', isOld: true }
      : finding,
  )
}

/** How many of a baseline are gone. */
export function goneSince(findings: readonly Finding[], { fingerprints }: Baseline): number {
  const now = new Set(findings.map(({ fingerprint }) => fingerprint))
  return [...fingerprints].filter((one) => !now.has(one)).length
}
