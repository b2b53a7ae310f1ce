import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from './root.ts'

/** One complaint of the linter. */
export interface Complaint {
  /** Such as `capfence(room-imports)`. */
  readonly rule: string
  readonly message: string
  readonly line: number
}

/**
 * Lints files as if they stood in this project, with its real configuration and its own rules.
 *
 * They are written to a scratch project, because a file planted in src would disturb whoever builds meanwhile.
 *
 * @param files contents by path relative to the project, such as `src/json/planted.ts`
 * @returns the complaints about each of them, in the order of lines
 * @throws Error when the linter itself failed, so that "no complaint" always means that it looked
 */
export function lint(
  files: Readonly<Record<string, string>>,
): ReadonlyMap<string, readonly Complaint[]> {
  const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-lint-')))
  try {
    for (const name of ['lint', '.oxlintrc.json', 'package.json', 'tsconfig.json']) {
      cpSync(join(root, name), join(scratch, name), { recursive: true })
    }
    symlinkSync(realpathSync(join(root, 'node_modules')), join(scratch, 'node_modules'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(scratch, path)), { recursive: true })
      writeFileSync(join(scratch, path), text)
    }
    return complaints(scratch, Object.keys(files))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

interface Diagnostic {
  readonly message: string
  readonly code: string
  readonly filename: string
  readonly labels: readonly { readonly span: { readonly line: number } }[]
}

interface Answer {
  readonly diagnostics: readonly Diagnostic[]
  readonly number_of_files: number
}

function complaints(scratch: string, paths: readonly string[]): Map<string, readonly Complaint[]> {
  const linter = join(root, 'node_modules/oxlint/bin/oxlint')
  const run = spawnSync(process.execPath, [linter, '--format', 'json', ...paths], {
    cwd: scratch,
    encoding: 'utf8',
  })
  if (!run.stdout.startsWith('{')) throw new Error(`the linter failed: ${run.stdout}${run.stderr}`)
  const answer = JSON.parse(run.stdout) as Answer
  if (answer.number_of_files !== paths.length) {
    throw new Error(`the linter saw ${answer.number_of_files} of ${paths.length} files`)
  }
  const failed = answer.diagnostics.find(({ message }) => message.startsWith('Error running JS'))
  if (failed !== undefined) throw new Error(failed.message)
  return new Map(
    paths.map((path) => [
      path,
      answer.diagnostics
        .filter(({ filename }) => filename === path)
        .map(({ code, message, labels }) => ({
          rule: code,
          message,
          line: labels[0]?.span.line ?? 0,
        }))
        .sort((a, b) => a.line - b.line),
    ]),
  )
}
