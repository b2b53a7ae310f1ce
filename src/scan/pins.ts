import { nameOf, withoutShell } from '../clients/gate-words.ts'

const exact = /@v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/
const exactPython = /(?:==|@)\d[\w.+!-]*$/
const fixedSource = /(?:@|#|sha256:)[0-9a-f]{40,64}$/

/**
 * The package or image that a command runs in whatever version is newest; undefined when it is pinned, or when the command runs
 * none.
 */
export function unpinnedIn(words: readonly string[]): string | undefined {
  const [program = '', ...args] = withoutShell(words)
  const name = nameOf(program).replace(/\.(?:cmd|exe)$/, '')
  if (/^(?:sh|bash|zsh|dash)$/.test(name)) {
    const at = args.findIndex((word) => /^-\w*c$/.test(word))
    return at === -1 ? undefined : unpinnedIn(launcherIn(args[at + 1] ?? ''))
  }
  if (/^(?:npx|bunx|pnpx)$/.test(name)) return loose(packageIn(args, ['-p', '--package']), exact)
  if (name === 'npm' && /^(?:exec|x)$/.test(args[0] ?? ''))
    return loose(packageIn(args.slice(1), ['--package']), exact)
  if (/^(?:pnpm|yarn|bun)$/.test(name) && /^(?:dlx|x)$/.test(args[0] ?? ''))
    return loose(packageIn(args.slice(1), ['-p', '--package']), exact)
  if (name === 'uvx') return loose(packageIn(args, ['--from']), exactPython)
  if (name === 'uv' && args[0] === 'tool' && args[1] === 'run')
    return loose(packageIn(args.slice(2), ['--from']), exactPython)
  if (name === 'pipx' && args[0] === 'run')
    return loose(packageIn(args.slice(1), ['--spec']), exactPython)
  if (/^(?:docker|podman)$/.test(name) && args[0] === 'run') return looseImage(args.slice(1))
  return undefined
}

/** The words from the first program that fetches packages. */
function launcherIn(text: string): readonly string[] {
  const words = text.split(/\s+/).filter((word) => word !== '')
  const at = words.findIndex((word) =>
    /^(?:npx|bunx|pnpx|uvx|pipx|pnpm|yarn|npm|docker)$/.test(nameOf(word)),
  )
  return at === -1 ? [] : words.slice(at)
}

/** Options of these launchers that are followed by a value of their own. */
const withValue = new Set(['--registry', '--python', '--with', '--index-url', '--cache', '-w'])

function packageIn(args: readonly string[], named: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? ''
    const [option = '', value] = word.split('=', 2)
    if (named.includes(option)) return value ?? args[at + 1]
    if (!word.startsWith('-')) return word
    if (withValue.has(word)) at += 1
  }
  return undefined
}

function loose(spec: string | undefined, pinned: RegExp): string | undefined {
  if (spec === undefined || /^[./~]|^[A-Za-z]:[\\/]/.test(spec)) return undefined
  return pinned.test(spec) || fixedSource.test(spec) ? undefined : spec
}

/** Options of `docker run` that stand alone; every other one may be followed by a value. */
const dockerFlags =
  /^(?:-[itdqP]+|--(?:rm|init|interactive|tty|detach|privileged|read-only|quiet))$/

function looseImage(args: readonly string[]): string | undefined {
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] ?? ''
    if (!word.startsWith('-')) return isPinnedImage(word) ? undefined : word
    if (!dockerFlags.test(word) && !word.includes('=')) at += 1
  }
  return undefined
}

function isPinnedImage(image: string): boolean {
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return true
  const tag = /:(?<tag>[\w][\w.-]*)$/.exec(image)?.groups?.['tag']
  return tag !== undefined && /\d+\.\d+/.test(tag)
}
