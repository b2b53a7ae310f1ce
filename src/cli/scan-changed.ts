import { spawnSync } from 'node:child_process'
import { realpathSync, statSync } from 'node:fs'
import { dirname, posix, relative, sep } from 'node:path'
import { CapFenceError } from '../errors.ts'
import { shown } from './shown.ts'

/** How long git may take, milliseconds. */
const maxGitMs = 60_000
/** How much it may say, bytes. */
const maxGitBytes = 268_435_456

/** Nothing that a repository asks git to run is run. */
const quiet = [
  '-c',
  'core.fsmonitor=false',
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'diff.external=',
  '-c',
  'protocol.allow=never',
  '--no-optional-locks',
  '--literal-pathspecs',
]

/**
 * The files under a folder that are not as they were at a commit, new ones included; what was added to that branch since does
 * not count.
 *
 * @returns paths relative to the folder, with `/`
 * @throws CapFenceError `USAGE` when git does not know
 */
export function changedSince(root: string, reference: string): ReadonlySet<string> {
  if (reference.startsWith('-') || /\s/.test(reference) || reference === '')
    throw new CapFenceError('USAGE', `\`${shown(reference)}\` is no branch, tag or commit`)
  const folder = realpathSync(statSync(root).isDirectory() ? root : dirname(root))
  const top = realpathSync(git(folder, ['rev-parse', '--show-toplevel']).trimEnd())
  const commit = git(folder, [
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${reference}^{commit}`,
  ]).trim()
  const common = tryGit(folder, ['merge-base', commit, 'HEAD'])?.trim()
  const base = common === undefined || common === '' ? commit : common
  const changed = git(top, [
    'diff',
    '--name-only',
    '-z',
    '--no-ext-diff',
    '--no-renames',
    '--diff-filter=d',
    base,
    '--',
  ])
  const fresh = git(top, ['ls-files', '--others', '--exclude-standard', '-z'])
  const down = relative(top, folder).split(sep).join('/')
  return new Set(
    [...changed.split('\0'), ...fresh.split('\0')]
      .filter((path) => path !== '' && (down === '' || path.startsWith(`${down}/`)))
      .map((path) => (down === '' ? path : posix.relative(down, path))),
  )
}

function git(folder: string, args: readonly string[]): string {
  const answer = tryGit(folder, args)
  if (answer === undefined)
    throw new CapFenceError(
      'USAGE',
      `git could not say what changed: \`git ${args[0] ?? ''}\` failed`,
      {
        hint: '`--changed-since` needs a git repository that has the commit; a shallow clone may not',
      },
    )
  return answer
}

function tryGit(folder: string, args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', [...quiet, ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: maxGitBytes,
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: maxGitMs,
  })
  return status === 0 ? stdout : undefined
}
