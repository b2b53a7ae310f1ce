import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './root.ts'
import { withScratchProject } from './scratch.ts'

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
 * @param files contents by path relative to the project, such as `src/json/planted.ts`
 * @returns the complaints about each of them, in the order of lines
 * @throws Error when the linter itself failed, so that "no complaint" always means that it looked
 */
export function lint(
  files: Readonly<Record<string, string>>,
): ReadonlyMap<string, readonly Complaint[]> {
  const copies = ['lint', '.oxlintrc.json', 'package.json', 'tsconfig.json']
  return withScratchProject(copies, files, (folder) => complaints(folder, Object.keys(files)))
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

function complaints(folder: string, paths: readonly string[]): Map<string, readonly Complaint[]> {
  const linter = join(root, 'node_modules/oxlint/bin/oxlint')
  const run = spawnSync(process.execPath, [linter, '--format', 'json', ...paths], {
    cwd: folder,
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
