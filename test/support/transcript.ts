import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cli } from './dist.ts'

/**
 * Runs every `$ capfence …` line of a `console` block and returns the block as it should read.
 *
 * What a command writes to standard error stands with what it writes to standard output, and an exit code other than 0
 * follows as `[exit 1]`. Other lines that begin with `$ ` are not run: what they print stays as it is.
 *
 * @param folder where the commands run
 */
export function replay(block: string, folder: string): string {
  const shown = block.split(/^(?=\$ )/m)
  return shown
    .map((part) => {
      const [line = ''] = part.split('\n')
      if (!line.startsWith('$ capfence')) return part
      return `${line}\n${printed(line.slice(2), folder)}`
    })
    .join('')
}

function printed(line: string, folder: string): string {
  const command = join(folder, 'capfence')
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${cli}' "$@"\n`)
  chmodSync(command, 0o755)
  const run = spawnSync('sh', ['-c', `exec 2>&1; ${line}`], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}`,
      NO_COLOR: '1',
    },
    timeout: 60_000,
  })
  return `${run.stdout}${run.status === 0 ? '' : `[exit ${String(run.status)}]\n`}`
}

/** What differs from one run to the next, and what stands for it; the same thing keeps the same number. */
const varying: readonly (readonly [word: string, pattern: RegExp])[] = [
  ['time', /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?/g],
  ['id', /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g],
  ['id', /\b(?:[a-z]{3}_)?[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g],
  ['hash', /\b[0-9a-f]{64}\b/g],
  ['duration', /\b\d+(?:\.\d+)? ?ms\b/g],
  ['folder', /\/(?:tmp|var|private|Users|home)\/[\w./-]+/g],
]

/**
 * A transcript with its times, ids, hashes, durations and scratch folders numbered in the order in which they appear, so
 * that two runs can be compared: `<id 1>` is the same id wherever it stands.
 */
export function settled(transcript: string): string {
  return varying.reduce((text, [word, pattern]) => {
    const seen: string[] = []
    return text.replaceAll(pattern, (found) => {
      if (word === 'time' || word === 'duration') return `<${word}>`
      if (!seen.includes(found)) seen.push(found)
      return `<${word} ${String(seen.indexOf(found) + 1)}>`
    })
  }, transcript)
}
