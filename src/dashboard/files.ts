import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CapFenceError } from '../errors.ts'

/** A file of the page. */
export interface PageFile {
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The files of the page by the path of their URL. */
export type PageFiles = ReadonlyMap<string, PageFile>

/** The page is these files and no other: what is asked for is never turned into a path. */
const files = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
] as const

/**
 * Reads the files of the page.
 *
 * @param folder where the build put them
 * @throws CapFenceError `USAGE` when they are not there: the program was not built, or is not whole
 */
export function readPageFiles(folder: string): PageFiles {
  try {
    return new Map(
      files.map(([path, name, type]) => [
        path,
        { type, bytes: new Uint8Array(readFileSync(join(folder, name))) },
      ]),
    )
  } catch (cause) {
    throw new CapFenceError('USAGE', 'the files of the page are missing', {
      hint: 'install capfence again; in its sources, `npm run build`',
      cause,
    })
  }
}
