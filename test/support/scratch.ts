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

/**
 * Makes a small project in a folder of its own, hands it to `use` and removes it again.
 *
 * A file planted in the project itself would disturb whoever builds or tests meanwhile.
 *
 * @param copies files and folders of this project that the small one gets too; it shares the installed packages
 * @param files further files, contents by path
 */
export function withScratchProject<T>(
  copies: readonly string[],
  files: Readonly<Record<string, string>>,
  use: (folder: string) => T,
): T {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'capfence-project-')))
  try {
    for (const name of copies) cpSync(join(root, name), join(folder, name), { recursive: true })
    symlinkSync(realpathSync(join(root, 'node_modules')), join(folder, 'node_modules'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    return use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
