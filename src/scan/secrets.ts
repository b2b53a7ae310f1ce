/** Texts that are secrets whatever they are called: how well-known services write theirs. */
const shapes = [
  /\bgh[pousr]_[A-Za-z0-9]{20,}/,
  /\bgithub_pat_\w{20,}/,
  /\bglpat-[\w-]{20,}/,
  /\bsk-(?:ant-|proj-)?[\w-]{20,}/,
  /\bsk_(?:live|test)_\w{16,}/,
  /\bxox[abeoprs]-[\w-]{10,}/,
  /\bAKIA[0-9A-Z]{16}\b/,
  /\bAIza[\w-]{30,}/,
  /\bnpm_[A-Za-z0-9]{30,}/,
  /\bhf_[A-Za-z0-9]{20,}/,
  /\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@$]+:[^\s/@${]{3,}@/i,
]

const names =
  /(?:^|[_\W])(?:token|secret|password|passwd|passphrase|pwd|credentials?|authorization|cookie|bearer|dsn)(?:$|[_\W])|(?:api|access|private|secret|auth|signing|encryption|account|client)[-_]?(?:key|secret|token)/i

/** What stands where a value is to be filled in: by the client, or by whoever reads the file. */
const filledIn = /\$\{|\$\w|%\w+%|\{\{|<[^>]+>|^\s*$|^(?:Bearer|Basic|Token)\s*$/i
const placeholder =
  /^(?:(?:bearer|basic|token)\s+)?(?:your|my|the|some|insert|replace|put|example|sample|dummy|fake|test|todo|change|xxx+|\*+|\.\.\.|…|none|null|true|false|\d{1,5}$)/i

/** Whether a value under a name is a secret that is written out. */
export function isLiteralSecret(name: string, value: string): boolean {
  if (shapes.some((shape) => shape.test(value) && !/\$\{/.test(shape.exec(value)?.[0] ?? '')))
    return true
  if (!names.test(separated(name)) || filledIn.test(value) || placeholder.test(value)) return false
  // Paths are where a secret is kept, and short words are settings.
  const bare = value.replace(/^(?:bearer|basic|token)\s+/i, '')
  return bare.length >= 8 && !/^(?:[.~]?[\\/]|[A-Za-z]:[\\/]|https?:\/\/[^@]*$|file:)/.test(bare)
}

/** `apiToken` as `api_Token`, so that the words of a name can be told apart. */
function separated(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
}

/** The secrets that are written out among the arguments of a command, by their position. */
export function secretArguments(args: readonly string[]): readonly number[] {
  return args.flatMap((word, index) => {
    const [, option, value] = /^-{0,2}([\w-]+)=(.*)$/s.exec(word) ?? []
    if (option !== undefined && isLiteralSecret(option, value ?? '')) return [index]
    const before = args[index - 1] ?? ''
    if (/^--?[\w-]+$/.test(before) && !word.startsWith('-') && isLiteralSecret(before, word))
      return [index]
    const header = /^([\w-]+):\s*(.*)$/s.exec(word)
    if (header !== null && isLiteralSecret(header[1] ?? '', header[2] ?? '')) return [index]
    return isLiteralSecret('', word) ? [index] : []
  })
}

/** The parts of a URL's query that are secrets, and whether it holds a password. */
export function hasSecretInUrl(url: string): boolean {
  if (isLiteralSecret('', url)) return true
  const query = /\?(?<query>[^#]*)/.exec(url)?.groups?.['query'] ?? ''
  return query.split('&').some((pair) => {
    const [name = '', value = ''] = pair.split('=', 2)
    return isLiteralSecret(name, value)
  })
}

/** Whether a URL goes over a network in plain text. */
export function isPlainHttp(url: string): boolean {
  const found = /^(?:http|ws):\/\/(?:[^/@]*@)?(?<host>\[[^\]]*\]|[^/:?#]*)/i.exec(url)?.groups
  if (found === undefined) return false
  const host = (found['host'] ?? '').toLowerCase()
  return !/^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|[\w-]+\.localhost)$/.test(host)
}
