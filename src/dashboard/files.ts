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

const style = ['/page.css', 'page.css', 'text/css; charset=utf-8'] as const
const icon = ['/icon.svg', 'icon.svg', 'image/svg+xml'] as const
const html = 'text/html; charset=utf-8'
const script = 'text/javascript; charset=utf-8'

/** A page is its files and no other: what is asked for is never turned into a path. */
const pages = {
  /** The operator's. */
  page: [['/', 'index.html', html], style, ['/page.js', 'page.js', script], icon],
  /** The one that makes a passkey. */
  enrol: [['/', 'enrol.html', html], style, ['/enrol.js', 'enrol.js', script], icon],
} as const

/**
 * Reads the files of a page.
 *
 * @param folder where the build put them
 * @throws CapFenceError `USAGE` when they are not there: the program was not built, or is not whole
 */
export function readPageFiles(folder: string, name: keyof typeof pages = 'page'): PageFiles {
  try {
    return new Map(
      pages[name].map(([path, file, type]) => [
        path,
        { type, bytes: new Uint8Array(readFileSync(join(folder, file))) },
      ]),
    )
  } catch (cause) {
    throw new CapFenceError('USAGE', 'the files of the page are missing', {
      hint: 'install capfence again; in its sources, `npm run build`',
      cause,
    })
  }
}
