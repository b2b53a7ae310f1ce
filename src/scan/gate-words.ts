const ourName = /^capfence(?:\.cmd|\.exe)?$/
const ourPackage = /^capfence(?:@[\w.-]+)?$/
const ourScript = /[\\/](?:capfence[\\/])?dist[\\/]cli[\\/]main\.js$|[\\/]\.bin[\\/]capfence$/

/**
 * Whether words start CapFence as a gate.
 *
 * It must be the program that is started, not a word somewhere among the arguments of another one: a server that only
 * names it would be taken for gated.
 */
export function startsGate(words: readonly string[]): boolean {
  const rest = afterGate(withoutShell(words))
  return rest !== undefined && rest[0] === 'run'
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
    return ourScript.test(first) ? args.slice(at + 1) : undefined
  if (/^(?:npx|bunx|pnpx)(?:\.cmd|\.exe)?$/.test(nameOf(program))) {
    const otherPackage = args.slice(0, at).some((word) => /^(?:-p|--package|-c|--call)/.test(word))
    return ourPackage.test(first) && !otherPackage ? args.slice(at + 1) : undefined
  }
  return undefined
}
