import { projectFiles, type ProjectFile } from './files.ts'

/** A fenced block of a page. */
export interface Block {
  readonly page: string
  /** The line of its opening fence, from 1. */
  readonly line: number
  /** The first word after the fence, such as `json`; empty when there is none. */
  readonly language: string
  /** The words after the language, such as the name of the file that the block shows. */
  readonly about: string
  /** Without the indentation of the fence. */
  readonly text: string
}

/** The pages that users read. */
export const pages: readonly ProjectFile[] = [...projectFiles('docs'), ...projectFiles()].filter(
  ({ path }, index, all) =>
    path.endsWith('.md') &&
    /^(?:docs\/|[^/]+$)/.test(path) &&
    all.findIndex((other) => other.path === path) === index,
)

/**
 * The fenced blocks of a page, in order.
 *
 * @throws Error when a fence is not closed, because then the rest of the page would be taken for code
 */
export function blocksOf({ path, text }: ProjectFile): readonly Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at += 1) {
    const fence = /^(?<indent> *)```(?<language>\S*) *(?<about>.*)$/.exec(lines[at] ?? '')?.groups
    if (fence === undefined) continue
    const indent = fence['indent'] ?? ''
    const end = lines.indexOf(`${indent}\`\`\``, at + 1)
    if (end === -1) throw new Error(`${path}:${String(at + 1)}: this fence is not closed`)
    blocks.push({
      page: path,
      line: at + 1,
      language: fence['language'] ?? '',
      about: fence['about'] ?? '',
      text: lines
        .slice(at + 1, end)
        .map((line) => `${line.slice(indent.length)}\n`)
        .join(''),
    })
    at = end
  }
  return blocks
}

/** A page without its fenced blocks and its code spans, with as many lines as before. */
export function proseOf(page: ProjectFile): string {
  return page.text
    .replaceAll(/^( *)```[^]*?^\1```$/gm, (block) => block.replaceAll(/[^\n]/g, ''))
    .replaceAll(/`[^`\n]*`/g, 'code')
}

/** The anchors that the headings of a page make, as the hosts of repositories make them. */
export function anchorsOf(page: ProjectFile): ReadonlySet<string> {
  const headings = page.text
    .replaceAll(/^( *)```[^]*?^\1```$/gm, '')
    .matchAll(/^#{1,6} (?<title>.+)$/gm)
  return new Set(
    Array.from(headings, ({ groups }) =>
      (groups?.['title'] ?? '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  )
}
