import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.ts'

/** Folders that are made, not written. */
const made = /^(?:node_modules|\.git|dist|\.dist-.*|coverage|test-artefacts|\.capfence)$/

/** A file of the project, with its path relative to the project. */
export interface ProjectFile {
  readonly path: string
  readonly text: string
}

/**
 * The files that people wrote, of the whole project or of some of its folders.
 *
 * @param folders such as `src`; a folder that is not there has no files
 */
export function projectFiles(...folders: readonly string[]): readonly ProjectFile[] {
  const roots = folders.length === 0 ? [''] : folders
  return roots.flatMap((folder) => filesUnder(folder))
}

function filesUnder(folder: string): readonly ProjectFile[] {
  return entriesOf(folder).flatMap((entry) => {
    if (made.test(entry.name)) return []
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return filesUnder(path)
    // A database or a picture is no text, and a link is not ours.
    if (!entry.isFile() || /\.(?:db|sqlite|png|wasm|tgz)$/.test(path)) return []
    return [{ path, text: readFileSync(join(root, path), 'utf8') }]
  })
}

function entriesOf(folder: string): ReturnType<typeof list> {
  try {
    return list(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

const list = (folder: string) => readdirSync(join(root, folder), { withFileTypes: true })
