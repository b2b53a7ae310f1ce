import { readFileSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

const ourName = /^capfence(?:\.cmd|\.exe)?$/
const ourPackage = /^capfence(?:@[\w.-]+)?$/
const ourScript = /[\\/]dist[\\/]cli[\\/]main\.js$/
const ourFolder = /[\\/]capfence[\\/]dist[\\/]cli[\\/]main\.js$/
const ourLink = /[\\/]\.bin[\\/]capfence$/
/** Options of Node that run something else before the script, or instead of it. */
const otherCode =
  /^(?:-r|--require|--import|--loader|--experimental-loader|-e|--eval|-p|--print|-c)/
/** The most of a manifest that is read, bytes. */
const maxManifestBytes = 1_048_576

/**
 * Whether words start CapFence as a gate.
 *
 * It must be the program that is started, not a word somewhere among the arguments of another one: a server that only
 * names it would be taken for gated.
 */
export function startsGate(words: readonly string[]): boolean {
  return gateArguments(words) !== undefined
}

/** What follows `capfence run` in words that start CapFence as a gate; undefined when they start something else. */
export function gateArguments(words: readonly string[]): readonly string[] | undefined {
  const [command, ...rest] = afterGate(withoutShell(words)) ?? []
  return command === 'run' ? rest : undefined
}

/** The words of a command without a `cmd /c` before them, which clients on Windows need. */
export function withoutShell(words: readonly string[]): readonly string[] {
  const [first = '', second = ''] = words
  const isCmd = /^cmd(?:\.exe)?$/i.test(nameOf(first)) && second.toLowerCase() === '/c'
  return isCmd ? words.slice(2) : words
}

/** The last part of a program's path. */
export function nameOf(program: string): string {
  return program.split(/[\\/]/).at(-1) ?? program
}

function afterGate(words: readonly string[]): readonly string[] | undefined {
  const [program = '', ...args] = words
  if (ourName.test(nameOf(program))) return args
  const at = args.findIndex((word) => !word.startsWith('-'))
  const first = args[at] ?? ''
  if (/^node(?:\.exe)?$/.test(nameOf(program)))
    return isOurScript(first) && !args.slice(0, at).some((word) => otherCode.test(word))
      ? args.slice(at + 1)
      : undefined
  if (/^(?:npx|bunx|pnpx)(?:\.cmd|\.exe)?$/.test(nameOf(program))) {
    const otherPackage = args.slice(0, at).some((word) => /^(?:-p|--package|-c|--call)/.test(word))
    return ourPackage.test(first) && !otherPackage ? args.slice(at + 1) : undefined
  }
  return undefined
}

/** Other programs are built to `dist/cli/main.js` too: the package says whose it is, and where it is not on this machine, its folder. */
function isOurScript(path: string): boolean {
  if (ourLink.test(path)) return true
  if (!ourScript.test(path)) return false
  const name = packageAround(path)
  return name === undefined ? ourFolder.test(path) : name === 'capfence'
}

function packageAround(script: string): string | undefined {
  if (!isAbsolute(script)) return undefined
  try {
    const manifest = join(script, '../../../package.json')
    if (statSync(manifest).size > maxManifestBytes) return ''
    const read: unknown = JSON.parse(readFileSync(manifest, 'utf8'))
    return typeof read === 'object' && read !== null && 'name' in read ? String(read.name) : ''
  } catch {
    // It is on another machine, or it cannot be told: its folder says.
    return undefined
  }
}
