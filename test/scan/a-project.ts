import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Finding } from '../../src/scan/finding.ts'
import { scan } from '../../src/scan/scan.ts'

/** Files of a project by their paths. */
export type Files = Readonly<Record<string, string>>

/** Runs a step with files in a folder of their own. */
export async function withProject<T>(
  files: Files,
  step: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-scan-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text)
    }
    return await step(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What a scan of the files finds. */
export async function findingsIn(files: Files): Promise<readonly Finding[]> {
  return withProject(files, async (root) => (await scan({ root })).findings)
}

/** The findings that count, as `file:line rule`, in their order. */
export async function openIn(files: Files): Promise<readonly string[]> {
  const findings = await findingsIn(files)
  return findings
    .filter(({ ignored }) => ignored === undefined)
    .map(({ file, line, rule }) => `${file}:${String(line)} ${rule}`)
}
